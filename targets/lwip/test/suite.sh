#!/bin/sh
# The suite and the matrix on lwIP: nothing fails but what its ledger knows, and the seed decides nothing. PARTS: only these of the suite and the
# matrix, as a process for each test takes long with sanitizers.
# shellcheck source=engine/cli/test/lib.sh
. "$(dirname "$0")/../../../engine/cli/test/lib.sh"

verdicts() { sed -n 's/.*"id": *"\([^"]*\)".*"verdict": *"\([a-z_]*\)".*/\1 \2/p' "$1/results.jsonl"; }

run="$tcpassay run --target lwip --profile quick"
parts=${PARTS-}

# shellcheck disable=SC2086 # a list
wants 0 ' 0 inconclusive, 0 errors' 'the suite' $run $parts --out "$work/first" --seed 1
# shellcheck disable=SC2086 # a list
wants 0 ' 0 inconclusive, 0 errors' 'the suite with another seed' $run $parts --out "$work/second" --seed 4000000000
verdicts "$work/first" >"$work/first.txt"
verdicts "$work/second" >"$work/second.txt"
holds 'there are verdicts to compare' [ "$(wc -l <"$work/first.txt")" -gt 100 ]
holds 'the verdicts are the same' cmp "$work/first.txt" "$work/second.txt"
# shellcheck disable=SC2086 # a list
[ -n "$parts" ] || wants 0 ' 0 inconclusive, 0 errors' 'the matrix' $run 'matrix/*' --out "$work/o" --seed 1

wants 0 'lwIP = 2' 'what it tells of itself' "$tcpassay" targets lwip
wants 2 'takes no argument' 'an argument' "$tcpassay" run --target lwip:tap0 --out "$work/o"
wants 3 'which cannot be run' 'a program that is not there' env TCPASSAY_LWIP=/nowhere/tcpassay-lwip "$tcpassay" targets lwip
wants 3 'ended with status 1 in starting' 'a program that is another' env TCPASSAY_LWIP=/bin/false "$tcpassay" run --target lwip --out "$work/o"
finish
