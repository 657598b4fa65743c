#!/bin/sh
# The reference stack against this machine's kernel: curl fetches and uploads 10 MB with the right checksums, over IPv4 and IPv6, over good links and
# bad ones, and the services and options of `tcpassay serve` do what they say.
# shellcheck disable=SC2016,SC2086,SC2154  # scripts for other shells, lists of words, variables of lib.sh
# shellcheck source=engine/cli/test/lib.sh
. "$(dirname "$0")/../../../../engine/cli/test/lib.sh"

if ! command -v curl >/dev/null || ! command -v sha256sum >/dev/null || ! command -v bash >/dev/null; then
    echo "skipped: this test needs curl, sha256sum and bash"
    exit 77
fi
"$tcpassay" targets linux >"$work/out" 2>&1
if [ $? -eq 3 ]; then
    sed -n 's/^/skipped: /p' "$work/out"
    exit 77
fi

bytes=10000000
v4=192.0.2.2 v6='[2001:db8::2]'
fetch="curl -g -sS --max-time 120"
sum=$("$tcpassay" serve -- $fetch "http://$v4/sha256/$bytes")
"$tcpassay" serve -- $fetch -o "$work/file" "http://$v4/bytes/$bytes"
holds 'the checksum told is that of the bytes sent' test "$(sha256sum <"$work/file" | cut -d' ' -f1)" = "$sum"

# One transfer each way.
for host in "$v4" "$v6"; do
    for link in '' '--loss 3' '--loss 1 --duplicate 3 --reorder 5 --corrupt 1'; do
        rm -f "$work/got"
        holds "fetching from $host ($link)" "$tcpassay" serve --seed 1 $link -- $fetch -o "$work/got" "http://$host/bytes/$bytes"
        holds "what came from $host ($link)" cmp "$work/file" "$work/got"
        wants 0 "^$bytes $sum\$" "uploading to $host ($link)" "$tcpassay" serve --seed 1 $link -- $fetch -T "$work/file" "http://$host/"
    done
done

# Several at once, over connections that are used again.
cat >"$work/parallel" <<'SCRIPT'
for i in 1 2 3 4 5 6 7 8; do
    curl -g -sS --max-time 60 "http://$1/bytes/2000000" "http://$1/sha256/2000000" -o "$2/part$i" -o "$2/sum$i" &
done
wait
SCRIPT
for link in '' '--loss 3'; do
    rm -f "$work"/part* "$work"/sum*
    holds "eight transfers at once ($link)" "$tcpassay" serve --seed 2 $link -- sh "$work/parallel" "$v6" "$work"
    for i in 1 2 3 4 5 6 7 8; do
        holds "transfer $i of eight ($link)" test "$(sha256sum <"$work/part$i" | cut -d' ' -f1)" = "$(cat "$work/sum$i")"
    done
done

# The other services.
wants 0 '^hello$' 'echo' "$tcpassay" serve -- bash -c 'exec 3<>/dev/tcp/192.0.2.2/7; echo hello >&3; read -r line <&3; echo "$line"'
wants 0 '^done$' 'discard takes 50 MB' "$tcpassay" serve -- bash -c 'head -c 50000000 /dev/zero >/dev/tcp/192.0.2.2/9 && echo done'
holds 'the source gives the pattern' "$tcpassay" serve -- bash -c "head -c 100000 </dev/tcp/192.0.2.2/19 | cmp -n 100000 - '$work/file'"

# Files, sizes, recordings, the list.
printf 'a page\n' >"$work/page"
wants 0 '^a page$' 'a file of the root' "$tcpassay" serve --http-root "$work" -- $fetch "http://$v4/page"
wants 0 '^404' 'no file outside of the root' "$tcpassay" serve --http-root "$work" -- $fetch --path-as-is "http://$v4/../../../etc/passwd"
wants 0 '^5$' 'a size for any path' sh -c "\"$tcpassay\" serve --size 5 -- $fetch http://$v4/any | wc -c"
holds 'a recording' "$tcpassay" serve --pcap "$work/link.pcap" -- $fetch -o "$work/got" "http://$v4/bytes/100000"
holds 'a recording has the packets' test "$(wc -c <"$work/link.pcap")" -gt 100000
wants 0 '^LISTEN .*\*:80 .*http' 'the list of connections' "$tcpassay" serve --status 0 -- true
wants 0 'TIME-WAIT|FIN-WAIT|CLOSE|LAST-ACK|packets in' 'the counters' "$tcpassay" serve --status 0 -- $fetch -o "$work/got" "http://$v4/bytes/1"
wants 3 'disk full' 'a recording on a full disk' "$tcpassay" serve --pcap /dev/full -- $fetch -o "$work/got" "http://$v4/bytes/100000"
wants 3 'no-such-folder' 'a recording nowhere' "$tcpassay" serve --pcap "$work/no-such-folder/x" -- true

# How it ends.
wants 7 said 'the exit status is that of the command' "$tcpassay" serve -- sh -c 'echo said; exit 7'
wants 137 said 'a signal that ends the command' "$tcpassay" serve -- sh -c 'echo said; kill -9 $$'
wants 127 'no-such-program.*No such file' 'a command that is none' "$tcpassay" serve -- no-such-program
wants 130 'serving on 192.0.2.2' 'Ctrl-C' timeout --preserve-status --signal INT 1 "$tcpassay" serve
wants 130 said 'Ctrl-C ends the command too' timeout --preserve-status --signal INT 1 "$tcpassay" serve -- sh -c 'echo said; exec sleep 1000'
"$tcpassay" serve -- sh -c 'echo $$ >"$0/pid"; exec sleep 1000' "$work" &
server=$!
until [ -s "$work/pid" ]; do sleep 0.05; done
kill -KILL $server
wait $server 2>/dev/null
gone() { ! grep -q '^State:[^Z]*$' "/proc/$1/status" 2>/dev/null; }
for _ in $(seq 200); do ! gone "$(cat "$work/pid")" || break; sleep 0.05; done
holds 'killed, it takes the command along' gone "$(cat "$work/pid")"
wants 2 'from 0 to 100' 'a loss of more than everything' "$tcpassay" serve --loss 101 -- true
wants 2 'as in 192.0.2.2/24' 'an address without a prefix' "$tcpassay" serve --address 192.0.2.2 -- true
wants 2 'either --http-root or --size' 'two contents' "$tcpassay" serve --http-root / --size 1 -- true
wants 2 'unknown, or lacks' 'an unknown option' "$tcpassay" serve --frobnicate
wants 2 'http-root.*No such file' 'a root that is not there' "$tcpassay" serve --http-root "$work/none" -- true
wants 3 'no interface "nosuchtap"' 'a device that is not there' "$tcpassay" serve --tap nosuchtap -- true

# On a device that somebody else has made, with an address of its own.
if command -v ip >/dev/null && unshare -n true 2>/dev/null; then
    wants 0 '^tcpassay: a TCP' 'an existing device' unshare -n sh -c "ip tuntap add dev t0 mode tap && ip addr add 198.51.100.1/24 dev t0 &&
        ip link set t0 up && exec '$tcpassay' serve --tap t0 --address 198.51.100.7/24 -- $fetch http://198.51.100.7/"
    wants 3 'somebody has taken it away' 'a device that goes away' unshare -n sh -c "ip tuntap add dev t0 mode tap && ip link set t0 up &&
        exec '$tcpassay' serve --tap t0 -- sh -c 'ip link del t0; exec sleep 60'"
fi
finish
