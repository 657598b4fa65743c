#!/bin/sh
# When lwIP crashes, the scenario that caused it fails, in words, and those before and behind it are played. MORTAL is a tcpassay-lwip that an
# urgent pointer kills.
# shellcheck source=engine/cli/test/lib.sh
. "$(dirname "$0")/../../../engine/cli/test/lib.sh"
export TCPASSAY_LWIP="${MORTAL:?a tcpassay-lwip that urgent data kill}"

mkdir "$work/suite"
printf '//: title before\n//: ip 4\n0 < S 0:0(0) win 1000\n* > R. *:*(0)\n' >"$work/suite/1-before.pkt"
printf '//: title culprit\n//: ip 4\n0 < SU 0:0(0) win 1000\n* > R. *:*(0)\n' >"$work/suite/2-culprit.pkt"
printf '//: title behind\n//: ip 4\n0 < S 0:0(0) win 1000\n* > R. *:*(0)\n' >"$work/suite/3-behind.pkt"
verdict() { sed -n "s/.*\"id\": *\"$1[^\"]*\".*\"verdict\": *\"\\([a-z_]*\\)\".*/\\1/p" "$work/o/results.jsonl"; }

wants 1 'signal 6 .Aborted. in dealing with a packet: Assertion .nothing is urgent. failed' 'a crash' \
    "$tcpassay" run --suite "$work/suite" --target lwip --seed 1 --out "$work/o"
holds 'the scenario before passes' [ "$(verdict 1-before)" = pass ]
holds 'the culprit fails' [ "$(verdict 2-culprit)" = fail ]
holds 'the scenario behind passes' [ "$(verdict 3-behind)" = pass ]
finish
