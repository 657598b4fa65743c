#!/bin/sh
# Every requirement that a scenario says it covers is in the catalogue: a mistyped id would be charged with nothing, and nobody would notice.
. "$(dirname "$0")/lib.sh"
"$tcpassay" explain RFC | sed 's/ .*//' | sort -u >"$work/known"
"$tcpassay" list --json | tr -d '\n' | grep -o '"covers": *\[[^]]*\]' | grep -o '"RFC[^"]*"' | tr -d '"' | sort -u >"$work/covered"
holds 'the catalogue can be listed' test "$(wc -l <"$work/known")" -gt 500
holds 'the suite covers something' test "$(wc -l <"$work/covered")" -gt 50
comm -13 "$work/known" "$work/covered" >"$work/unknown"
cp "$work/unknown" "$work/out"
if [ -s "$work/unknown" ]; then not_ok 'ids that are covered and not in the catalogue'; else ok; fi
finish
