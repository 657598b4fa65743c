# Shared by the end-to-end tests of the command line: sourced by sh. $tcpassay is the program; each check names what it wants.
set -u
tcpassay=${TCPASSAY:?the program under test}
work=$(mktemp -d "${TMPDIR:-/tmp}/tcpassay-test.XXXXXX")
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

ok() { passed=$((passed + 1)); }
not_ok() { failed=$((failed + 1)); printf 'FAILED: %s\n' "$1"; [ ! -f "$work/out" ] || sed 's/^/    | /' "$work/out" | tail -n 15; }

# wants CODE TEXT WHAT COMMAND…: the command ends with this exit code and says (stdout or stderr) something matching the extended regex
wants() {
    code=$1 text=$2 what=$3
    shift 3
    "$@" >"$work/out" 2>&1 </dev/null
    got=$?
    if [ "$got" -ne "$code" ]; then not_ok "$what: exit $got, not $code"
    elif ! grep -Eq -- "$text" "$work/out"; then not_ok "$what: nothing like \"$text\" was said"
    else ok; fi
}
# holds WHAT COMMAND…: the command succeeds
holds() {
    what=$1
    shift
    if "$@" >"$work/out" 2>&1; then ok; else not_ok "$what"; fi
}
# What may differ between two runs of one seed: when, and how long it took.
without_times() { sed -E 's/"started": ?"[^"]*"/"started":""/; s/^(\{"type":"end").*/\1/; s/"type": ?"end".*//' "$1"; }
finish() { printf '%d passed, %d failed\n' "$passed" "$failed"; [ "$failed" -eq 0 ]; exit $?; }
