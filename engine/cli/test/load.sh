#!/bin/sh
# A tester that is held up must not blame the IUT: a test whose timing was disturbed is played again, and says how often.
. "$(dirname "$0")/lib.sh"
if ! "$tcpassay" targets linux >"$work/out" 2>&1; then
    echo "skipped: target linux is not possible here:"
    cat "$work/out"
    exit 77
fi

# The IUT repeats its SYN-ACK after a second. A tester on time has acknowledged it long before.
mkdir "$work/suite"
cat >"$work/suite/prompt.pkt" <<'EOF'
//: title      The final ACK comes before the SYN-ACK is repeated
//: covers     RFC9293:MUST-13
//: needs      listen
//: ip         4
 0      socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0      bind(3, ..., ...) = 0
+0      listen(3, 1) = 0
+0      < S 0:0(0) win 65535
+0~+1   > S. 0:0(0) ack 1
never > S. {
+0.6    < .
fence
}
EOF
"$tcpassay" run --suite "$work/suite" --target linux --out "$work/o" >"$work/said" 2>&1 &
pid=$!
i=0
until [ -s "$work/o/results.jsonl" ] || [ $i -ge 200 ]; do i=$((i + 1)); sleep 0.02; done
sleep 0.2
kill -STOP $pid # held up in the middle of the 0.6 s, until long after the IUT's timer
sleep 1.5
kill -CONT $pid
wait $pid
holds 'a disturbed test is not failed' test $? -eq 0
holds 'it was played again, and the result says so' grep -q '"verdict":"pass".*"reruns":1' "$work/o/results.jsonl"

# Undisturbed, it is played once.
wants 0 '1 passed' 'an undisturbed test' "$tcpassay" run --suite "$work/suite" --target linux --out "$work/u"
holds 'it was played once' grep -q '"reruns":0' "$work/u/results.jsonl"
finish
