#!/bin/sh
# No false alarm: `tcpassay check` passes every capture of ordinary traffic that the repository keeps, from the command line, and says the same twice.
. "$(dirname "$0")/../../cli/test/lib.sh"
folder=$(dirname "$0")/captures
for capture in "$folder"/*.pcap "$folder"/*.pcapng; do
    case $capture in
    *form-cut-file*) wants 3 '0 violations' "check ${capture##*/}" "$tcpassay" check "$capture" ;;
    *) wants 0 '0 violations' "check ${capture##*/}" "$tcpassay" check "$capture" ;;
    esac
    cp "$work/out" "$work/first"
    "$tcpassay" check "$capture" >"$work/second" 2>&1
    holds "the same again of ${capture##*/}" cmp "$work/first" "$work/second"
done
wants 0 'violations' "check of a capture on standard input" sh -c "\"\$1\" check - <\"\$2\"" sh "$tcpassay" "$folder/form-pcapng.pcapng"
finish
