#!/bin/sh
# The state×event matrix: part of a run only when asked for, selected by rows, columns and cells, printed as a .pkt, shown as a grid.
. "$(dirname "$0")/lib.sh"

"$tcpassay" list >"$work/list" 2>&1
if grep -q '^matrix/' "$work/list"; then not_ok 'the matrix is no part of the suite unless asked for'; else ok; fi
"$tcpassay" list matrix >"$work/all" 2>&1
holds 'there are ten thousand cases and more' test "$(wc -l <"$work/all")" -ge 10000
if grep -qv '^matrix/' "$work/all"; then not_ok 'matrix selects nothing else'; else ok; fi
for row in closed listen syn-sent syn-received established fin-wait-1 fin-wait-2 close-wait closing last-ack time-wait; do
    wants 0 "^matrix/$row/" "matrix/$row" "$tcpassay" list "matrix/$row"
done
"$tcpassay" list matrix/time-wait/wrap >"$work/some"
holds 'a row is a part of the whole' sh -c "[ \$(wc -l <'$work/some') -gt 50 ] && ! grep -v '^matrix/time-wait/wrap/' '$work/some'"
"$tcpassay" list 'matrix/*/rst/inside/no-ack/0/*' >"$work/some"
holds 'a glob means a column' sh -c "[ \$(wc -l <'$work/some') -gt 20 ] && ! grep -v '/rst/inside/no-ack/0/' '$work/some'"
"$tcpassay" list '*' matrix/listen >"$work/some"
holds "'*' and a row of the matrix are everything and that row" sh -c "grep -q '^rfc9293/' '$work/some' && grep -q '^matrix/listen/' '$work/some' && ! grep -q '^matrix/established/' '$work/some'"
wants 2 'no test is meant by "matrix/nothing"' 'a row that is not there' "$tcpassay" list matrix/nothing
wants 2 'no test is meant by "matrixes"' 'a word that only begins like it' "$tcpassay" list matrixes

wants 0 "^matrix/" "it takes seconds: part of the quick profile" "$tcpassay" list matrix/closed --profile quick

# Run, grid, results.
wants 0 'established/passive +[0-9]+ +[0-9]+' 'the grid is shown' "$tcpassay" run matrix/established matrix/closing --seed 7 --out "$work/a" --report json,md
holds 'the grid is in the Markdown' grep -Eq '^\| .established/passive. \| [0-9]+ \|' "$work/a/summary.md"
holds 'each case is in the results' test "$(grep -c '"id":"matrix/' "$work/a/results.jsonl")" -eq \
    "$("$tcpassay" list matrix/established matrix/closing | wc -l)"
"$tcpassay" run matrix/established matrix/closing --seed 7 --out "$work/b" >/dev/null 2>&1
without_times "$work/a/results.jsonl" >"$work/a.txt"
without_times "$work/b/results.jsonl" >"$work/b.txt"
holds 'two runs with one seed give the same results' cmp "$work/a.txt" "$work/b.txt"

# A case alone, as text that anybody can run.
case=matrix/fin-wait-1/data/ack/nxt/ack-inside/0/no-ts
wants 0 '^// '$case 'a case is printed' "$tcpassay" replay --print $case
"$tcpassay" replay --print $case >"$work/case.pkt"
wants 0 '1 passed, 0 failed' 'what is printed can be run' "$tcpassay" run "$work/case.pkt" --out "$work/c"
wants 0 '^pass' 'a case is replayed' "$tcpassay" replay $case

# Seen to fail: a stack that acknowledges what has not come.
wants 1 '[0-9]+!/' 'a broken stack fails' "$tcpassay" run matrix/close-wait/passive --target saboteur:ack-plus-one,reference --out "$work/d"
finish
