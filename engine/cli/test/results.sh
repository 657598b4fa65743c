#!/bin/sh
# What a run leaves: the same bytes for the same seed, shards that add up, --resume, a full disk, a baseline, reports that validators take.
. "$(dirname "$0")/lib.sh"
tests=rfc9293/3.5

wants 0 'results: ' 'a run' "$tcpassay" run $tests --seed 42 --out "$work/a" --report json,junit,tap,md
"$tcpassay" run $tests --seed 42 --out "$work/b" >"$work/out" 2>&1
without_times "$work/a/results.jsonl" >"$work/a.txt"
without_times "$work/b/results.jsonl" >"$work/b.txt"
holds 'two runs with one seed give the same results' cmp "$work/a.txt" "$work/b.txt"
"$tcpassay" run $tests --seed 43 --out "$work/c" >"$work/out" 2>&1
without_times "$work/c/results.jsonl" >"$work/c.txt"
if cmp -s "$work/a.txt" "$work/c.txt"; then not_ok 'another seed gives other numbers on the wire'; else ok; fi
holds 'JUnit is XML' xmllint --noout "$work/a/junit.xml"
holds 'TAP has its plan' grep -Eq '^1\.\.[0-9]+$' "$work/a/results.tap"
holds 'the Markdown summary is there' test -s "$work/a/summary.md"

# Shards add up to the whole, without overlap.
"$tcpassay" run $tests --seed 42 --shard 1/2 --out "$work/s1" >/dev/null 2>&1
"$tcpassay" run $tests --seed 42 --shard 2/2 --out "$work/s2" >/dev/null 2>&1
ids() { grep -h '"type":"test"' "$@" | sed -E 's/.*"id":"([^"]*)".*/\1/' | sort; }
ids "$work/a/results.jsonl" >"$work/all.ids"
ids "$work/s1/results.jsonl" "$work/s2/results.jsonl" >"$work/both.ids"
holds 'two shards are the whole' cmp "$work/all.ids" "$work/both.ids"

# A run cut short goes on where it stopped.
head -n 4 "$work/a/results.jsonl" >"$work/half"
mkdir "$work/r" && cp "$work/half" "$work/r/results.jsonl"
printf '{"type":"test","id":"torn' >>"$work/r/results.jsonl"
wants 0 'resumed' 'resuming a torn file' "$tcpassay" run $tests --resume --out "$work/r"
ids "$work/r/results.jsonl" >"$work/resumed.ids"
holds 'the resumed run has every test once' cmp "$work/all.ids" "$work/resumed.ids"
wants 2 'holds results of seed' 'resuming with another seed' "$tcpassay" run $tests --resume --seed 987654 --out "$work/r"
wants 2 'holds results of target reference' 'resuming with another target' "$tcpassay" run $tests --resume --target linux --out "$work/r"

# The model: what it saw is in the results, and adds up over the stretches of a run.
model() { grep -E '^ "(coverage|portrait)": ' "$1"; }
"$tcpassay" run rfc9293/3.5.1 --seed 42 --out "$work/m" >/dev/null 2>&1
wants 0 'The stack: .*offers' 'a run in two stretches ends with a portrait' "$tcpassay" run $tests --resume --out "$work/m"
model "$work/a/results.json" >"$work/whole.model"
model "$work/m/results.json" >"$work/stretches.model"
holds 'rules are counted' grep -q '"rule":"syn-in-listen-is-answered","tested":[1-9]' "$work/whole.model"
holds 'transitions are counted' grep -q '"from":"LISTEN","event":"SYN arrives","to":"SYN-RECEIVED","count":[1-9]' "$work/whole.model"
holds 'two stretches saw what the whole run saw' cmp "$work/whole.model" "$work/stretches.model"
wants 0 'results: ' 'a run without the model' "$tcpassay" run $tests --no-model --out "$work/n"
holds '… has seen nothing by it' grep -q '"coverage": {"rules":\[\],"transitions":\[\]}' "$work/n/results.json"
{ printf '//: title content with every ACK\n//: ip 4\n0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 bind(3, ..., ...) = 0\n+0 listen(3, 1) = 0\n'
  printf '+0 < S 0:0(0) win 65535\n+0 > S.\n+0 < . 1:1(0) ack 1\n+0 < P. 1:11(10) ack 1\n* > .\n'; } >"$work/content.pkt"
sed '1a //: judge off "its ACKs are beside the point"' "$work/content.pkt" >"$work/aside.pkt"
broken=saboteur:ack-plus-one,reference
wants 0 '1 passed' 'a stack that keeps the rules' "$tcpassay" run "$work/content.pkt" --out "$work/n"
wants 1 'FAIL.*RFC9293:3.4-c' 'a rule broken that the scenario does not look at' "$tcpassay" run -t $broken "$work/content.pkt" --out "$work/n"
holds '… is charged to the rule' grep -q '"rule":"ack-of-what-was-not-received"' "$work/n/results.json"
wants 1 'not permitted.*rule ack-of-what-was-not-received' 'replay shows what the model found' "$tcpassay" replay -t $broken "$work/content.pkt"
wants 0 '1 passed' 'the same without the model' "$tcpassay" run -t $broken --no-model "$work/content.pkt" --out "$work/n"
wants 0 '1 passed' 'the same where the scenario opts out' "$tcpassay" run -t $broken "$work/aside.pkt" --out "$work/n"

# A full disk: exit 3, and what was written before stays readable.
full_disk() {
    unshare -rm sh -c "mkdir -p '$work/tiny' && mount -t tmpfs -o size=200k none '$work/tiny' && '$tcpassay' run --seed 42 --out '$work/tiny/o';
        code=\$?; cp '$work/tiny/o/results.jsonl' '$work/kept.jsonl'; exit \$code"
}
if unshare -rm true 2>/dev/null; then
    wants 3 'No space left on device' 'a full disk' full_disk
    mkdir "$work/k" && cp "$work/kept.jsonl" "$work/k/results.jsonl"
    wants 0 'resumed' 'what a full disk left can be gone on with' "$tcpassay" run --resume --out "$work/k"
fi

# A baseline: what it knows does not count, what is new does.
printf '//: title fails\n//: covers RFC9293:MUST-2\n//: ip 4\n0 < S 0:0(0)\n+0 > S. 0:0(0) ack 7\n' >"$work/fails.pkt"
wants 1 'FAIL' 'a failure' "$tcpassay" run "$work/fails.pkt" --out "$work/f"
wants 0 'still' 'a failure that the baseline knows' "$tcpassay" run "$work/fails.pkt" --out "$work/g" --baseline "$work/f/results.json"
wants 1 'new' 'a failure that the baseline does not know' "$tcpassay" run "$work/fails.pkt" --out "$work/g" --baseline "$work/a/results.json"
wants 3 'baseline' 'a baseline that is not there' "$tcpassay" run "$work/fails.pkt" --out "$work/g" --baseline "$work/nothing.json"
holds 'a failed test has its packets' test -s "$(echo "$work"/f/pcap/*.pcap)"
wants 1 'fail: expected' 'replay shows a failure' "$tcpassay" replay "$work/fails.pkt"

# What a fuzzer leaves behind has no magic, and any name.
printf 'abcd\000\000\000\000\000\000\000\001' >"$work/crash-1"
wants 2 'no test is meant' 'octets without the magic are no scenario by themselves' "$tcpassay" replay "$work/crash-1"
wants 0 'P\. 1:1' 'octets that are said to be some' "$tcpassay" replay --bytes "$work/crash-1"
wants 0 '^//: preamble' 'octets, printed' "$tcpassay" replay --bytes --print "$work/crash-1"
wants 2 'No such file' 'octets that are not there' "$tcpassay" replay --bytes "$work/nothing"
finish
