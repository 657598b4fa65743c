#!/bin/bash
# A host whose upper tester speaks the AUTOSAR testability protocol, in another network namespace: hosts.sh CASE, with TCPASSAY and SERVER
# naming the programs. Everything happens in namespaces of its own (network, processes, mounts), which end with this script.
set -u
tcpassay=${TCPASSAY:?the program under test} server=${SERVER:?the upper tester}

if [ -z "${HOSTS_INSIDE:-}" ]; then
    if [ "$(id -u)" -ne 0 ] || ! unshare --net --mount --pid --fork true 2>/dev/null; then
        echo "skipped: namespaces take root" >&2
        exit 77
    fi
    work=${HOSTS_KEEP:-$(mktemp -d "${TMPDIR:-/tmp}/tcpassay-testability.XXXXXX")}
    [ -n "${HOSTS_KEEP:-}" ] || trap 'rm -rf "$work"' EXIT
    HOSTS_INSIDE=$work unshare --net --mount --pid --fork --kill-child --mount-proc "$0" "$@"
    exit
fi
work=$HOSTS_INSIDE
failed=0

# wait_for SECONDS COMMAND…
wait_for() {
    local until=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $until ] || return 1
        sleep 0.1
    done
}

holds() { # holds WHAT COMMAND…
    local what=$1
    shift
    if "$@"; then
        echo "ok      $what"
    else
        echo "FAILED  $what"
        failed=$((failed + 1))
    fi
}

on_host() { nsenter --target "$host" --net "$@"; }

make_host() {
    unshare --net sleep 3600 &
    host=$!
    wait_for 5 other_namespace || exit 1
    ip link add near0 type veth peer name far0 netns "$host"
    ip link set near0 up
    ip addr add 192.0.2.1/24 dev near0
    ip addr add 2001:db8::1/64 dev near0 nodad
    on_host ip link set lo up
    on_host ip link set far0 up
    on_host ip addr add 192.0.2.2/24 dev far0
    on_host ip addr add 2001:db8::2/64 dev far0 nodad
}
new_host() { # nothing is left there of the run before
    kill -9 "$host" "$upper" 2>/dev/null
    ip link del near0
    make_host && start_server
}
other_namespace() { [ "$(readlink "/proc/$host/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }

start_server() {
    nsenter --target "$host" --net "$server" "$@" >"$work/server.log" 2>&1 & # no function: $! is the server itself
    upper=$!
    wait_for 5 listens
}
listens() { on_host ss -Hlun "sport = :10000" | grep -q .; }

target="remote:192.0.2.2,iut=192.0.2.2,iut=2001:db8::2,tester=192.0.2.100+50,tester=2001:db8::100+50,ledger=linux,testability=192.0.2.2"
shard=${HOSTS_SHARD:-1/8}

run() { # run OUT TARGET OPTION…
    local out=$work/$1 name=$2
    shift 2
    "$tcpassay" run --target "$name" --out "$out" --seed 1 --profile "${HOSTS_PROFILE:-quick}" --shard "$shard" "$@" >"$out.log" 2>&1
    code=$?
    tail -n 3 "$out.log"
    return $code
}
verdicts() { sed -n 's/.*"id": *"\([^"]*\)".*"verdict": *"\([^"]*\)".*/\2 \1/p' "$work/$1/results.jsonl" | sort -k2; }
count() { verdicts "$1" | grep -c "^$2 "; }

# What failed in $2 and passed in $1, the same kernel without anything between.
no_new_failures() {
    verdicts "$1" >"$work/a"
    verdicts "$2" >"$work/b"
    join -1 2 -2 2 "$work/a" "$work/b" | awk '$2 == "pass" && $3 != "pass" && $3 != "not_applicable" { print; bad = 1 } END { exit bad }'
}
most_play() { # most_play OUT SHARE: so many of a hundred are not not_applicable
    local all na
    all=$(verdicts "$1" | wc -l) na=$(count "$1" not_applicable)
    echo "$((all - na)) of $all tests play"
    [ $((100 * (all - na))) -ge $(($2 * all)) ]
}

busy() { [ "$(on_host ss -Htn | wc -l)" -ge 5 ]; } # the run is in the midst of it
restart() { kill -9 "$upper"; start_server; }
pause() { kill -STOP "$upper"; sleep 4; kill -CONT "$upper"; }

# disturbed NAME COMMAND…: a run during which the command is executed
disturbed() {
    local name=$1 began=$SECONDS
    shift
    "$tcpassay" run --target "$target" --out "$work/$name" --seed 1 --profile "${HOSTS_PROFILE:-quick}" --shard "$shard" >"$work/$name.log" 2>&1 &
    local running=$!
    until busy || ! kill -0 "$running" 2>/dev/null; do sleep 0.01; done
    "$@"
    wait "$running"
    code=$?
    tail -n 2 "$work/$name.log"
    holds "$name: ends within two minutes" [ $((SECONDS - began)) -le 120 ]
    holds "$name: ends with 0, 1 or 3, not by a signal" [ "$code" -le 3 ]
    holds "$name: nothing is blamed on the host that it does not do on linux" nothing_blamed "$name"
    holds "$name: every test has its verdict" [ "$(verdicts "$name" | wc -l)" -eq "$(verdicts linux | wc -l)" ]
}
nothing_blamed() {
    verdicts linux >"$work/a"
    verdicts "$1" >"$work/b"
    join -1 2 -2 2 "$work/a" "$work/b" | awk '$2 == "pass" && $3 == "fail" { print; bad = 1 } END { exit bad }'
}

case ${1:?a case} in
waits)
    make_host && start_server
    run linux linux
    run upper "$target"
    holds "nothing fails that passes on linux" no_new_failures linux upper
    holds "most tests play" most_play upper 50
    ;;
at-once) # CONNECT says nothing of the connection, and responses have no request id
    make_host && start_server --connects-at-once --no-request-ids
    run linux linux
    run upper "$target"
    holds "nothing fails that passes on linux" no_new_failures linux upper
    holds "a part of the tests plays" most_play upper 30
    ;;
trouble)
    shard=${HOSTS_SHARD:-1/40}
    make_host
    run silent "$target"
    holds "nobody there: exit 3" [ $? -eq 3 ]
    holds "and it is said who is silent" grep -q '192.0.2.2 port 10000: nobody listens.*testability=HOST:PORT' "$work/silent.log"
    start_server
    run linux linux
    disturbed restarted restart
    holds "restarted: tests pass afterwards" [ "$(count restarted pass)" -gt 0 ]
    new_host
    disturbed stopped pause
    new_host
    disturbed killed kill -9 "$upper"
    ;;
*) echo "no such case: $1" >&2; exit 2 ;;
esac
echo "$failed failed"
[ "$failed" -eq 0 ]
