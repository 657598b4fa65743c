#!/bin/bash
# AFL++ fuzzes a harness with two instances that fuzz/afl-cluster starts, for so many executions each, then ends, goes on, is stopped, and its queues
# are minimized: fuzz/test/afl.sh FOLDER HARNESS EXECUTIONS [OPTION OF afl-cluster start...]
set -u
[ $# -ge 3 ] || { echo "usage: fuzz/test/afl.sh FOLDER HARNESS EXECUTIONS [OPTION...]" >&2; exit 2; }
cluster=$(dirname "$0")/../afl-cluster folder=$1 harness=$2 executions=$3
shift 3
sync=$folder/sync
trap '"$cluster" stop "$sync"' EXIT
rm -rf "$folder"
mkdir -p "$folder"

fail() {
    echo "$*"
    exit 1
}

"$cluster" start "$sync" "$harness" --instances 2 --seconds 60 --execs "$executions" "$@" || fail "it did not start"
for ((second = 0; second < 70; second++)); do
    "$cluster" status "$sync" >"$folder/status" || { cat "$folder/status"; fail "crashes or hangs: see $sync"; }
    grep -q ' runs ' "$folder/status" || break
    sleep 1
done
cat "$folder/status"
[ "$(grep -c ' ended ' "$folder/status")" -eq 2 ] || fail "two instances were to end by themselves"
done=$(awk 'END { print $1 }' "$folder/status")
[ "$done" -ge $((2 * executions)) ] || fail "only $done executions"

# They go on where they were, and stop when told to.
"$cluster" start "$sync" "$harness" --instances 2 --seconds 60 "$@" || fail "it did not go on"
"$cluster" start "$sync" "$harness" --instances 2 2>/dev/null && fail "it was started twice in the same folder"
"$cluster" stop "$sync" || fail "it did not stop"
"$cluster" status "$sync" | grep -q ' runs ' && fail "an instance was left"

"$cluster" minimize "$sync" "$harness" "$folder/minimized" >"$folder/minimize.log" 2>&1 || { tail -n 20 "$folder/minimize.log"; fail "not minimized"; }
all=$(find "$sync"/*/queue -type f | wc -l) kept=$(find "$folder/minimized" -type f | wc -l)
echo "$all inputs, minimized to $kept"
[ "$kept" -gt 0 ] && [ "$kept" -lt "$all" ]
