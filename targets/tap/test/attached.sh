#!/bin/sh
# The reference stack behind tap: and unix: gives the verdicts that it gives in process; and what happens when the interface goes down, the
# stack vanishes, stops or talks nonsense in the middle of a run: bounded time, a clear verdict, and the remaining scenarios still run.
# shellcheck disable=SC2154  # variables of lib.sh
# shellcheck source=engine/cli/test/lib.sh
if [ "${ATTACHED_INSIDE-}" != 1 ]; then
    [ "$(id -u)" -eq 0 ] && unshare -n true 2>/dev/null && exec env ATTACHED_INSIDE=1 unshare -n "$0" "$@"
    unshare -r -n true 2>/dev/null && exec env ATTACHED_INSIDE=1 unshare -r -n "$0" "$@"
    echo "skipped: this test needs a network namespace"
    exit 77
fi
. "$(dirname "$0")/../../../engine/cli/test/lib.sh"
if ! command -v ip >/dev/null || ! ip link set lo up || ! ip tuntap add dev tap0 mode tap 2>/dev/null; then
    echo "skipped: this test needs ip(8) and TAP devices"
    exit 77
fi
ip link set tap0 mtu 2000 up # some scenarios send segments of 1460 octets over IPv6, on a link of 1500

server=
begin() { # begin HOW...: the stack under test
    "$tcpassay" serve "$@" --agent 32743 2>"$work/serve.txt" &
    server=$!
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        grep -q serving "$work/serve.txt" 2>/dev/null && break
        sleep 0.1
    done
}
end() {
    kill -KILL "$server" 2>/dev/null
    wait "$server" 2>/dev/null
}
trap 'end; rm -rf "$work"' EXIT

# ---- the same verdicts -------------------------------------------------------------------------------------------------
share='--profile quick --shard 3/80 --seed 7'
verdicts() { grep -h '"type":"test"' "$1/results.jsonl" | sed -E 's/.*"id":"([^"]*)".*"verdict":"([^"]*)".*/\1 \2/' | sort; }
# shellcheck disable=SC2086  # words
"$tcpassay" run $share --out "$work/in" >/dev/null 2>&1
verdicts "$work/in" >"$work/in.txt"
holds 'the run in process has tests' test -s "$work/in.txt"

compare() { # compare WORDS TARGET
    # shellcheck disable=SC2086  # words
    timeout 120 "$tcpassay" run $share --target "$2,mtu=1500,agent=127.0.0.1" --out "$work/out.$$" >"$work/run.txt" 2>&1
    verdicts "$work/out.$$" >"$work/there.txt"
    if ! holds "$1: the verdicts are those of the run in process" cmp "$work/in.txt" "$work/there.txt"; then
        diff "$work/in.txt" "$work/there.txt" | head -20
        tail -n 5 "$work/run.txt"
    fi
    rm -rf "$work/out.$$"
}
begin --tap tap0
compare 'tap:' tap:tap0
end
begin --unix "$work/d.sock,listen=yes"
compare 'unix: datagrams' "unix:$work/d.sock"
end
begin --unix "$work/s.sock,socket=stream,listen=yes"
compare 'unix: stream' "unix:$work/s.sock,socket=stream"
end
begin --unix "$work/l.sock,socket=stream"
compare 'unix: stream, the tester listens' "unix:$work/l.sock,socket=stream,listen=yes"
end
holds 'no socket is left behind' test -z "$(find "$work" -type s)"

# ---- opening ------------------------------------------------------------------------------------------------------------
wants 3 'nobody answers for 192.0.2.9 on TAP device tap0' 'a host that is not there' \
    "$tcpassay" targets tap:tap0,iut=192.0.2.9,tester=192.0.2.100+9
wants 3 'nobody is there: start the other side first' 'a socket that is not there' timeout 20 "$tcpassay" targets "unix:$work/none.sock"
wants 3 'nobody has connected to it' 'a socket to which nobody comes' timeout 20 "$tcpassay" targets "unix:$work/none.sock,socket=stream,listen=yes"
wants 3 'no key "tseter": did you mean tester=' 'a misspelt key' "$tcpassay" targets tap:tap0,tseter=192.0.2.100
wants 3 'neither Ethernet frames nor plain IP' 'an interface of another kind' "$tcpassay" targets tap:lo
ip link set tap0 down
wants 3 'interface tap0 is down; .ip link set tap0 up.' 'an interface that is down' "$tcpassay" targets tap:tap0
ip link set tap0 up

# ---- trouble in the middle ------------------------------------------------------------------------------------------------
# shellcheck disable=SC2317  # the disturbances are called by name
long=rfc9293/3.5.1
disturbed() { # disturbed WORDS CODE PATTERN TARGET DISTURBANCE...
    words=$1 code=$2 pattern=$3 target=$4
    shift 4
    "$@" &
    disturbance=$!
    # shellcheck disable=SC2086  # words
    wants "$code" "$pattern" "$words" timeout 150 "$tcpassay" run $long --seed 7 --target "$target,mtu=1500,agent=127.0.0.1" --out "$work/out.$$"
    wait "$disturbance" 2>/dev/null
    # shellcheck disable=SC2086  # words
    holds "$words: every test has its verdict" test "$(verdicts "$work/out.$$" | wc -l)" -eq "$("$tcpassay" list $long --profile full 2>/dev/null | wc -l)"
    rm -rf "$work/out.$$"
}
running() { # waits until the first test has its verdict
    for _ in $(seq 500); do
        grep -q '"type":"test"' "$work/out.$$/results.jsonl" 2>/dev/null && return
        sleep 0.02
    done
}
bounce() { running; ip link set tap0 down; sleep 0.5; ip link set tap0 up; }
go_down() { running; ip link set tap0 down; }
stop_a_while() { running; kill -STOP "$server"; sleep 1; kill -CONT "$server"; }
vanish() { running; kill -KILL "$server"; }

begin --tap tap0
disturbed 'an interface that goes down and comes back' 0 'pass' tap:tap0 bounce
disturbed 'a stack that stops for a second' 0 'pass' tap:tap0 stop_a_while
disturbed 'an interface that goes down' 3 'the interface is down, or was taken away' tap:tap0 go_down
ip link set tap0 up
end
begin --unix "$work/v.sock,socket=stream,listen=yes"
disturbed 'a socket whose other side vanishes' 3 'closed' "unix:$work/v.sock,socket=stream" vanish
end
finish
