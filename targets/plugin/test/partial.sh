#!/bin/sh
# Whatever functions a plugin leaves out: tests that need them are not applicable, all others pass, and none fails for it.
. "$(dirname "$0")/../../../engine/cli/test/lib.sh"
plugin=${PLUGIN:?partial.so}

# without LIST LEAST [SELECTOR…]: no verdict but pass and not applicable, and at least so many passes
without() {
    missing=$1 least=$2
    shift 2
    PARTIAL=$missing wants 0 '^[0-9]+ passed, 0 failed, 0 inconclusive, 0 errors' "without $missing" \
        "$tcpassay" run --target "plugin:$plugin" --seed 3 --profile quick --out "$work/o" "$@"
    passes=$(sed -n 's/^\([0-9]*\) passed, .*/\1/p' "$work/out")
    holds "without $missing: $passes pass, at least $least" [ "${passes:-0}" -ge "$least" ]
}

active='connect,send,receive,shutdown,set_option,get_option,ioctl,poll,local_endpoint,status,settings'
without "socket,bind,listen,accept,close,$active" 300
without "$active" 800
without 'poll,get_option,local_endpoint' 3000
without 'connect,poll' 1500
without 'bind,listen,accept' 500
without 'close,ioctl,status,settings' 2500
without 'receive' 1500
without 'send,shutdown' 1000
without 'get_option' 3000
without 'set_option' 2500
without 'next_deadline' 3500
without 'fresh' 60 rfc9293/3.5.2
finish
