#!/bin/sh
# Target files: found by name, run, wrong ones told with their line; and discovery, which fills one in.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 3
export HOME="$work"

printf '# by its name\ntarget = reference\n' >mine.target
wants 0 'mine +ready +\./mine.target' 'a file of the working folder is listed' "$tcpassay" targets
wants 0 'tcpassay .* reference TCP' 'and described' "$tcpassay" targets mine
wants 0 '[1-9][0-9]* passed, 0 failed' 'and run' "$tcpassay" run --target mine rfc9293/3.5 --out o
holds 'results name the target as it was named' grep -q '"name": *"mine"' o/results.json
wants 0 '[1-9][0-9]* passed, 0 failed' 'and run by its path' "$tcpassay" run --target ./mine.target rfc9293/3.5.1 --out o
mkdir -p targets.d .config/tcpassay
printf 'target = saboteur:rst-dropped,reference\n' >targets.d/broken.target
printf 'target = lwip\n' >.config/tcpassay/small.target
wants 0 'broken +ready' 'a file in targets.d' "$tcpassay" targets
wants 0 'small ' 'a file in ~/.config/tcpassay' "$tcpassay" targets
wants 1 'rst-dropped|FAIL' 'it is what it says' "$tcpassay" run --target broken rfc9293/3.10.7.1 --out o

printf 'target = tap:tap0\nmtu = many\n' >wrong.target
wants 2 'wrong.target:2: mtu=many: expected mtu=OCTETS' 'a value that is wrong' "$tcpassay" run --target wrong --out o
wants 0 'wrong +unusable' 'the list goes on behind a file that is wrong' "$tcpassay" targets
printf 'target = toaster\n' >kitchen.target
wants 2 'no target "toaster"' 'a target that there is not' "$tcpassay" targets kitchen
mkdir folder.target
wants 2 'it is no file' 'a folder' "$tcpassay" targets folder.target
wants 2 'No such file' 'nothing' "$tcpassay" targets nothing.target

wants 0 'msl-s += 120' 'discovery sees how long TIME-WAIT lasts' "$tcpassay" targets --discover reference --patience 300
wants 0 'after 61 s: with a longer --patience' 'or says that it did not see the end' "$tcpassay" targets --discover reference
wants 0 'lacks += ecn\+fastopen' 'and what is not offered' "$tcpassay" targets --discover reference --patience 1
wants 0 'TIME-WAIT was over after 1 s or less' 'a stack without TIME-WAIT' "$tcpassay" targets --discover saboteur:time-wait-none,reference --patience 30
wants 0 'lacks += timestamps' 'a stack without timestamps' "$tcpassay" targets --discover saboteur:no-timestamps,reference --patience 1
"$tcpassay" targets --discover reference --patience 2 >found.target
wants 0 'tcpassay .* reference TCP' 'what it prints is a target file' "$tcpassay" targets found
wants 2 'no target "toaster"' 'discovering nothing' "$tcpassay" targets --discover toaster
wants 2 'from 1 to 300' 'no patience' "$tcpassay" targets --discover reference --patience 0
finish
