#!/bin/sh
# What the mutator that knows steps adds to libFuzzer's own, at the same number of executions: BUILD is made with TCPASSAY_FUZZ=libfuzzer.
# usage: mutator.sh BUILD [EXECUTIONS [SEEDS [CORPUS]]]      prints a line for each run, and a table of medians
set -eu
build=$1 executions=${2:-100000} seeds=${3:-5} corpus=${4:-}
harness=$build/fuzz/experiments/counting_fuzzer
work=$(mktemp -d "${TMPDIR:-/tmp}/tcpassay-mutator.XXXXXX")
trap 'rm -rf "$work"' EXIT
for mutator in off on; do
    for seed in $(seq "$seeds"); do
        mkdir "$work/c"
        # shellcheck disable=SC2086 # the seeds: one folder or none
        TCPASSAY_MUTATOR=$mutator "$harness" -seed="$seed" -runs="$executions" -max_len=1000 -len_control=0 -reduce_inputs=0 -verbosity=1 "$work/c" $corpus \
            >"$work/out" 2>&1 </dev/null
        edges=$(sed -n 's/.* cov: \([0-9]*\).*/\1/p' "$work/out" | tail -n 1)
        echo "mutator $mutator seed $seed edges $edges $(grep '^plays' "$work/out") inputs $(find "$work/c" -type f | wc -l)" | tee -a "$work/lines"
        rm -r "$work/c"
    done
done
# Field 6 is edges, 10 tuples, 12 rules, 14 findings.
median() { grep "^mutator $1 " "$work/lines" | cut -d' ' -f"$2" | sort -n | sed -n "$(((seeds + 1) / 2))p"; }
printf '\n%-10s %8s %8s %8s %8s   (medians of %s runs of %s executions)\n' mutator edges tuples rules findings "$seeds" "$executions"
for mutator in off on; do
    printf '%-10s %8s %8s %8s %8s\n' $mutator "$(median $mutator 6)" "$(median $mutator 10)" "$(median $mutator 12)" "$(median $mutator 14)"
done
