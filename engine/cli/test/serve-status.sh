#!/bin/sh
# `tcpassay serve --status`: the connections of running servers, and sockets that are stale, foreign or slow.
# shellcheck disable=SC2016,SC2154  # scripts for other shells, variables of lib.sh
# shellcheck source=engine/cli/test/lib.sh
. "$(dirname "$0")/lib.sh"
if ! command -v bash >/dev/null || ! command -v curl >/dev/null || ! "$tcpassay" serve -- true >"$work/out" 2>&1; then
    echo 'skipped: this test needs bash, curl, and the right to make network namespaces'
    exit 77
fi
mkdir -m 700 "$work/run"
export XDG_RUNTIME_DIR="$work/run"
status() { "$tcpassay" serve --status "$@"; }
serves() { "$tcpassay" serve "$@"; }

# What a server's command sees of the server.
cat >"$work/ask" <<'SCRIPT'
exec 3<>/dev/tcp/192.0.2.2/7 4<>/dev/tcp/192.0.2.2/19
curl -sS -o /dev/null -H 'Connection: close' http://192.0.2.2/bytes/100
echo hello >&3
read -r line <&3
until "$1" serve --status --json >"$2/json" && grep -q TIME-WAIT "$2/json" && grep -q '"persist"' "$2/json"; do :; done
"$1" serve --status >"$2/text"
"$1" serve --status --tap tap0 >"$2/tap0"
"$1" serve --status --tap tap1 >"$2/tap1" 2>&1 || echo "exit $?" >>"$2/tap1"
ls -l "$2"/run >"$2/ls"
SCRIPT
holds 'a server tells of itself while it serves' serves -- bash "$work/ask" "$tcpassay" "$work"
holds 'listeners' grep -Eq '^LISTEN +0 +0 +\*:80 +\* +http' "$work/text"
holds 'an idle connection' grep -Eq '^ESTABLISHED +0 +0 +192\.0\.2\.2:7 +192\.0\.2\.1:[0-9]+ +echo' "$work/text"
holds 'one that has more to send than its peer takes' grep -Eq '^ESTABLISHED +0 +[1-9][0-9]+ +192\.0\.2\.2:19' "$work/text"
holds 'its timer' grep -Eq 'timer persist in [0-9.]+ s' "$work/text"
holds 'windows' grep -Eq 'windows [1-9][0-9]+ in, [0-9]+ out, cwnd [1-9]' "$work/text"
holds 'a connection that nobody has any more' grep -Eq '^(TIME-WAIT|LAST-ACK|FIN-WAIT)' "$work/text"
holds 'the document has the timers' grep -q '"lifetime": [0-9]' "$work/json"
holds 'an interface chosen' grep -q '^LISTEN' "$work/tap0"
holds 'an interface that has none' grep -q 'no server is running on tap1' "$work/tap1"
holds 'which is exit 3' grep -q 'exit 3' "$work/tap1"
holds 'the socket is its owner'\''s alone' grep -q '^srw------- .*tcpassay-serve\.tap0\.[0-9]*\.sock' "$work/ls"
empty() { [ -z "$(ls "$XDG_RUNTIME_DIR")" ]; }
holds 'and is gone with the server' empty

# A place of one's own; and one that is not to be had.
wants 0 '^LISTEN' 'a socket where one likes' "$tcpassay" serve --socket "$work/own" -- "$tcpassay" serve --status --socket "$work/own"
wants 3 'own: No such file' 'nobody there' status --socket "$work/own"
wants 3 'socket.*No such file' 'no such place' serves --socket "$work/none/own" -- true
wants 2 'starts nothing' 'a question with a command' status -- true
wants 2 'goes with --status' 'a document of nothing' serves --json -- true
wants 0 '^State' 'a number still means a list every so often' serves --status 0 -- true

# Killed, a server leaves no name; one that was left all the same is not asked again.
"$tcpassay" serve -- sh -c 'echo up >"$0/up"; exec sleep 1000' "$work" &
server=$!
until [ -s "$work/up" ]; do sleep 0.05; done
kill -KILL $server
wait $server 2>/dev/null
for _ in $(seq 200); do ! empty || break; sleep 0.05; done
holds 'a server that was killed leaves no name' empty
stale() { "$tcpassay" serve --socket "$XDG_RUNTIME_DIR/tcpassay-serve.tap0.1.sock" -- ln "$XDG_RUNTIME_DIR/tcpassay-serve.tap0.1.sock" "$XDG_RUNTIME_DIR/tcpassay-serve.tap0.2.sock"; }
holds 'a name that leads nowhere' stale
wants 3 'no server is running' 'it does not answer' status
holds 'and is removed' empty

# Several at once, and clients that do not read: the server goes on, and others are answered.
cat >"$work/many" <<'SCRIPT'
"$1" serve -- sh -c "'$1' serve --status >'$2/two'"
exec 3<>/dev/tcp/192.0.2.2/7
for i in $(seq 50); do "$1" serve --status >/dev/null 2>&1 & done
wait
echo still >&3
read -r line <&3
echo "$line" >"$2/line"
"$1" serve --status >"$2/after"
SCRIPT
holds 'a server among many who ask' serves -- bash "$work/many" "$tcpassay" "$work"
holds 'two servers are listed' test "$(grep -c '^server [0-9]* on tap0' "$work/two")" -eq 2
holds 'connections go on' grep -q '^still$' "$work/line"
holds 'and so do answers' grep -q '^LISTEN' "$work/after"

# Others' sockets are not asked: in a folder that anybody may write to, anybody may pretend.
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
    chmod 755 "$work" && chmod 1777 "$XDG_RUNTIME_DIR"
    "$tcpassay" serve --socket "$XDG_RUNTIME_DIR/tcpassay-serve.tap0.1.sock" -- sh -c 'chown 65534 "$XDG_RUNTIME_DIR"/*; "$0" serve --status' "$tcpassay" >"$work/said" 2>&1
    holds 'a socket of somebody else is not asked' grep -q 'no server is running' "$work/said"
    "$tcpassay" serve --socket "$work/run/x.sock" -- sh -c 'chmod 666 "$2/run/x.sock"; setpriv --reuid 65534 --regid 65534 --clear-groups "$1" serve --status --socket "$2/run/x.sock"' \
        sh "$tcpassay" "$work" >"$work/said" 2>&1
    holds 'somebody else is not answered' grep -q 'no answer that can be read' "$work/said"
fi
finish
