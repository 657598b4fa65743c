#!/bin/sh
# The suite's seeds: some thousands, the same each time, and a folder that cannot be read is an error. SEEDS FUZZER SUITE
set -eu
seeds=$1 fuzzer=$2 suite=$3
work=$(mktemp -d "${TMPDIR:-/tmp}/tcpassay-seeds.XXXXXX")
trap 'rm -rf "$work"' EXIT
"$seeds" "$suite" "$work/a"
"$seeds" "$suite" "$work/b" >"$work/said"
diff -r "$work/a" "$work/b"
count=$(find "$work/a" -type f | wc -l)
[ "$count" -gt 2000 ] || { echo "only $count seeds"; exit 1; }
# Each begins with the magic, and a harness takes it.
for seed in "$work"/a/00*; do
    [ "$(head -c 3 "$seed")" = TAB ] || { echo "$seed: no magic"; exit 1; }
done
mkdir "$work/few"
cp "$work"/a/00* "$work/few"
case $("$fuzzer" -help=1 2>&1) in
*"-runs"*) "$fuzzer" -runs=0 "$work/few" ;;
*) "$fuzzer" "$work/few" ;;
esac
! "$seeds" "$work/nothing" "$work/c" 2>/dev/null || { echo 'no suite is no error'; exit 1; }
