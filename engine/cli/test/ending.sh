#!/bin/sh
# However a run on a real target ends, results are kept and nothing is left behind: SIGINT, a second SIGINT, kill -9, a missing privilege.
. "$(dirname "$0")/lib.sh"
if ! "$tcpassay" targets linux >"$work/out" 2>&1; then
    echo "skipped: target linux is not possible here:"
    cat "$work/out"
    exit 77
fi
# Devices of this network, and processes of ours: others may be running tcpassay too.
export TCPASSAY_TEST_MARK="$work"
world() {
    ip -o link 2>/dev/null | sed 's/^[0-9]*: //; s/ state .*//'
    grep -lzx "TCPASSAY_TEST_MARK=$work" /proc/[0-9]*/environ 2>/dev/null | while read -r environ; do
        { tr '\0' ' ' <"${environ%environ}cmdline"; } 2>/dev/null | grep -o 'tcpassay run.*'
    done
}
world >"$work/before"
settled() { i=0; while :; do world >"$work/after"; cmp -s "$work/before" "$work/after" && return 0; i=$((i + 1)); [ $i -lt 200 ] || return 1; sleep 0.05; done; }
finished_some() { i=0; until grep -q '"type":"test"' "$1/results.jsonl" 2>/dev/null; do i=$((i + 1)); [ $i -lt 200 ] || return 1; sleep 0.05; done; }

# A test that lasts minutes keeps the run alive while others finish.
mkdir "$work/suite"
printf '//: title long\n//: ip 4\n0 wait\n+300 wait\n' >"$work/suite/long.pkt"
printf '//: title short\n0 < R 0:0(0)\n+0 fence\n' >"$work/suite/short.pkt"

"$tcpassay" run --suite "$work/suite" --target linux --out "$work/int" >"$work/said" 2>&1 &
pid=$!
holds 'some tests finish before SIGINT' finished_some "$work/int"
kill -INT $pid
wait $pid
holds 'SIGINT ends a run with 130' test $? -eq 130
holds 'it says how to go on' grep -q -- '--resume' "$work/said"
holds 'what was finished is kept' grep -q '"id":"short/ipv4"' "$work/int/results.jsonl"
holds 'nothing is left after SIGINT' settled

"$tcpassay" run --suite "$work/suite" --target linux --out "$work/kill" >"$work/said" 2>&1 &
pid=$!
holds 'some tests finish before SIGKILL' finished_some "$work/kill"
kill -KILL $pid
wait $pid 2>/dev/null
holds 'nothing is left after kill -9' settled
rm "$work/suite/long.pkt"
wants 0 'resumed' 'a killed run can be resumed' "$tcpassay" run --suite "$work/suite" --target linux --resume --out "$work/kill"

# Two SIGINTs at once: it ends, with 130, and results can be read.
printf '//: title long\n//: ip 4\n0 wait\n+300 wait\n' >"$work/suite/long.pkt"
"$tcpassay" run --suite "$work/suite" --target linux --out "$work/twice" >"$work/said" 2>&1 &
pid=$!
holds 'some tests finish before two SIGINTs' finished_some "$work/twice"
kill -INT $pid
kill -INT $pid 2>/dev/null
wait $pid
holds 'two SIGINTs end a run with 130' test $? -eq 130
rm "$work/suite/long.pkt"
wants 0 'resumed' 'and its results are whole' "$tcpassay" run --suite "$work/suite" --target linux --resume --out "$work/twice"
holds 'nothing is left after two SIGINTs' settled

# Without the device: said in words, exit 3.
if unshare -rm true 2>/dev/null; then
    wants 3 '/dev/net/tun' 'a missing device' unshare -rm sh -c "mount -t tmpfs none /dev/net && exec '$tcpassay' run --target linux --out '$work/x'"
fi
finish
