#!/bin/sh
# `tcpassay selftest`: kills, survivors and what else can be wrong with a test, with their exit codes.
. "$(dirname "$0")/lib.sh"

# scenario NAME KILLED-BY: a listener's SYN-ACK must come, and then the ACK of ten octets
scenario() {
    {
        printf '//: title it answers\n//: covers RFC9293:MUST-40\n'
        [ -z "$2" ] || printf '//: killed-by %s\n' "$2"
        cat <<'BODY'
//: preamble
 0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 65535 <mss 1460>
+0~+1 > S. 0:0(0) ack 1
+0 < . 1:1(0) ack 1 win 65535
//: body
+0 < P. 1:11(10) ack 1
+0~+.5 > . 1:1(0) ack 11
BODY
    } >"$work/$1.pkt"
}

scenario killed 'ack-dropped ack-plus-one'
wants 0 '2 tests, [0-9]+ faults, 4 kills; 0 survivors' 'each fault kills each sub-test' "$tcpassay" selftest "$work/killed.pkt"
mkdir "$work/suite"
cp "$work/killed.pkt" "$work/suite"
wants 0 'kill nothing: .*rst-dropped.* of ' 'faults without a kill are told' "$tcpassay" selftest --suite "$work/suite"
wants 0 'kill nothing: seq-plus-one \(1 of 2\)' 'of those asked for' "$tcpassay" selftest --suite "$work/suite" --fault ack-dropped --fault seq-plus-one
wants 0 ' 2 kills; 0 survivors' 'one fault only' "$tcpassay" selftest "$work/killed.pkt" --fault ack-plus-one

scenario survives 'ack-dropped rst-dropped'
wants 1 'SURVIVED  .*/survives/ipv4  rst-dropped  pass' 'a fault that goes unnoticed' "$tcpassay" selftest "$work/survives.pkt"
wants 1 '2 kills; 2 survivors' 'and how many' "$tcpassay" selftest "$work/survives.pkt"
wants 0 '2 kills; 0 survivors' 'not when another fault is asked for' "$tcpassay" selftest "$work/survives.pkt" --fault ack-dropped

# The fault breaks the preamble, so it is put off until it does not: the second SYN-ACK is none of the preamble's.
scenario preamble 'synack-dropped'
wants 1 'SURVIVED  .*/preamble/ipv6  synack-dropped@2  pass' 'a fault that begins later' "$tcpassay" selftest "$work/preamble.pkt"
scenario exact 'synack-dropped@1'
wants 1 'SURVIVED  .*/exact/ipv6  synack-dropped@1  inconclusive: the preamble' 'but not one whose beginning is said' "$tcpassay" selftest "$work/exact.pkt"

scenario nothing ''
wants 1 'NO FAULT  .*/nothing ' 'no killed-by' "$tcpassay" selftest "$work/nothing.pkt"
scenario mistyped 'ack-dropped ack-droped'
wants 2 'UNKNOWN   .*/mistyped  there is no fault "ack-droped"; did you mean "ack-dropped"\?' 'an unknown fault' "$tcpassay" selftest "$work/mistyped.pkt"
sed 's/ack 11$/ack 12/' "$work/killed.pkt" >"$work/wrong.pkt"
wants 1 'NO PASS   .*/wrong/ipv4  unsabotaged already: fail' 'one that does not pass unsabotaged' "$tcpassay" selftest "$work/wrong.pkt"

# A fault need not be noticed in every row of a table, but in one of them, and every row by some fault.
# shellcheck disable=SC2016 # $n is the scenario's
sed 's,^//: preamble,each $n in 0\, 1\n&,; s/^+0~+.5 .*/&\nrepeat $n {\n+0 shutdown(3, SHUT_RD) = ...\n+0 < F. 11:11(0) ack 1\n* > . 1:1(0) ack 12\n}/' \
    "$work/killed.pkt" | sed 's/killed-by .*/killed-by ack-dropped deaf-to-fin/' >"$work/table.pkt"
wants 0 '6 kills; 0 survivors \(and 2 in rows' 'a table: a row that the fault is not about' "$tcpassay" selftest "$work/table.pkt"
wants 1 'SURVIVED  .*/table/ipv4/n=0  deaf-to-fin' 'a row that nothing kills' "$tcpassay" selftest "$work/table.pkt" --fault deaf-to-fin

# The table of plays.
holds 'a table of every test and fault' "$tcpassay" selftest "$work/killed.pkt" --all-faults --out "$work/all.tsv"
holds 'one line for each play' test "$(wc -l <"$work/all.tsv")" -eq $((1 + 2 * $("$tcpassay" selftest --faults | grep -c '^  [a-z]')))
holds 'five fields a line' awk -F '\t' 'NF != 5 { exit 1 }' "$work/all.tsv"
holds 'a kill' grep -q "/killed/ipv6	ack-dropped	yes	fail	" "$work/all.tsv"
wants 0 '/killed/ipv4	rst-dropped	no	pass	$' 'to standard output' "$tcpassay" selftest "$work/killed.pkt" --all-faults --fault rst-dropped
wants 3 "cannot write $work/no/all.tsv" 'a table that cannot be written' "$tcpassay" selftest "$work/killed.pkt" --out "$work/no/all.tsv"

# The rules of the model: what the table says must be found by the model, and by it alone.
rules() {
    cp "$work/killed.pkt" "$work/suite"
    {
        printf 'rule\tfault\ttest\n'
        printf "%b" "$1"
    } >"$work/suite/rules.tsv"
}
only="$tcpassay selftest --rules --suite $work/suite"
rules 'data-is-acknowledged\tack-dropped\tkilled/ipv4\n'
wants 1 '1 of them broken by a fault and noticed, in 1 plays; 0 unnoticed, [1-9][0-9]* obligatory rules' 'a table that lacks rules' $only
wants 1 'NO FAULT  rule tcp-checksum \(MUST\)' 'says which' $only
wants 1 'rules that no scenario fires: .*urgent-pointer' 'and which are not fired at all' $only
wants 0 ' 1 plays; 0 unnoticed, 0 obligatory rules' 'not when tests are selected' $only killed
wants 0 ' 0 plays; ' 'whose rows alone count' $only killed/ipv6
wants 1 'obligatory rules that no fault breaks' 'rules are part of the whole' "$tcpassay" selftest --suite "$work/suite"
rules 'tcp-checksum\tack-dropped\tkilled/ipv4\n'
wants 1 'UNNOTICED  tcp-checksum \(MUST\)  ack-dropped  killed/ipv4' 'a rule that the fault does not break' $only killed
rules 'tcp-checksum\t-\tnobody can\n'
wants 1 'note: rule tcp-checksum \(MUST\) is broken by no fault: nobody can' 'a rule without a fault, for a reason' $only
rules 'no-such-rule\tack-dropped\tkilled/ipv4\ntcp-checksum\tno-such-fault\tkilled/ipv4\ntcp-checksum\tchecksum-bad\tkilled/ipv5\nno row\n'
wants 1 'rules.tsv:2: there is no rule "no-such-rule"' 'an unknown rule' $only
wants 1 'rules.tsv:3: there is no fault "no-such-fault"' 'an unknown fault' $only
wants 1 'rules.tsv:4: there is no test "killed/ipv5"' 'an unknown test' $only
wants 1 'rules.tsv:5: a row is a rule, a fault and a test' 'no row' $only
rm "$work/suite/rules.tsv"
wants 3 'cannot read the table of rules' 'no table' $only
wants 0 '0 survivors' 'which another suite need not have' "$tcpassay" selftest --suite "$work/suite"
wants 0 '^tcp-checksum	checksum-bad	killed/ipv4	4	' 'what each fault breaks' $only --all-faults --fault checksum-bad
rules 'data-is-acknowledged\tack-dropped\tkilled/ipv4\n'
wants 0 '0 unnoticed' 'a table of what was played' $only killed -o "$work/rules-out.tsv"
holds 'which has its row' grep -q '^data-is-acknowledged	ack-dropped	killed/ipv4	MUST	yes	' "$work/rules-out.tsv"

wants 0 'ack-late-600ms +sends ACKs' 'the list of faults' "$tcpassay" selftest --faults
wants 0 'ack-late-600ms +sends ACKs' 'the same of the target' "$tcpassay" targets saboteur
wants 0 'usage: tcpassay selftest' 'help' "$tcpassay" selftest --help
wants 2 'no fault "ack-dripped"; did you mean "ack-dropped"' 'a fault mistyped' "$tcpassay" selftest --fault ack-dripped
wants 2 'no fault "state-lies@2"' 'a fault that cannot begin later' "$tcpassay" selftest --fault state-lies@2
wants 2 'no test is meant by "rfc9999"' 'an unknown selector' "$tcpassay" selftest rfc9999
wants 2 '--seed takes a number' 'a seed that is none' "$tcpassay" selftest --seed x
wants 2 'there is no fault "nope"' 'a target with an unknown fault' "$tcpassay" run --target saboteur:nope,reference --out "$work/o" "$work/killed.pkt"
wants 2 'no target "toaster" to wrap' 'an unknown target to wrap' "$tcpassay" run --target saboteur:ack-dropped,toaster --out "$work/o" "$work/killed.pkt"
wants 1 '2 failed' 'a run on a sabotaged target' "$tcpassay" run --target saboteur:ack-dropped,reference --out "$work/o" "$work/killed.pkt"
holds 'says so in its results' grep -q 'sabotaged: sends no ACK that is nothing else' "$work/o/results.jsonl"
finish
