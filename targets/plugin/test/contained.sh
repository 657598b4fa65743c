#!/bin/sh
# Whatever a plugin does wrong: the scenario that caused it fails, in words; those before and behind it pass; the results are whole; what was
# started is gone. PLUGINS is the folder of the bad ones.
. "$(dirname "$0")/../../../engine/cli/test/lib.sh"
plugins=${PLUGINS:?the folder of bad.so and nothing.so}
export TCPASSAY_PLUGIN_MEMORY_MIB=200 TCPASSAY_PLUGIN_CPU_MS=400
export ASAN_OPTIONS=handle_segv=0:handle_sigbus=0:handle_abort=0 # signals as they are, also where everything is sanitized

mkdir "$work/suite"
printf '//: title before\n//: ip 4\n0 < S 0:0(0) win 1000\n' >"$work/suite/1-before.pkt"
{
    printf '//: title culprit\n//: ip 4\n0 < S 0:0(0) win 26214\n+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 bind(3, ..., ...) = 0\n'
    printf '+0 listen(3, 1) = 0\n+0 accept(3, ..., ...) = 4\n+0 write(4, ..., 10) = 10\n+0 read(4, "xxxxxxxxxx", 10) = 10\n'
    printf '+0 state CLOSED\n+1 close(4) = 0\n'
} >"$work/suite/2-culprit.pkt"
printf '//: title behind\n//: ip 4\n0 < S 0:0(0) win 1000\n' >"$work/suite/3-behind.pkt"

run() { BAD=$1 "$tcpassay" run --suite "$work/suite" --no-model --seed 1 --out "$work/o" --target "plugin:$plugins/bad.so"; }
verdict() { sed -n "s/.*\"id\": *\"\\([^\"]*\\)\".*\"verdict\": *\"\\([a-z_]*\\)\".*/\\1 \\2/p" "$work/o/results.jsonl" | sed -n "s/^$1[^ ]* //p"; }

# contained CALL:DEED RULE WORDS: the culprit fails with this rule and these words, and nobody else does
contained() {
    wants 1 "$3" "$1" run "$1"
    holds "$1: the scenario before passes" [ "$(verdict 1-before)" = pass ]
    holds "$1: the culprit fails" [ "$(verdict 2-culprit)" = fail ]
    holds "$1: the scenario behind passes" [ "$(verdict 3-behind)" = pass ]
    holds "$1: the rule is $2" grep -q "\"rule\": *\"$2\"" "$work/o/results.jsonl"
}

wants 0 '3 tests' 'a plugin that does nothing wrong' run ''

contained input:segv crash 'signal 11 .Segmentation fault. in input\(\), of `S .*win 26214.*40 octets'
contained socket:segv crash 'signal 11 .Segmentation fault. in socket\(\)'
contained bind:segv crash 'in bind\(\)'
contained listen:abort crash 'signal 6 .Aborted. in listen\(\)'
contained accept:exit crash 'ended itself with exit status 7 in accept\(\)'
contained send:say crash "in send\\(\\).*it printed: stack.c:17: Assertion .the moon is blue. failed"
contained status:segv crash 'in status\(\)'
contained advance:segv crash 'in advance\(\)'
contained next_deadline:segv crash 'in next_deadline\(\)'
contained destroy:abort crash 'signal 6 .Aborted. in destroy\(\)'
contained input:recursion crash 'signal 11'
contained input:loop hang 'input\(\) took more than 0\.[0-9]+ s of processor time, and was stopped'
contained close:sleep hang 'close\(\) waits for something'
contained input:flood hang 'more than [0-9]+ octets of packets in one go'
contained next_deadline:past hang 'next_deadline\(\) (asks for 1 ns, and goes on|has asked to be told the time)'
contained next_deadline:negative hang 'next_deadline\(\) (asks for -[0-9]+ ns, and goes on|has asked to be told the time)'
contained next_deadline:creeping hang 'asked to be told the time 10000 times within'
contained input:longjmp crash 'crash: '
contained input:thread crash 'output\(\) was called from another thread'
contained input:closefds crash 'has closed a descriptor that is not its own'
contained input:scribble crash 'memory that is not its own|signal|contract|gave|status'
contained input:overrun crash 'signal 11 .Segmentation fault. in input\(\)'
contained input:overread crash 'signal 11 .Segmentation fault. in input\(\)'
contained input:nopacket crash 'output\(\) was given no packet, but NULL, of 40 octets'
contained input:bigpacket crash 'output\(\) was given a packet of 1099511627776 octets'
contained receive:overrun crash 'signal 11 .Segmentation fault. in receive\(\)'
contained receive:one-over crash 'receive\(\) wrote beyond the 10 octets'
contained receive:more crash 'receive\(\) gave 11, where 10 is the most'
contained send:more crash 'send\(\) gave 11, where 10 is the most'
contained socket:huge crash 'socket\(\) gave 9223372036854775807, where 2147483647 is the most'
contained accept:nonsense crash 'accept\(\) gave -1000000, which is no errno'
contained accept:version crash 'accept\(\) gave an address of version 77'
contained status:state crash 'status\(\) gave state 99'
export TCPASSAY_PLUGIN_CPU_MS=10000
contained input:leak crash 'memory was at [0-9]+ MiB, and 200 is the most|took more memory than it may have|printed: out of memory'
export TCPASSAY_PLUGIN_CPU_MS=400

# No fault: what it prints is not ours, and a struct that is longer than ours is another version's.
wants 0 '3 tests' 'a plugin that prints to our standard output' run input:print
holds 'what it prints is not among what we print' sh -c "! grep -q printed '$work/out'"
wants 0 '3 tests' 'a plugin whose status is longer' run status:longer
TCPASSAY_PLUGIN_OUTPUT="$work/printed" run input:print >"$work/out" 2>&1
holds 'what it prints can be seen in a file' grep -q 'by the plugin' "$work/printed"

# A scenario that asks for a setting: create() alone is to blame, or refuses.
printf '//: title culprit\n//: ip 4\n//: setting a-setting-that-is-named-again-and-again 1\n0 < S 0:0(0) win 1000\n' >"$work/suite/2-culprit.pkt"
contained create:segv crash 'signal 11 .Segmentation fault. in create\(\)'
contained create:loop hang 'create\(\) took more than'
wants 0 'not.applicable' 'a setting that is refused' run ''
holds 'a setting that is refused: not applicable' [ "$(verdict 2-culprit)" = not_applicable ]
printf '//: title culprit\n//: ip 4\n//: setting sack off\n0 < S 0:0(0) win 1000\n' >"$work/suite/2-culprit.pkt"
wants 0 'not.applicable' 'a setting that it does not have' run ''
holds 'a setting that it does not have: the reason' grep -q 'there is no setting ..sack' "$work/o/results.jsonl"
rm "$work/suite/2-culprit.pkt"

# What cannot be loaded, or lies about itself, is told before the run: exit 3, and what to do.
wrong() { wants 3 "$2" "$1" run "$1"; }
wrong load:version 'speaks version 2 of the plugin interface; this program speaks version 1: build it with'
wrong load:small 'has 24 octets, but it takes [0-9]+ to hold'
wrong load:odd 'octets, which cannot be'
wrong load:vast '4294967288 octets, which cannot be'
wrong load:null 'gives NULL from tcpassay_plugin_v1'
wrong load:flags 'claims neither TCPASSAY_IPV4 nor TCPASSAY_IPV6'
wrong load:tick 'wants a tick each -1 ns'
wrong load:lacks 'lacks what must be there: input\(\)'
wrong load:name 'signal 11 .Segmentation fault. in the loading of the library'
wrong load:exit 'exit status 7 in the loading of the library'
wrong load:loop 'the loading of the library took more than'
wrong early:segv 'signal 11 .Segmentation fault. in create\(\)'
wrong early:null 'create\(\) gave NULL'
wants 0 'tests' 'a plugin of a later version' run load:later
wants 0 'tests' 'a plugin of an older version' run load:older
run_file() { "$tcpassay" run --suite "$work/suite" --out "$work/o" --target "plugin:$1"; }
echo 'no library at all, but long enough to be looked at as one' >"$work/text.so"
wants 3 'it is no shared library: build it with cc -shared -fPIC' 'a text' run_file "$work/text.so"
: >"$work/empty.so"
wants 3 'it is no shared library' 'an empty file' run_file "$work/empty.so"
head -c 3000 "$plugins/bad.so" >"$work/cut.so"
wants 3 'cannot be loaded|in the loading of the library' 'a file cut short' run_file "$work/cut.so"
wants 3 'has no function tcpassay_plugin_v1' 'a library that is no plugin' run_file "$plugins/nothing.so"
wants 2 'missing.so: No such file' 'a file that is not there' run_file "$work/missing.so"
wants 2 'which plugin' 'no file' "$tcpassay" run --suite "$work/suite" --out "$work/o" --target plugin
wants 3 'not here' 'targets says it, too' env BAD=load:version "$tcpassay" targets "plugin:$plugins/bad.so"
wants 0 'missing connect\(\) = no active opens' 'targets says what is missing' "$tcpassay" targets "plugin:$plugins/bad.so"
wants 0 'plugin +ready' 'targets lists plugins' "$tcpassay" targets

holds 'nothing is left running' sh -c "! grep -lsq '[p]lugin-holder.$plugins' /proc/[0-9]*/cmdline"
finish
