#!/bin/sh
# `tcpassay probe` against hosts of all kinds, in network namespaces of its own: what it says, beside what tcpdump sees on the same link.
# shellcheck disable=SC2016,SC2086,SC2154  # scripts for other shells, lists of words, variables of lib.sh
# shellcheck source=engine/cli/test/lib.sh
if [ "${PROBE_INSIDE-}" != yes ]; then
    if ! command -v ip >/dev/null || ! command -v tcpdump >/dev/null || ! command -v setpriv >/dev/null || ! unshare -nm --pid --fork true 2>/dev/null; then
        echo 'skipped: this test needs iproute2, tcpdump, setpriv, and the right to make network namespaces'
        exit 77
    fi
    PROBE_INSIDE=yes exec unshare -nm --pid --fork --kill-child --mount-proc "$0" "$@"
fi
. "$(dirname "$0")/../../cli/test/lib.sh"
responder=${RESPONDER:?the host for tests}
export LC_ALL=C.UTF-8 COLUMNS=80

# This namespace is 192.0.2.1, the other one 192.0.2.2 and the router to 198.51.100.0/24.
ip link set lo up
unshare -n sleep 1000 &
host=$!
other() { nsenter --net="/proc/$host/ns/net" "$@"; }
until [ "$(readlink /proc/$host/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do :; done
ip link add veth0 type veth peer name veth1 netns "$host"
ip addr add 192.0.2.1/24 dev veth0
ip addr add 2001:db8::1/64 dev veth0 nodad
ip link set veth0 up
other sh -c 'ip addr add 192.0.2.2/24 dev veth1; ip addr add 2001:db8::2/64 dev veth1 nodad; ip link set veth1 up; ip link set lo up
    echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding; echo 3 >/proc/sys/net/ipv4/tcp_fastopen
    ip route add prohibit 198.51.100.0/24; ip -6 route add prohibit 2001:db8:1::/48'
ip route add 198.51.100.0/24 via 192.0.2.2
ip -6 route add 2001:db8:1::/48 via 2001:db8::2
echo 2 >/proc/sys/net/ipv4/tcp_syn_retries
echo 0 >/proc/sys/net/ipv4/tcp_syn_linear_timeouts 2>/dev/null
until other ping -qc1 -W1 192.0.2.1 >/dev/null 2>&1 || [ "$((i = ${i-0} + 1))" -gt 20 ]; do :; done

listening() { until other sh -c "grep -qi ':$(printf %04X "$1") 0*:0000 0A' /proc/net/tcp /proc/net/tcp6"; do :; done; }
port=2000
answers() { # answers HOW: a host of this kind on a port of its own, $port
    port=$((port + 1))
    other "$responder" 192.0.2.2 $port "$1" &
    listening $port
}
probe() { "$tcpassay" probe "$@"; }
quick='--tries 3 --interval 10 --time 0 --isn 0'

# ---- what a person may type wrong
wants 0 'usage: tcpassay probe' 'help' probe --help
wants 2 'which host' 'no host' probe
wants 2 'one host and one port' 'three words' probe a 1 b
wants 2 'a port is a number' 'no port' probe 192.0.2.2 65536
wants 2 'a port is a number' 'no service' probe 192.0.2.2 no-such-service
wants 2 '--tries takes a number from 1 to 200' 'a flood' probe --tries 201 192.0.2.2 80
wants 2 '--interval takes a number from 10' 'a faster flood' probe --interval 1 192.0.2.2 80
wants 2 '--wait takes seconds' 'no time' probe --wait soon 192.0.2.2 80
wants 2 'begins with /' 'a path of two lines' probe "--request=/
x" 192.0.2.2 80
wants 2 'speaks TLS' 'a request to HTTPS' probe --request 192.0.2.2 443
wants 2 'unknown, or lacks' 'no such option' probe --frobnicate 192.0.2.2 80
wants 3 'no-such-name.invalid' 'no such host' probe no-such-name.invalid 80
wants 3 'IPv6 address was asked for' 'an address of the other version' probe -6 192.0.2.2 80
wants 3 'no way there.*unreachable' 'no route' probe 203.0.113.1 80

# ---- a kernel that listens, captured by tcpdump at the same time
answers kernel
open=$port
tcpdump -i veth0 -U -w "$work/link.pcap" "host 192.0.2.2" 2>"$work/tcpdump" &
dump=$!
until grep -q listening "$work/tcpdump"; do :; done
"$tcpassay" probe 192.0.2.2 $open --tries 5 --interval 10 --time 2.5 --isn 20 --request /page --json >"$work/json" 2>"$work/out"
holds 'an open port is reached' test $? -eq 0
kill -INT $dump
wait $dump
tcpdump -r "$work/link.pcap" -nn -S -tt "tcp port $open" >"$work/link" 2>/dev/null
says() { tr -d ' \n' <"$work/json" | grep -Eq -- "$1"; } # the document without blanks
for part in '"answer":"open"' '"captured":true,"raw":true' '"connect":\{"count":5' '"wire":\{"count":5' '"echo":\{"count":5' '"source":"own-syn"' \
    '"mss":1460' '"ecn":true' '"fastopen_cookie_octets":8' '"ttl":64' '"kind":"(random|undecided)"' '"same_port":10' '"same_port_clock_hz":1[4-7]' \
    '"status":"200OK","new":\{"connect":\{"count":5' '"reused":\{"first_octet":\{"count":5' '"fastopen":\{"first_octet":\{"count":5' \
    '"syn_ack":\{"at_ns":\[0,[0-9]+' '"gave_up":false' '"missing":\[\]'; do
    holds "the document has $part" says "$part"
done

# The ladder has the numbers of the wire.
sed -n 's/.*"\(seq\|ack\)": \([0-9]*\),/\1 \2/p' "$work/json" | head -4 | tr '\n' ' ' >"$work/numbers"
awk -v port="192.0.2.2.$open:" '$5 == port && /Flags \[S\]/ { match($0, /seq [0-9]+/); print substr($0, RSTART + 4, RLENGTH - 4); exit }' "$work/link" >"$work/iss"
holds 'the first number is that of the first SYN' grep -q "^seq $(cat "$work/iss") ack 0 " "$work/numbers"
next=$((($(cat "$work/iss") + 1) % 4294967296))
irs=$(awk -v next_one="ack $next," '/Flags \[S\.\]/ && index($0, next_one) { match($0, /seq [0-9]+/); print substr($0, RSTART + 4, RLENGTH - 4); exit }' "$work/link")
holds 'the second is that of its SYN-ACK' grep -q "seq $irs ack $next " "$work/numbers"

# The host's schedule is what tcpdump saw of that one unanswered SYN: the SYN-ACK that came most often.
awk '/Flags \[S\.\]/ { match($0, /seq [0-9]+/); seq = substr($0, RSTART, RLENGTH); times[seq] = times[seq] " " $1; count[seq]++; if (count[seq] > most) { most = count[seq]; which = seq } }
    END { print times[which] }' "$work/link" >"$work/seen"
tr -d ' \n' <"$work/json" | sed 's/.*"syn_ack":{"at_ns":\[\([0-9,]*\)\].*/\1/; s/,/ /g' >"$work/told"
holds 'the SYN-ACKs are those that tcpdump saw, within a millisecond' awk 'NR == FNR { n = split($0, seen, " "); next }
    { m = split($0, told, " "); if (m != n || n < 2) exit 1; for (i = 1; i <= n; i++) { d = (seen[i] - seen[1]) - told[i] / 1e9; if (d > 0.001 || d < -0.001) exit 1 } }' \
    "$work/seen" "$work/told"

# No flood, and nothing left: each SYN of ours was taken back, and our kernel never answered for itself.
holds 'as many SYNs as were asked for, and no more' test "$(grep -c "192.0.2.2.$open: Flags \[S\|\[SEW\]" "$work/link")" -le $((5 + 1 + 2 + 20 + 5 + 6))
half_open() { ! other grep -q " 03 " /proc/net/tcp; }
holds 'no connection is left half open at the host' half_open

# ---- in plain words, on any terminal
wants 0 'port [0-9]+: open.*' 'open' probe $quick 192.0.2.2 $open
wants 0 'connect\(\) +[0-9.]+ +[0-9.]+ +[0-9.]+ ms  3 of 3 tries' 'times in columns' probe $quick 192.0.2.2 $open
wants 0 'SYN-SENT +─+ SYN ─+▶ SYN-RECEIVED' 'a rung of the ladder' probe $quick 192.0.2.2 $open
wants 0 'SYN-SENT +-+ SYN -+> SYN-RECEIVED' 'in ASCII' env LC_ALL=C "$tcpassay" probe $quick 192.0.2.2 $open
narrow() { COLUMNS=60 LC_ALL=C probe $quick "$@" 192.0.2.2 $open | awk '{ gsub(/[\200-\277]/, "") } length($0) > 60 { print; bad = 1 } END { exit bad }'; }
holds 'no line is wider than the terminal' narrow --isn 20 --request
plain() { ! probe $quick 192.0.2.2 $open | grep -q "$(printf '\033')"; }
holds 'no colours in a pipe' plain
wants 0 'hop limit +64' 'IPv6' probe $quick -6 2001:db8::2 $open
wants 0 'One and the same pair of ports: a clock' 'SYNs of our own over IPv6' probe $quick --isn 24 2001:db8::2 $open
printf '192.0.2.2 two.test\n2001:db8::2 two.test\n192.0.2.2 disc.test\n' >"$work/hosts"
mount --bind "$work/hosts" /etc/hosts
wants 0 'open .* 2001:db8::2' 'every address of a name' probe $quick two.test $open
wants 0 'open .* 192.0.2.2' 'the other one, too' probe $quick two.test $open
wants 1 'port 9 \(discard\): closed' 'a port by its name' probe $quick disc.test discard

# ---- what goes wrong
wants 1 '192.0.2.2 port 9: closed' 'a closed port' probe $quick 192.0.2.2 9
wants 1 'CLOSED +◀─+ RST,ACK ─+ CLOSED' 'its ladder' probe $quick 192.0.2.2 9
wants 1 'ICMP from 192.0.2.2: communication administratively prohibited \(type 3' 'refused by ICMP' probe $quick --wait 1 198.51.100.7 80
wants 1 'ICMP from 2001:db8::2: communication administratively prohibited' 'refused by ICMPv6' probe $quick --wait 1 2001:db8:1::7 80
answers silent
"$tcpassay" probe $quick --wait 3.5 --json 192.0.2.2 $port >"$work/json" 2>"$work/out"
holds 'a silent port is status 1' test $? -eq 1
holds 'our kernel sends its SYN again, as observed' says '"syn_observed":\{"at_ns":\[0,[0-9]+,[0-9]+\],"shape":"doubling","gave_up":false'
holds 'and as computed' says '"tcp_syn_retries":2,"tcp_syn_linear_timeouts":0,"at_ns":\[0,1000000000,3000000000\],"gives_up_ns":7000000000'
wants 1 'Computed, of net.ipv4.tcp_syn_retries = 2' 'in words' probe $quick --wait 0.1 192.0.2.2 $port
wants 1 'no such host on the link' 'nobody there' probe $quick 192.0.2.99 80

# ---- hosts that are bad in one way
answers constant
wants 0 'Constant: every connection begins with the same number' 'a constant ISN' probe $quick --isn 24 192.0.2.2 $port
answers step
wants 0 'Predictable: of another port, the next ISN is the last one and a fixed step' 'an ISN that can be guessed' probe $quick --isn 24 192.0.2.2 $port
answers hostile
wants 0 'MSS +none, so 536' 'options that lie' probe $quick --isn 24 192.0.2.2 $port
answers slow
probe $quick --json 192.0.2.2 $port >"$work/json" 2>"$work/out"
holds 'a slow SYN-ACK shows on the wire' says '"wire":\{"count":3,"min_ns":(19[0-9]|[2-9][0-9]{2})[0-9]{6},'
holds 'and nothing was sent again' says '"sent_again":0'
answers plain
wants 0 'got no answer, a plainer one did' 'what drops ECN and fast open' probe $quick 192.0.2.2 $port
answers resend
probe --tries 1 --isn 0 --time 10 --json 192.0.2.2 $port >"$work/json" 2>"$work/out"
holds 'a host that gives up' says '"syn_ack":\{"at_ns":\[0,[0-9]+,[0-9]+,[0-9]+,[0-9]+\],"shape":"constant","gave_up":true'

# ---- the reference stack: requests, and fast open
wants 0 '^  fast open +[0-9.]+ +[0-9.]+ ms' 'fast open with the reference stack' "$tcpassay" serve -- "$tcpassay" probe $quick --request /bytes/1000 192.0.2.2 80
wants 0 'fast open +yes: a cookie of 8 octets' 'its cookie' "$tcpassay" serve -- "$tcpassay" probe $quick 192.0.2.2 80
wants 0 'GET /nothing: 404' 'an answer that is no page' "$tcpassay" serve --http-root "$work" -- "$tcpassay" probe $quick --request=/nothing 192.0.2.2 80
wants 0 'no HTTP/1|no whole answer' 'a service that is no HTTP' "$tcpassay" serve -- "$tcpassay" probe $quick --wait 1 --request 192.0.2.2 19
wants 0 'new connection +[0-9.]+ +[0-9.]+ +[0-9.]+ ms' 'a link that loses packets' "$tcpassay" serve --seed 3 --loss 5 -- "$tcpassay" probe $quick --request 192.0.2.2 80

# ---- without privilege
nobody="setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set -all --inh-caps -all --no-new-privs"
wants 0 'by plain sockets only' 'without privilege' $nobody "$tcpassay" probe $quick 192.0.2.2 $open
wants 0 'kernel.s RTT +[0-9.]+' 'the RTT by TCP_INFO' $nobody "$tcpassay" probe $quick 192.0.2.2 $open
wants 0 'octets of payload; path MTU 1500' 'what was agreed on' $nobody "$tcpassay" probe $quick 192.0.2.2 $open
wants 0 'CAP_NET_RAW' 'what would show the rest' $nobody "$tcpassay" probe $quick 192.0.2.2 $open
wants 0 'new connection +[0-9.]+ +[0-9.]+ +[0-9.]+ ms' 'requests need no privilege' $nobody "$tcpassay" probe $quick --request 192.0.2.2 $open
wants 1 'closed' 'closed, without privilege' $nobody "$tcpassay" probe $quick 192.0.2.2 9
wants 1 'ICMP from 2001:db8::2: communication administratively prohibited' 'ICMP, without privilege' $nobody "$tcpassay" probe $quick 2001:db8:1::8 80
wants 0 'by plain sockets only' 'as if without privilege' probe $quick --unprivileged 192.0.2.2 $open

# ---- interrupted
answers silent
wants 130 'port [0-9]+: unknown' 'Ctrl-C' timeout --preserve-status --signal INT 3 "$tcpassay" probe --wait 60 192.0.2.2 $port
finish
