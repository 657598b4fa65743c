#!/bin/bash
# The target remote: against Linux in another network namespace: hosts.sh CASE, with TCPASSAY, DISCARD and MISCHIEF naming the programs. Everything happens
# in namespaces of its own (network, processes, mounts), which the kernel takes away with the last process, however this ends.
set -u
tcpassay=${TCPASSAY:?the program under test} discard=${DISCARD:?the discard server} mischief=${MISCHIEF:-}

if [ -z "${HOSTS_INSIDE:-}" ]; then
    if [ "$(id -u)" -ne 0 ] || ! unshare --net --mount --pid --fork true 2>/dev/null; then
        echo "skipped: namespaces take root" >&2
        exit 77
    fi
    work=$(mktemp -d "${TMPDIR:-/tmp}/tcpassay-hosts.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    HOSTS_INSIDE=$work unshare --net --mount --pid --fork --kill-child --mount-proc "$0" "$@"
    exit
fi
work=$HOSTS_INSIDE
failed=0

# ---- the lab

host='' # a process in the host's namespace
on_host() { nsenter --target "$host" --net "$@"; }

# A process that keeps a namespace: its number in $kept.
keep_namespace() {
    unshare --net sleep 3600 &
    kept=$!
    for _ in $(seq 100); do
        [ "$(readlink "/proc/$kept/ns/net")" != "$(readlink /proc/self/ns/net)" ] && return
        sleep 0.02
    done
}

# plug NEAR FAR PID: a link from here to the namespace of that process
plug() {
    ip link add "$1" type veth peer name "$2" netns "$3" && ip link set "$1" up && nsenter --target "$3" --net ip link set "$2" up
}

make_host() {
    keep_namespace
    host=$kept
    plug near0 far0 "$host"
    ip addr add 192.0.2.1/24 dev near0
    ip addr add 2001:db8::1/64 dev near0 nodad
    on_host ip link set lo up
    on_host ip addr add 192.0.2.2/24 dev far0
    on_host ip addr add 2001:db8::2/64 dev far0 nodad
    iut=192.0.2.2 iut6=2001:db8::2
    wait_for 5 ping_works
}

# The host behind a router: 192.0.2.0/24 - router - 198.51.100.0/24.
make_routed_host() {
    keep_namespace
    router=$kept
    keep_namespace
    host=$kept
    plug near0 far0 "$router"
    ip addr add 192.0.2.1/24 dev near0
    ip addr add 2001:db8::1/64 dev near0 nodad
    nsenter --target "$router" --net bash -c "
        ip link set lo up
        ip addr add 192.0.2.254/24 dev far0
        ip addr add 2001:db8::fffe/64 dev far0 nodad
        ip link add near1 type veth peer name far1 netns $host
        ip addr add 198.51.100.1/24 dev near1
        ip addr add 2001:db8:1::1/64 dev near1 nodad
        ip link set near1 up
        echo 1 >/proc/sys/net/ipv4/ip_forward
        echo 1 >/proc/sys/net/ipv6/conf/all/forwarding"
    on_host bash -c "
        ip link set lo up
        ip link set far1 up
        ip addr add 198.51.100.2/24 dev far1
        ip addr add 2001:db8:1::2/64 dev far1 nodad
        ip route add default via 198.51.100.1
        ip -6 route add default via 2001:db8:1::1"
    ip route add 198.51.100.0/24 via 192.0.2.254
    ip -6 route add 2001:db8:1::/64 via 2001:db8::fffe
    iut=198.51.100.2 iut6=2001:db8:1::2
    wait_for 5 ping_works
}

ping_works() { "$tcpassay" targets "$(target '')" 2>&1 | grep -q 'addresses [0-9.]*[ a-z]* [0-9a-f:]*:[0-9a-f:]*, mtu'; }

# wait_for SECONDS COMMAND…
wait_for() {
    local until=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $until ] || return 1
        sleep 0.1
    done
}

listens() { on_host ss -Hltn "sport = :$1" 2>/dev/null | grep -q .; }

start_agent() {
    [ -f "$work/key" ] || "$tcpassay" agent --make-key "$work/key" >/dev/null 2>&1
    nsenter --target "$host" --net "$tcpassay" agent --key "$work/key" --listen "$iut" --settings >"$work/agent.log" 2>&1 &
    agent=$!
    wait_for 5 listens 32743
}

start_discard() {
    on_host "$discard" 8080 &
    wait_for 5 listens 8080
}

# The target's name on the command line; what is given is added.
target() { echo "remote:$iut,iut=$iut,iut=$iut6,tester=192.0.2.100+50,tester=2001:db8::100+50,ledger=linux$1"; }
with_agent() { target ",agent=$iut,key=$work/key,disruption=yes"; }
with_port() { target ",port=8080"; }

# ---- what is checked

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

verdicts() { sed -n 's/.*"id": *"\([^"]*\)".*"verdict": *"\([^"]*\)".*/\2 \1/p' "$1/results.jsonl" | sort -k2; }
under_way() { [ -f "$1/results.jsonl" ] && [ "$(count "$1" pass)" -ge 5 ]; }
count() { verdicts "$1" | grep -c "^$2 "; }

# same_verdicts LINUX REMOTE LEFT_OPEN_MAX: whatever was judged on both has one verdict; of the rest, so many were left open at the most
same_verdicts() {
    verdicts "$work/$1" >"$work/a"
    verdicts "$work/$2" >"$work/b"
    join -1 2 -2 2 "$work/a" "$work/b" | awk -v most="$3" '
        $3 == "not_applicable" { next }
        $2 == "error" || $2 == "inconclusive" { next }
        $3 == "error" || $3 == "inconclusive" { open++; print "left open: " $0; next }
        { both++ }
        $2 != $3 { differ++; print "differs: " $0 }
        END { print both " have one verdict, " differ + 0 " differ, " open + 0 " left open"; exit differ || open > most || !both }'
}

run() { # run OUT TARGET OPTION…
    local out=$work/$1 name=$2
    shift 2
    "$tcpassay" run --target "$name" --out "$out" --seed 1 "$@" >"$out.log" 2>&1
    code=$?
    grep -E "INCON|ERROR" "$out.log" | head -n 4; tail -n 3 "$out.log"
    return "$code"
}

snapshot() {
    ip -details address show near0 | sed 's/ tentative//'
    ip rule
    ip route show table all | grep -v '^multicast\|^local fe80\|^fe80'
    ps -e -o comm= | sort | uniq -c | grep tcpassay
    [ ! -x "$(command -v ethtool)" ] || ethtool -k near0
}

# Waits a little for what is being undone.
compare() {
    for _ in $(seq 30); do
        snapshot >"$work/after"
        diff "$work/before" "$work/after" >"$work/diff" && return
        sleep 0.1
    done
    cat "$work/diff"
    return 1
}

# ---- cases

shard=${HOSTS_SHARD:-1/16} # of the quick profile
left_open_max=${HOSTS_LEFT_OPEN_MAX:-2}

case_agent() {
    make_host && start_agent || exit 1
    snapshot >"$work/before"
    run linux linux --profile quick --shard "$shard"
    run remote "$(with_agent)" --profile quick --shard "$shard"
    holds "with an agent the verdicts are those of linux" same_verdicts linux remote "$left_open_max"
    holds "the machine is as before" compare
}

case_router() {
    make_routed_host && start_agent && start_discard || exit 1
    run linux linux --profile quick --shard "$shard"
    run port "$(with_port)" --profile quick --shard "$shard" # first: the agent's leaves connections in TIME-WAIT behind
    run remote "$(with_agent)" --profile quick --shard "$shard"
    holds "behind a router the verdicts are those of linux" same_verdicts linux remote "$left_open_max"
    holds "behind a router, without agent, they are a subset" same_verdicts linux port "$left_open_max"
}

case_port() {
    make_host && start_discard || exit 1
    snapshot >"$work/before"
    run linux linux --profile quick --shard "$shard"
    run port "$(with_port)" --profile quick --shard "$shard"
    holds "with an open port the verdicts are a subset of those of linux" same_verdicts linux port "$left_open_max"
    run own "remote:$iut:8080,iut=$iut,iut=$iut6,address=own,ledger=linux" --profile quick --shard "$shard"
    holds "so they are from the machine's own address" same_verdicts linux own "$left_open_max"
    holds "the machine is as before" compare
}

# Whatever comes from the host, the tester neither breaks nor hangs.
case_mischief() {
    shard=${HOSTS_SHARD:-1/32}
    make_host && start_discard || exit 1
    run linux linux --profile quick --shard "$shard"
    for kind in garbage flood; do
        began=$SECONDS
        on_host "$mischief" far0 "$kind" 4 &
        local maker=$!
        run "$kind" "$(with_port)" --profile quick --shard "$shard"
        code=$?
        holds "$kind: ends with 0, 1 or 3" [ "$code" -le 3 ]
        holds "$kind: ends within 90 s" [ $((SECONDS - began)) -le 90 ]
        holds "$kind: every test has its verdict, or exit 3" [ "$code" -eq 3 -o "$(verdicts "$work/$kind" | wc -l)" -eq "$(verdicts "$work/linux" | wc -l)" ]
        wait "$maker" # the next run shall find the link empty
        wait_for 10 ping_works
    done
    run after "$(with_port)" --profile quick --shard "$shard"
    holds "afterwards the verdicts are those of linux" same_verdicts linux after "$left_open_max"
}

# Each way of ending leaves the machine as it was.
case_ends() {
    make_host && start_discard || exit 1
    mkdir "$work/bin"
    printf '#!/bin/sh\nexec cat >>%s/nft.log\n' "$work" >"$work/bin/nft"
    chmod 755 "$work/bin/nft"
    [ ! -x "$(command -v ethtool)" ] || ethtool -K near0 gro on
    PATH=$work/bin:$PATH
    snapshot >"$work/before"
    for signal in INT TERM KILL; do
        for name in "$(with_port)" "remote:$iut:8080,address=own"; do
            : >"$work/nft.log"
            rm -rf "$work/end"
            "$tcpassay" run --target "$name" --out "$work/end" --profile quick >"$work/end.log" 2>&1 &
            local run=$!
            case $name in # the fake nft lets the kernel answer, so that hardly a test passes
            *own) holds "a run is under way" wait_for 20 grep -q '^table inet' "$work/nft.log" ;;
            *) holds "a run is under way" wait_for 20 under_way "$work/end" ;;
            esac
            kill -"$signal" "$run"
            wait "$run" 2>/dev/null
            holds "after SIG$signal of ${name##*,} the machine is as before" compare
            case $name in *own*) holds "and the table is gone" [ "$(grep -c '^delete table inet tcpassay_' "$work/nft.log")" -eq "$(grep -c '^table inet' "$work/nft.log")" ] ;; esac
        done
    done
}

no_new_failures() { # tests that Linux passes did not fail
    verdicts "$work/linux" >"$work/a"
    verdicts "$work/$1" >"$work/b"
    join -1 2 -2 2 "$work/a" "$work/b" | awk '$2 == "pass" && $3 == "fail" { print; bad = 1 } END { exit bad }'
}

# disturbed NAME SECONDS_MAX TARGET COMMAND: a run during which the command is executed
disturbed() {
    local name=$1 most=$2 target=$3 began=$SECONDS
    shift 3
    "$tcpassay" run --target "$target" --out "$work/$name" --profile quick --seed 1 --shard "$shard" >"$work/$name.log" 2>&1 &
    local run=$!
    wait_for 20 under_way "$work/$name"
    "$@"
    wait "$run"
    code=$?
    tail -n 2 "$work/$name.log"
    holds "$name: ends within $most s" [ $((SECONDS - began)) -le "$most" ]
    holds "$name: ends with 0, 1 or 3, not by a signal" [ "$code" -le 3 ]
    holds "$name: nothing is blamed on the host that it does not do on linux" no_new_failures "$name"
    holds "$name: every test has its verdict" [ "$(verdicts "$work/$name" | wc -l)" -eq "$(verdicts "$work/linux" | wc -l)" ]
}

flap() { ip link set near0 down && sleep 1 && ip link set near0 up; }
down() { ip link set near0 down; }
peer_down() { on_host ip link set far0 down; }
vanish() { on_host ip addr flush dev far0; }
reboot() { kill -9 "$host"; ip link del near0; sleep 1; make_host && start_discard; }
kill_agent() { kill -9 "$agent"; }
restart_agent() { kill_agent && start_agent; }
mend() { ip link set near0 up; on_host ip link set far0 up; on_host ip addr replace 192.0.2.2/24 dev far0; on_host ip addr replace 2001:db8::2/64 dev far0 nodad
         ip addr replace 2001:db8::1/64 dev near0 nodad; wait_for 5 ping_works; }

case_trouble() {
    shard=${HOSTS_SHARD:-1/32}
    make_host && start_discard || exit 1
    run linux linux --profile quick --shard "$shard"
    disturbed flap 60 "$(with_port)" flap
    mend
    disturbed reboot 60 "$(with_port)" reboot
    holds "reboot: tests pass afterwards" [ "$(count "$work/reboot" pass)" -gt 10 ]
    disturbed down 60 "$(with_port)" down
    mend
    disturbed peer-down 60 "$(with_port)" peer_down
    mend
    disturbed vanish 60 "$(with_port)" vanish
    mend
    start_agent || exit 1
    disturbed agent-restarted 60 "$(with_agent)" restart_agent
    holds "agent-restarted: tests pass afterwards" [ "$(count "$work/agent-restarted" pass)" -gt 90 ]
    disturbed agent-killed 60 "$(with_agent)" kill_agent
    holds "agent-killed: exit 3" [ "$code" -eq 3 ]
    run silent "remote:192.0.2.99,tester=192.0.2.100"
    holds "a host that never answers: exit 3" [ $? -eq 3 ]
    holds "and it is said who is silent" grep -q 'nobody answers for 192.0.2.99' "$work/silent.log"
    down
    run off "$(with_port)"
    holds "an interface that is down: exit 3" [ $? -eq 3 ]
    holds "and it is said where to look" grep -q "is its network's interface up" "$work/off.log"
    run off "$(with_port),interface=near0"
    holds "an interface that is named and down: exit 3" [ $? -eq 3 ]
    holds "and it is said which" grep -q 'interface near0 is down' "$work/off.log"
}

case ${1:?a case} in
agent | router | port | ends | trouble | mischief) "case_$1" ;;
*) echo "no such case: $1" >&2; exit 2 ;;
esac
echo "$failed failed"
[ "$failed" -eq 0 ]
