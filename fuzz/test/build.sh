#!/bin/bash
# Builds a few harnesses as OSS-Fuzz's base-builder would (its environment, for SANITIZER address or undefined, and libFuzzer), and runs them from $OUT,
# which has been moved, with the build folder gone: fuzz/test/build.sh FOLDER SANITIZER [HARNESS...]
set -eu
[ $# -ge 2 ] || { echo "usage: fuzz/test/build.sh FOLDER address|undefined [HARNESS...]" >&2; exit 2; }
here=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd) sanitizer=$2
shift 2
[ $# -gt 0 ] || set -- packet results bytes
rm -rf "${folder:?}/$sanitizer"
mkdir -p "$folder/$sanitizer/out" "$folder/$sanitizer/work"

# What the images base-clang and base-builder set, and their script "compile" adds; Debian's clang takes libstdc++ unless libc++ is there.
case $sanitizer in
address) flags="-fsanitize=address -fsanitize-address-use-after-scope" ;;
undefined)
    checks=array-bounds,bool,builtin,enum,function,integer-divide-by-zero,null,object-size,return,returns-nonnull-attribute,shift,signed-integer-overflow
    checks=$checks,unreachable,vla-bound,vptr
    flags="-fsanitize=$checks,unsigned-integer-overflow -fno-sanitize-recover=$checks -fno-sanitize=function"
    ;;
*) echo "there is no sanitizer \"$sanitizer\" here" >&2; exit 2 ;;
esac
flags="-O1 -fno-omit-frame-pointer -gline-tables-only -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION $flags -fsanitize=fuzzer-no-link"
env -i PATH="$PATH" HOME="$folder" CC=clang CXX=clang++ CCC=clang++ CFLAGS="$flags" CXXFLAGS="$flags" LIB_FUZZING_ENGINE=-fsanitize=fuzzer \
    FUZZING_ENGINE=libfuzzer SANITIZER="$sanitizer" ARCHITECTURE=x86_64 FUZZING_LANGUAGE=c SRC="$(dirname "$here")" \
    OUT="$folder/$sanitizer/out" WORK="$folder/$sanitizer/work" UBSAN_OPTIONS=silence_unsigned_overflow=1 TCPASSAY_HARNESSES="$*" \
    bash "$here/build.sh"

rm -rf "$folder/$sanitizer/work"
mv "$folder/$sanitizer/out" "$folder/$sanitizer/elsewhere"
cd "$folder/$sanitizer/elsewhere"
for name in "$@"; do
    [ -f "${name}_fuzzer.options" ] || { echo "$name: no options"; exit 1; }
    if ldd "./${name}_fuzzer" | grep -q 'not found'; then echo "$name: lacks a library"; exit 1; fi
    mkdir "seeds-$name"
    [ ! -f "${name}_fuzzer_seed_corpus.zip" ] || (cd "seeds-$name" && cmake -E tar xf "../${name}_fuzzer_seed_corpus.zip")
    dictionary=$(sed -n "s|^dict = |-dict=|p" "${name}_fuzzer.options")
    # shellcheck disable=SC2086 # one option, or none
    env -i PATH="$PATH" ASAN_OPTIONS=detect_leaks=1:handle_abort=1:allocator_may_return_null=1 UBSAN_OPTIONS=silence_unsigned_overflow=1:print_stacktrace=1 \
        "./${name}_fuzzer" -runs=5000 -max_total_time=10 -seed=1 -timeout=25 -rss_limit_mb=2560 $dictionary "seeds-$name" >"$name.log" 2>&1 || {
        tail -n 30 "$name.log"
        exit 1
    }
    sed -n 's/^Done \([0-9]*\) runs.*/'"$name, $sanitizer"': \1 executions/p' "$name.log"
    grep -q '^Done' "$name.log" || { echo "$name: did not run to its end"; exit 1; }
done
