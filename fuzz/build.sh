#!/bin/bash
# Builds the harnesses as OSS-Fuzz and ClusterFuzzLite want them: with the compilers and flags of the environment, into $OUT, with nothing
# that lies elsewhere.
#
#   CC CXX CFLAGS CXXFLAGS LIB_FUZZING_ENGINE OUT WORK    as https://google.github.io/oss-fuzz/getting-started/new-project-guide/#buildsh has them
#   TCPASSAY_HARNESSES="packet options"                   only these; all of fuzz/CMakeLists.txt unless given
#
# For each harness NAME, $OUT gets NAME_fuzzer, NAME_fuzzer_seed_corpus.zip, NAME_fuzzer.options and, where there is one, NAME_fuzzer.dict; $OUT/lib
# gets the shared libraries that the machine which fuzzes may not have.
set -eu
: "${CC:?}" "${CXX:?}" "${LIB_FUZZING_ENGINE:?}" "${OUT:?}" "${WORK:?}"
source=$(cd "$(dirname "$0")/.." && pwd)
build=$WORK/tcpassay
read -r -a harnesses <<<"${TCPASSAY_HARNESSES:-$("$source/fuzz/harnesses" | tr '\n' ' ')}"

# Flags come from the environment alone: a build type of CMake's own would add its optimisation behind them. The old kind of run-time path also
# holds for the libraries that libraries need.
# shellcheck disable=SC2016 # the loader expands $ORIGIN
cmake -S "$source" -B "$build" -G Ninja -DTCPASSAY_FUZZ=engine -DCMAKE_C_COMPILER="$CC" -DCMAKE_CXX_COMPILER="$CXX" \
    -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_C_FLAGS_RELWITHDEBINFO= -DCMAKE_CXX_FLAGS_RELWITHDEBINFO= \
    -DCMAKE_EXE_LINKER_FLAGS=-Wl,--disable-new-dtags -DCMAKE_BUILD_RPATH='$ORIGIN/lib'
cmake --build "$build" --parallel "$(nproc)" --target "${harnesses[@]/%/_fuzzer}"

# Every shared library but those of the C and C++ run time, which are everywhere.
copy_libraries() {
    mkdir -p "$OUT/lib"
    ldd "$1" | awk -v out="$OUT/" '$2 == "=>" && $3 ~ /^\// && index($3, out) != 1 { print $3 }' |
        { grep -v -E '/(lib(c|m|dl|rt|pthread|resolv|gcc_s|stdc\+\+|c\+\+|c\+\+abi)|ld-[a-z0-9-]*)\.so' || :; } | xargs -r cp -L -t "$OUT/lib"
}

zip_corpus() {
    local corpus=$source/fuzz/corpus/$1 archive=$OUT/$1_fuzzer_seed_corpus.zip
    [ -d "$corpus" ] || return 0
    rm -f "$archive"
    (cd "$corpus" && find . -type f | LC_ALL=C sort >"$WORK/$1.list" && cmake -E tar cf "$archive" --format=zip --files-from="$WORK/$1.list")
}

for name in "${harnesses[@]}"; do
    cp "$build/fuzz/${name}_fuzzer" "$OUT/"
    [ "$name" != plugin ] || cp -L "$build/fuzz/reference.so" "$OUT/"
    copy_libraries "$OUT/${name}_fuzzer"
    zip_corpus "$name"
    {
        printf '[libfuzzer]\ntimeout = 25\n'
        [ ! -f "$source/fuzz/$name.options" ] || cat "$source/fuzz/$name.options"
        if [ -f "$source/fuzz/$name.dict" ]; then
            cp "$source/fuzz/$name.dict" "$OUT/${name}_fuzzer.dict"
            printf 'dict = %s\n' "${name}_fuzzer.dict"
        fi
    } >"$OUT/${name}_fuzzer.options"
done
