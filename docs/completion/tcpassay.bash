# Completion of the commands, options, targets, tests and requirements of tcpassay, for bash.
# shellcheck shell=bash

# Words that only the program knows: its tests, targets and requirements.
_tcpassay_tests() { tcpassay list 2>/dev/null | awk '{ print $1 }'; }
_tcpassay_targets() { tcpassay targets 2>/dev/null | awk '/^[a-z]/ { print $1 }'; }
_tcpassay_faults() { tcpassay selftest --faults 2>/dev/null | awk '/^ *[a-z0-9]+(-[a-z0-9]+)+ / { print $1 }'; }
_tcpassay_rules() { tcpassay explain rule: 2>/dev/null | awk '/^rule:/ { print $1 }'; }
_tcpassay_mapped() { tcpassay explain "$1" 2>/dev/null | awk -v suite="$1/" 'index($1, suite) == 1 { print $1 }'; }
_tcpassay_requirements() { tcpassay explain RFC 2>/dev/null | awk '/^RFC/ { print $1 }'; }

# A test's id up to its next part, as file names complete folder by folder.
_tcpassay_parts() {
    local prefix=${1%"${1##*/}"}
    _tcpassay_tests | awk -v prefix="$prefix" 'index($0, prefix) == 1 {
        rest = substr($0, length(prefix) + 1); slash = index(rest, "/"); print prefix (slash ? substr(rest, 1, slash) : rest) }' | sort -u
}

_tcpassay_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current"); }

_tcpassay_selectors() {
    local files
    if [[ $current == covers:* ]]; then
        _tcpassay_words "$(_tcpassay_requirements | sed 's/^/covers:/')"
        return
    fi
    mapfile -t files < <(compgen -f -X '!*.pkt' -- "$current")
    if [[ $current == @(tc8|freebsd|packetimpact)/* ]]; then
        _tcpassay_words "$(_tcpassay_mapped "${current%%/*}")"
        return
    fi
    _tcpassay_words "$(_tcpassay_parts "$current") covers: tc8/ freebsd/ packetimpact/"
    COMPREPLY+=("${files[@]}")
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == */ || ${COMPREPLY[0]-} == covers: ]] && compopt -o nospace
}

_tcpassay_option_value() { # the word before is an option that takes a value: true when that was completed
    case $previous in
        -t | --target | --against | --discover) _tcpassay_words "$(_tcpassay_targets)" ;;
        --fault) _tcpassay_words "$(_tcpassay_faults)" ;;
        --offload) _tcpassay_words "yes no auto" ;;
        --tap) # a device of serve's, a file of report's
            if [[ ${words[1]} == report ]]; then mapfile -t COMPREPLY < <(compgen -f -- "$current"); else _tcpassay_words "$(ls /sys/class/net)"; fi
            ;;
        --feedback) _tcpassay_words "model none" ;;
        --profile) _tcpassay_words "quick full soak" ;;
        --report) _tcpassay_words "json html md junit tap sarif csv tests-csv pcapng badge" ;;
        --color) _tcpassay_words "always never auto" ;;
        -o | --out | --suite | --http-root | --site) mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
        --json) # of list, it takes none
            [[ ${words[1]} == check || ${words[1]} == report ]] || return 1
            mapfile -t COMPREPLY < <(compgen -f -- "$current")
            ;;
        --baseline | --html | --md | --junit | --sarif | --csv | --tests-csv | --pcapng | --badge | --pcap | --socket | --key | --make-key) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
        --filter | --connections | --jobs | --steps | --runs | --seed | --shard | --address | --loss | --duplicate | --reorder | --corrupt | --size | --status | --listen | --tries | \
            --interval | --wait | --time | --isn | --request | --host) ;;
        *) return 1 ;;
    esac
}

_tcpassay() {
    # readline takes ":" for the end of a word; ids and selectors have it inside
    local current previous words cword
    if declare -F _get_comp_words_by_ref >/dev/null; then
        _get_comp_words_by_ref -n : -w words -i cword
    else
        words=("${COMP_WORDS[@]}") cword=$COMP_CWORD
    fi
    current=${words[cword]} previous=${words[cword - 1]}
    COMPREPLY=()

    if [[ $cword -eq 1 ]]; then
        _tcpassay_words "run list explain check fuzz replay probe report targets selftest serve agent --help --version"
    elif ! _tcpassay_option_value; then
        case ${words[1]}:$current in
            run:-*) _tcpassay_words "--target --out --report --baseline --strict --no-model --profile --jobs --shard --seed --resume --suite --allow-disruptive
                --verbose --quiet --color --help" ;;
            report:-*) _tcpassay_words "--html --md --json --junit --tap --sarif --csv --tests-csv --pcapng --badge --line --site --baseline --compare --all --color --quiet --help" ;;
            list:-*) _tcpassay_words "--json --profile --suite --help" ;;
            selftest:-*) _tcpassay_words "--rules --fault --all-faults --faults --seed --suite --out --help" ;;
            check:-*) _tcpassay_words "--filter --strict --offload --connections --json --out --report --verbose --quiet --help" ;;
            fuzz:-*) _tcpassay_words "--target --against --time --runs --seed --corpus --no-seeds --out --report --jobs --steps --strict --shrink --feedback --quiet --help" ;;
            replay:-*) _tcpassay_words "--target --seed --pcap --print --disruptive --bytes --help" ;;
            probe:-*) _tcpassay_words "-4 -6 --tries --interval --wait --time --isn --request --host --unprivileged --json --help" ;;
            serve:-*) _tcpassay_words "--tap --unix --agent --key --address --loss --duplicate --reorder --corrupt --seed --http-root --size --pcap --status --socket --json --help" ;;
            agent:-*) _tcpassay_words "--listen --key --make-key --settings --once --help" ;;
            explain:-*) _tcpassay_words "--help" ;;
            targets:-*) _tcpassay_words "--discover --patience --help" ;;
            explain:rule:*) _tcpassay_words "$(_tcpassay_rules)" ;;
            explain:RFC*) _tcpassay_words "$(_tcpassay_requirements)" ;;
            run:* | list:* | replay:* | explain:* | selftest:*) _tcpassay_selectors ;;
            check:* | report:*) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
            probe:*) mapfile -t COMPREPLY < <(compgen -A hostname -A service -- "$current") ;;
            targets:*) _tcpassay_words "$(_tcpassay_targets)" ;;
        esac
    fi
    declare -F __ltrim_colon_completions >/dev/null && __ltrim_colon_completions "$current"
    return 0
}

complete -F _tcpassay tcpassay
