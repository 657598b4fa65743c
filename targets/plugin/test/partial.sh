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

some='rfc9293/3.4.1 rfc9293/3.5 rfc9293/3.8 rfc9293/3.9 rfc9293/3.10.1 rfc9293/3.10.2 rfc9293/3.10.3 rfc9293/3.10.4 rfc6528'
# shellcheck disable=SC2086 # lists
for row in 'connect,send,receive,shutdown,set_option,get_option,ioctl,poll,local_endpoint,status,settings:80' \
    'send,receive:100' 'poll,get_option,local_endpoint:300' 'connect,poll:150' 'bind,listen,accept:50' 'close,ioctl,status,settings:100' \
    'get_option:100' 'set_option:100' 'next_deadline:300'; do
    without "${row%:*}" "${row##*:}" $some
done
without 'socket,status' 366 rfc9293/3.10.7.1 rfc9293/3.5.2
without 'fresh' 60 rfc9293/3.10.7.1/reset-format
finish
