#!/bin/sh
# What a person may type wrong, and what is said then: exit codes 2 and 3, with what, where and what to do next.
. "$(dirname "$0")/lib.sh"

wants 0 'usage: tcpassay COMMAND' 'help' "$tcpassay" --help
wants 2 'usage: tcpassay COMMAND' 'no command' "$tcpassay"
wants 2 'did you mean "run"' 'a command mistyped' "$tcpassay" rnu
for command in run list explain check replay probe targets serve; do
    wants 0 "usage: tcpassay $command" "help of $command" "$tcpassay" $command --help
done

wants 2 'no test is meant by "rfc9999".*tcpassay list' 'an unknown selector' "$tcpassay" run rfc9999 --out "$work/o"
wants 2 'no target "toaster".*tcpassay targets' 'an unknown target' "$tcpassay" run --target toaster --out "$work/o"
wants 2 'unknown, or lacks its value' 'an unknown option' "$tcpassay" run --frobnicate
wants 2 '--report takes a list' 'an unknown report' "$tcpassay" run --report pdf
wants 2 '--shard takes I/N' 'a shard out of range' "$tcpassay" run --shard 3/2
wants 2 '--seed takes a number' 'a seed that is no number' "$tcpassay" run --seed x
wants 2 'no profile "fast"' 'an unknown profile' "$tcpassay" run --profile fast
wants 2 'neither a requirement nor a test' 'explaining nothing' "$tcpassay" explain RFC0:nothing
wants 0 'rule:simultaneous-open-is-answered' 'explaining a requirement tells the rules for it' "$tcpassay" explain RFC9293:MUST-10
wants 0 'RFC9293:3.10.7.2-c' 'explaining a rule' "$tcpassay" explain rule:syn-in-listen-is-answered
wants 0 'rule:gap-in-sequence ' 'listing all rules' "$tcpassay" explain rule:
wants 2 'did you mean rule:gap-in-sequence' 'explaining no rule' "$tcpassay" explain rule:gap-in-sequnce
wants 0 'MUST, section 3.5' 'explaining a requirement' "$tcpassay" explain RFC9293:MUST-10
wants 0 'reference +ready' 'targets' "$tcpassay" targets

# A wrong scenario names file, line and column, stops no other, and ends with 2.
mkdir "$work/suite"
printf '//: title fine\n0 < S 0:0(0)\n' >"$work/suite/fine.pkt"
printf '//: title wrong\n0 < S 0:0(0)\n+0 > win 5\n' >"$work/suite/syntax.pkt"
printf '//: title wrong\n+0 assert $nobody == 1\n' >"$work/suite/reference.pkt"
printf '//: title wrong\n//: colour red\n0 < S 0:0(0)\n' >"$work/suite/directive.pkt"
wants 2 'syntax.pkt:3:[0-9]+: ' 'a scenario with a syntax error' "$tcpassay" run "$work/suite/syntax.pkt" --out "$work/o"
wants 2 'reference.pkt:2:[0-9]+: ' 'an impossible reference' "$tcpassay" run "$work/suite/reference.pkt" --out "$work/o"
wants 2 'directive.pkt:2:[0-9]+: ' 'an unknown directive' "$tcpassay" run "$work/suite/directive.pkt" --out "$work/o"
wants 2 '2 tests' 'the others still run' "$tcpassay" run --suite "$work/suite" --out "$work/o"
wants 2 'No such file' 'a scenario file that is not there' "$tcpassay" run "$work/missing.pkt" --out "$work/o"
printf '0 `touch %s/touched`\n+0 < S 0:0(0)\n' "$work" >"$work/shell.pkt"
wants 0 'not_applicable' 'a script with a shell command' "$tcpassay" replay "$work/shell.pkt"
holds 'the shell command was not executed' test ! -e "$work/touched"

# What file names may hold.
mkdir "$work/odd"
cp "$work/suite/fine.pkt" "$(printf '%s/odd/\033[31m.pkt' "$work")"
cp "$work/suite/fine.pkt" "$(printf '%s/odd/\377.pkt' "$work")"
wants 0 'x1b\[31m/ipv4' 'a name that would colour the terminal' "$tcpassay" list --suite "$work/odd"
holds 'a name that is no UTF-8 is in the JSON list' sh -c 'test "$("$0" list --json --suite "$1" | grep -c \"id\")" -eq 4' "$tcpassay" "$work/odd"

# Where results, or what is printed, cannot be written.
if [ -c /dev/full ]; then
    wants 3 'standard output could not be written' 'a list that finds no room' sh -c '"$0" list >/dev/full' "$tcpassay"
    wants 0 'exit 0' 'a run whose reader goes away' sh -c '{ "$0" run "$1" --out "$2"; echo "exit $?" >&2; } | true' \
        "$tcpassay" "$work/suite/fine.pkt" "$work/gone"
    holds 'a run without standard files' sh -c '"$0" run "$1" --out "$2" <&- >&- 2>&-' "$tcpassay" "$work/suite/fine.pkt" "$work/closed"
    holds 'nothing that was printed got into its journal' sh -c '! grep -v "^{" "$0"' "$work/closed/results.jsonl"
fi
: >"$work/file"
wants 3 "$work/file" 'an --out below a file' "$tcpassay" run "$work/suite/fine.pkt" --out "$work/file/out"
wants 3 '/proc/nowhere' 'an --out that cannot be made' "$tcpassay" run "$work/suite/fine.pkt" --out /proc/nowhere
finish
