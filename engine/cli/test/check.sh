#!/bin/sh
# `tcpassay check` from outside: exit codes, what is said, results and reports, and files that are no captures, or damaged ones.
. "$(dirname "$0")/lib.sh"
captures=$(dirname "$0")/../../capture/test/captures
good=$captures/abort-4-client.pcap

# A capture of one frame too few of a conversation, made by hand: raw IP, a SYN, and an ACK of what was never sent behind its FIN.
octal() { for hex in $(echo "$1" | sed 's/../& /g'); do printf '\\%03o' "0x$hex"; done; }
put() { # put HEX…
    for hex; do printf "$(octal "$hex")" >>"$work/bad.pcap"; done
}
frame() { # frame SECONDS PACKET
    len=$(printf '%02x000000' $((${#2} / 2)))
    put "$(printf '%02x000000' "$1")" 00000000 "$len" "$len" "$2"
}
# IPv4 header and TCP header with the sums left to a card (0): 192.0.2.1:1024 and 192.0.2.2:80
client=450000280001400040060000c0000201c000020204000050
server=450000280001400040060000c0000202c000020100500400
put d4c3b2a1 0200 0400 00000000 00000000 ffff0000 65000000
frame 1 "${client}00000064000000005002200000000000"
frame 1 "${server}000003e8000000655012200000000000"
frame 1 "${client}00000065000003e95010200000000000"
frame 1 "${client}00000065000003e95011200000000000"
frame 1 "${server}000003e9000001005010200000000000"

wants 0 'usage: tcpassay check' 'help' "$tcpassay" check --help
wants 2 'which capture' 'no file' "$tcpassay" check
wants 2 'unknown' 'an unknown option' "$tcpassay" check --frobnicate "$good"
wants 2 '--offload is yes, no or auto' 'a wrong word' "$tcpassay" check --offload maybe "$good"
wants 2 '--filter' 'a wrong filter' "$tcpassay" check --filter 'frobnicate 7' "$good"
wants 2 '--report needs' 'reports without a place' "$tcpassay" check --report junit "$good"

wants 0 'abort-4-client.pcap: 0 violations' 'ordinary traffic' "$tcpassay" check "$good"
wants 0 'from before|connection 3|Portrait of 192.0.2.1' 'with --verbose' "$tcpassay" check --verbose "$good"
wants 1 'VIOLATION +RFC9293:.*frame 5 at .*by 192.0.2.2:80' 'a violation' "$tcpassay" check "$work/bad.pcap"
wants 1 'bad.pcap: 1 violations' 'a bad file among good ones' "$tcpassay" check "$good" "$work/bad.pcap"
wants 0 '0 connections' 'all filtered out' "$tcpassay" check --filter 'port 9' "$work/bad.pcap"
"$tcpassay" check "$good" >"$work/named" 2>&1
"$tcpassay" check - <"$good" 2>&1 | sed "s|^-:|$good:|" >"$work/piped"
holds 'standard input is judged as a file is' cmp "$work/named" "$work/piped"

wants 3 'no capture that can be read' 'not a capture' "$tcpassay" check "$0"
wants 3 'No such file' 'no such file' "$tcpassay" check "$work/none.pcap"
: >"$work/empty.pcap"
wants 3 'no capture that can be read' 'an empty file' "$tcpassay" check "$work/empty.pcap"
head -c 1000 "$good" >"$work/cut.pcap"
wants 3 'damaged after frame [0-9]+: .*what came before it was judged' 'a file cut short' "$tcpassay" check "$work/cut.pcap"
head -c 24 "$work/bad.pcap" >"$work/none-in-it.pcap"
wants 0 '0 frames' 'a capture of nothing' "$tcpassay" check "$work/none-in-it.pcap"
wants 1 'bad.pcap: 1 violations' 'the rest is judged when one cannot be read' "$tcpassay" check "$work/none.pcap" "$work/bad.pcap"

wants 1 'VIOLATION' 'results on disk' "$tcpassay" check "$work/bad.pcap" --out "$work/out-dir" --report junit,tap,md --json "$work/one.json"
for file in results.jsonl results.json junit.xml results.tap summary.md; do holds "$file is there" test -s "$work/out-dir/$file"; done
holds 'the document names the requirement' grep -q '"requirement": *"RFC9293:' "$work/one.json"
holds 'the document has the frame' grep -Eq '"segment": *5' "$work/one.json"
holds 'the document alone' "$tcpassay" check "$good" --json "$work/two.json"
holds 'two runs say the same' sh -c '"$1" check -v "$2" >"$3/a"; "$1" check -v "$2" >"$3/b"; cmp "$3/a" "$3/b"' sh "$tcpassay" "$work/bad.pcap" "$work"
"$tcpassay" check "$work/bad.pcap" --json - >"$work/three.json" 2>/dev/null
holds 'a document on standard output is all there is' sh -c 'head -c 1 "$1" | grep -q "{"' sh "$work/three.json"
finish
