#!/bin/sh
# Other suites' tests by their own names: run, listed and explained; those nothing here stands for are refused and never guessed.
. "$(dirname "$0")/lib.sh"

wants 0 '^[0-9]+ passed, 0 failed' 'a TC8 id is run' "$tcpassay" run tc8/TCP_UNACCEPTABLE_04 --out "$work/a"
holds 'what is run stands for it' sh -c "grep -q '\"id\":\"rfc9293/' '$work/a/results.jsonl' && ! grep -q '\"id\":\"tc8' '$work/a/results.jsonl'"
wants 0 '^[0-9]+ passed, 0 failed' 'a packetimpact test is run' "$tcpassay" run packetimpact/tcp_zero_window_probe --out "$work/b"
wants 0 '^[0-9]+ passed, 0 failed' "a FreeBSD script is run, in the matrix too" "$tcpassay" run freebsd/rcv-rst-listen --out "$work/c" --profile quick
holds 'cases of the matrix stand for it' grep -q '"id":"matrix/listen/' "$work/c/results.jsonl"
wants 0 'for [0-9]+ of the [0-9]+ that "tc8/TCP_RETRANSMISSION_TO" means nothing stands' 'part of a group without tests is told' \
    "$tcpassay" run tc8/TCP_RETRANSMISSION_TO --profile quick --out "$work/d"
holds 'an id runs whatever its profile, as ours do' sh -c \
    "[ \$('$tcpassay' list tc8/TCP_BASICS_11 --profile quick | grep -c '^  ') -ge 1 ]"

# Nothing stands for it: said, and not guessed.
wants 2 'nothing stands for tc8/TCP_RETRANSMISSION_TO_08: .*demands no such bound' 'a test without a counterpart' \
    "$tcpassay" run tc8/TCP_RETRANSMISSION_TO_08
wants 2 'nothing stands for tc8/TCP_BASICS_15: .*not public' 'a purpose that is not public' "$tcpassay" run tc8/TCP_BASICS_15
wants 2 'nothing is called "tc8/TCP_UNACCEPTABLE_99"; .tcpassay explain tc8. shows' 'an id that is not there' \
    "$tcpassay" run tc8/TCP_UNACCEPTABLE_99
wants 2 'nothing is called "freebsd/rcv-nothing"' 'a script that is not there' "$tcpassay" run freebsd/rcv-nothing
wants 2 'nothing stands for any of the [0-9]+ that "freebsd/snd-syn-without\*" means' 'a group without tests' \
    "$tcpassay" run 'freebsd/snd-syn-without*'
wants 2 'nothing is called "packetimpact/tcp_zero_window_prob"' 'a name without its end' "$tcpassay" run packetimpact/tcp_zero_window_prob

# List.
wants 0 '^tc8/TCP_CLOSING_03 ' 'a group is listed by its ids' "$tcpassay" list tc8/TCP_CLOSING
wants 0 '^  rfc9293/' 'and the tests that stand for them' "$tcpassay" list tc8/TCP_CLOSING
wants 0 '^tc8/TCP_URGENT_PTR_04 ' 'all are listed, with those nothing stands for' "$tcpassay" list tc8
wants 2 'nothing is called "tc8/TCP_CLOSED"' 'a group that is not there' "$tcpassay" list tc8/TCP_CLOSED

# Explain.
wants 0 'bug 211085' 'an id is explained, with its note' "$tcpassay" explain tc8/TCP_UNACCEPTABLE_04
wants 0 'rfc9293/3.5.2/synchronized-unacceptable' 'and what stands for it' "$tcpassay" explain tc8/TCP_UNACCEPTABLE_04
wants 0 'public implementation of the specification' 'and how its purpose is known' "$tcpassay" explain tc8/TCP_UNACCEPTABLE_04
wants 0 'demands no such bound' 'why nothing stands for one' "$tcpassay" explain tc8/TCP_RETRANSMISSION_TO_08
wants 0 'tc8/TCP_UNACCEPTABLE_04' 'a test of ours names what it stands for' "$tcpassay" explain rfc9293/3.5.2/synchronized-unacceptable
wants 2 'tc8/TCP_NOTHING' 'an id that is not there is not explained' "$tcpassay" explain tc8/TCP_NOTHING

# The selectors work beside others.
"$tcpassay" list rfc6298/2 packetimpact/tcp_nagle >"$work/some" 2>&1
holds 'another selector beside it' sh -c "grep -q 'rfc6298/2/' '$work/some' && grep -q 'rfc9293/3.7.4/' '$work/some' && ! grep -q 'rfc9293/3.5/' '$work/some'"
finish
