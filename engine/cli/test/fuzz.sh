#!/bin/sh
# `tcpassay fuzz`: a fault is found, shrunk, shown by replay; seeds, corpora, full disks, interruptions, targets that die.
. "$(dirname "$0")/lib.sh"
broken=saboteur:ack-plus-one,reference

wants 2 'there is no target' 'a target that is not there' "$tcpassay" fuzz -t nothing --runs 1 --out "$work/x"
wants 2 '--runs takes a number' 'runs that are no number' "$tcpassay" fuzz --runs many --out "$work/x"
wants 2 'what is "seed.pkt" for' 'a word too many' "$tcpassay" fuzz seed.pkt --out "$work/x"
wants 2 'which file' 'shrink without a file' "$tcpassay" fuzz --shrink --out "$work/x"
wants 0 'findings 0' 'a stack that keeps the rules' "$tcpassay" fuzz --runs 500 --seed 1 --no-seeds --out "$work/good"

# A fault is found, and replay shows it where it was found.
wants 1 'FOUND ack-of-what-was-not-received' 'a fault' "$tcpassay" fuzz -t $broken --runs 300 --seed 1 --no-seeds --out "$work/f" --report json,sarif
found=$(ls "$work"/f/findings/ack-of-what-was-not-received*.pkt | head -n 1)
holds 'its packets are there' test -s "${found%.pkt}.pcap"
holds 'it is in the results' grep -q '"id":"fuzz/ack-of-what-was-not-received' "$work/f/results.jsonl"
holds 'SARIF has it' grep -q 'ack-of-what-was-not-received' "$work/f/results.sarif"
holds 'it is small' test "$(sed -n 's|^//   steps ||p' "$found")" -le 4
holds 'its progress is told' grep -q '"plays":300,' "$work/f/progress.jsonl"
wants 1 'acknowledges what was never received' 'replay of a finding' "$tcpassay" replay "$found"
wants 0 'pass' 'replay of a finding on another target' "$tcpassay" replay -t reference "$found"
wants 2 'holds results of target' 'another target in the same folder' "$tcpassay" fuzz --runs 10 --seed 1 --out "$work/f"

# The same seed and the same runs: the same findings, the same corpus.
"$tcpassay" fuzz -t $broken --runs 300 --seed 1 --no-seeds --out "$work/g" >"$work/out" 2>&1
holds 'the same findings again' diff -r "$work/f/findings" "$work/g/findings"
holds 'the same corpus again' diff -r "$work/f/corpus" "$work/g/corpus"
"$tcpassay" fuzz -t $broken --runs 300 --seed 2 --no-seeds --out "$work/h" >"$work/out" 2>&1
if diff -r "$work/f/corpus" "$work/h/corpus" >/dev/null; then not_ok 'another seed breeds others'; else ok; fi

# The corpus is gone on with; what is damaged is told, and left alone.
first=$(ls "$work/g/corpus" | head -n 1)
printf 'x' >>"$work/g/corpus/$first"
echo 'Dear friend' >"$work/g/corpus/letter"
wants 1 'damaged' 'a damaged file' "$tcpassay" fuzz -t $broken --runs 50 --seed 3 --out "$work/g"
wants 1 'letter is left out: it is no input' 'a foreign file' "$tcpassay" fuzz -t $broken --runs 50 --seed 3 --out "$work/g"
holds 'both are there still' test -s "$work/g/corpus/letter" -a -s "$work/g/corpus/$first"
wants 0 'pass' 'an input of the corpus can be played' "$tcpassay" replay "$work/g/corpus/$(ls "$work/g/corpus" | sed -n 2p)"

# Inputs that others left behind.
printf 'no magic, and nothing in it' >"$work/junk"
wants 0 'nothing is found' 'an input in which nothing is found' "$tcpassay" fuzz --shrink "$work/junk" --out "$work/n"
wants 1 'FOUND ack-of' 'inputs that show something' "$tcpassay" fuzz -t $broken --out "$work/s" --shrink "$work"/f/corpus/*

# Two targets.
wants 0 'choices 0' 'a target against itself' "$tcpassay" fuzz --against reference --runs 200 --seed 1 --no-seeds --out "$work/d"
wants 1 'saboteur:ack-plus-one,reference; .* steps' 'the one that breaks a rule is named' "$tcpassay" fuzz --against $broken --runs 300 --seed 1 --no-seeds --out "$work/e"
holds 'a table of choices' head -n 1 "$work/e/choices.tsv"

# Interrupted: 130, and what was found is there.
"$tcpassay" fuzz -t $broken --seed 1 --no-seeds --out "$work/int" >"$work/said" 2>&1 &
pid=$!
i=0; until ls "$work"/int/findings/*.pkt >/dev/null 2>&1; do i=$((i + 1)); [ $i -lt 200 ] || break; sleep 0.05; done
kill -INT $pid
wait $pid
holds 'SIGINT ends a campaign with 130' test $? -eq 130
holds 'it says so' grep -q 'interrupted' "$work/said"
wants 1 'fail' 'what was found is there' "$tcpassay" replay "$(ls "$work"/int/findings/*.pkt | head -n 1)"
wants 0 '' 'its results can be read' "$tcpassay" report "$work/int" --json "$work/int.json"

# A full disk: exit 3, the reason, and all that was found is there or was printed.
full_disk() {
    unshare -rm sh -c "mkdir -p '$work/tiny' && mount -t tmpfs -o size=160k none '$work/tiny' && '$tcpassay' fuzz -t $broken --runs 20000 --seed 1 --no-seeds --out '$work/tiny/o';
        code=\$?; cp -r '$work/tiny/o' '$work/kept'; exit \$code"
}
if unshare -rm true 2>/dev/null; then
    wants 3 'No space left on device' 'a full disk' full_disk
    holds 'what was found before is kept' sh -c "ls '$work'/kept/corpus/* '$work'/kept/results.jsonl"
    rm -rf "$work/kept/findings/"*.new
    wants 1 '' 'the campaign goes on where there is room' "$tcpassay" fuzz -t $broken --runs 50 --seed 1 --out "$work/kept"
fi

# A target that dies is told, its death is a finding, and the campaign goes on. lwIP dies of a FIN half the number space away.
if "$tcpassay" targets lwip >/dev/null 2>&1; then
    mkdir "$work/deadly"
    { head -c 4 "$work/f/corpus/$(ls "$work/f/corpus" | head -n 1)"; printf '\000\000\000\000\000\000\000\002\005\370\000'; } >"$work/deadly/fin"
    "$tcpassay" fuzz -t lwip --runs 20 --seed 1 --corpus "$work/deadly" --out "$work/dies" >"$work/said" 2>&1
    holds 'the death is told' grep -q 'target lwip died: .*signal 6' "$work/said"
    holds 'it went on' grep -Eq '^[0-9]+ s  20 sequences' "$work/said"
    wants 1 'the stack under test died' 'the death is shown by replay' "$tcpassay" replay "$(ls "$work"/dies/findings/crash-*.pkt)"
fi
finish
