#!/bin/sh
# The reference stack as a plugin gives the same results as built in: every verdict, every finding, every segment of every trace, and what the
# model saw. The whole suite in a process of its own, and in process; the matrix in part.
. "$(dirname "$0")/../../../engine/cli/test/lib.sh"
plugin=${PLUGIN:?reference.so}

# results NAME TARGET SELECTOR…: the tests, with what is only about the run and its duration left out
results() {
    name=$1 target=$2
    shift 2
    "$tcpassay" run --quiet --seed 7 --out "$work/$name" --target "$target" "$@" >"$work/out" 2>&1
    [ -s "$work/$name/results.jsonl" ] || { not_ok "$target gives no results"; return; }
    sed '1d; /^{"type": *"end"/d' "$work/$name/results.jsonl" >"$work/$name.tests"
}

# same WHAT SELECTOR…: by each of the three ways
same() {
    what=$1
    shift
    results built-in reference "$@"
    results plugin "plugin:$plugin" "$@"
    results in-process "plugin-in-process:$plugin" "$@"
    holds "$what: there is something to compare" [ "$(wc -l <"$work/built-in.tests")" -gt 100 ]
    holds "$what: in a process of its own" cmp "$work/built-in.tests" "$work/plugin.tests"
    holds "$what: in process" cmp "$work/built-in.tests" "$work/in-process.tests"
}

same 'the suite'
same 'a part of the matrix' 'matrix/established' 'matrix/syn-sent' 'matrix/last-ack'
wants 0 'reference TCP' 'targets' "$tcpassay" targets "plugin:$plugin"

# Several at once, one in the other: a saboteur around a plugin breaks it as it breaks the reference stack.
results built-in saboteur:ack-late-600ms,reference rfc9293/3.8.6.3
results plugin "saboteur:ack-late-600ms,plugin:$plugin" rfc9293/3.8.6.3
holds 'sabotaged' cmp "$work/built-in.tests" "$work/plugin.tests"
holds 'sabotaged: something fails' grep -q '"verdict": *"fail"' "$work/plugin.tests"
finish
