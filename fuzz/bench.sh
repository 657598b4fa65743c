#!/bin/sh
# How many scenarios of the default length (12 steps beside the handshake) a second of the processor the harness `sequences` plays under libFuzzer and
# AddressSanitizer, without and with the fuzzer's own work, and an empty harness beside it.
#
#   fuzz/bench.sh BUILD CORPUS [RUNS]    BUILD: configured with -DTCPASSAY_FUZZ=ON -DTCPASSAY_SANITIZE=address -DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS=-O2,
#                                        sequences_fuzzer built. CORPUS: inputs, of which those of up to 296 octets are taken
set -eu
build=$1 corpus=$2 runs=${3:-20000}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/in" "$folder/out"
find "$corpus" -type f -size -297c -exec cp {} "$folder/in" \;
printf '#include <stddef.h>\n#include <stdint.h>\nint LLVMFuzzerTestOneInput(const uint8_t *d, size_t n);\nint LLVMFuzzerTestOneInput(const uint8_t *d, size_t n) { (void)d; return (int)(n & 0); }\n' > "$folder/empty.c"
clang -O2 -fsanitize=fuzzer,address "$folder/empty.c" -o "$folder/empty"

# NAME RUNS COMMAND…: how many runs a second of the processor
measure() {
    name=$1 count=$2
    shift 2
    seconds=$(TCPASSAY_FINDINGS=ignore ASAN_OPTIONS="${ASAN_OPTIONS:-}" bash -c 'TIMEFORMAT="%U %S"; time "$@" > /dev/null 2>&1' measure "$@" 2>&1 | tail -1)
    echo "$seconds" | awk -v name="$name" -v count="$count" '{ printf "%-44s %10.0f a second of the processor\n", name, count / ($1 + $2) }'
}

files=$(find "$folder/in" -type f | wc -l)
each=$((runs / files + 1))
measure "empty harness, mutated inputs" $((50 * runs)) "$folder/empty" -runs=$((50 * runs)) -max_len=296 -seed=1
# shellcheck disable=SC2016 # the inner shell expands them
measure "sequences, its corpus again and again" $((each * files)) sh -c 'exec "$1" -runs="$2" "$3"/*' run "$build/fuzz/sequences_fuzzer" "$each" "$folder/in"
measure "sequences, mutated inputs" "$runs" "$build/fuzz/sequences_fuzzer" -runs="$runs" -max_len=296 -len_control=0 -entropic=0 -seed=1 -reload=0 "$folder/out" "$folder/in"
