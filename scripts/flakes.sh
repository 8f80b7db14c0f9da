#!/usr/bin/env bash
# Looks for tests that pass only sometimes: runs ./test.sh again and again on a busy machine, and all tests at moments at
# which dates go wrong.
#
#   scripts/flakes.sh                      ten rounds under load, then a round for each date and zone
#   scripts/flakes.sh --rounds 3           three rounds under load instead of ten
#   scripts/flakes.sh --only-load          no dates
#   scripts/flakes.sh --only-dates         no load
#   scripts/flakes.sh --date midnight      only the dates whose name contains this word; may be given again
#   scripts/flakes.sh --slow-pages 6       in all rounds, pages in the browser run six times slower
#   scripts/flakes.sh --only-js            no load, and on dates only the JavaScript tests
#   scripts/flakes.sh --keep-going         all rounds and all their tests, although one has failed
#   scripts/flakes.sh --list               the names of the dates
#   scripts/flakes.sh -- -E 'test(alerts)' only Rust tests; what stands after -- goes to cargo nextest: here, which ones
#
# Everything is built once, before the first round. Each round is a line; the first that fails ends the script, names its
# tests, and the exit code is 1. The output of each round is kept in target/flakes. Build nothing in target meanwhile.
#
# On a date each Rust test and each file of JavaScript tests begins at that moment of the wall clock, and the hub that it
# starts shares its clock; clocks that measure durations stay as they are. A browser does not bear a library that fakes
# its clock: its pages have their `Date` moved instead. Checks that look at no clock (format, lints, types, the examples
# in documents) are left to the rounds under load.
#
# Needs cargo-nextest (https://nexte.st), what ./test.sh needs, and for the dates faketime, which is installed where this
# is Debian and the user is root.

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
# shellcheck source=scripts/checks.sh
. scripts/checks.sh

# Loops that compete with the tests: one for each core.
LOAD_LOOPS=$(getconf _NPROCESSORS_ONLN)
# Seconds after which they end, should this script not be able to end them.
LOAD_SECONDS_MAX=14400

# Files of JavaScript tests that run at once.
JS_AT_ONCE=2

# Each date: a name, the moment in UTC (`now`: the machine's), and TZ. All lie behind the dates of the fixtures.
# São Paulo is three hours behind UTC.
DATES='midnight-before 2027-06-16T02:59:30Z UTC
midnight-across 2027-06-16T02:59:58Z UTC
midnight-just-after 2027-06-16T03:00:05Z UTC
midnight-after 2027-06-16T03:01:00Z UTC
utc-midnight 2027-06-15T23:59:58Z UTC
sunday 2027-06-20T15:00:00Z UTC
leap-day 2028-02-29T15:00:00Z UTC
last-day 2027-12-31T15:00:00Z UTC
new-year 2028-01-01T02:59:58Z America/Sao_Paulo
tokyo now Asia/Tokyo
los-angeles now America/Los_Angeles'

rounds=10
load=yes
dates=yes
rust=yes
wanted=""
keep_going=no
fail_fast=--fail-fast
nextest=()
while [ $# -gt 0 ]; do
    case "$1" in
        --rounds)
            rounds=${2:-}
            case "$rounds" in '' | *[!0-9]*) echo "--rounds needs a number" >&2; exit 2 ;; esac
            shift
            ;;
        --only-load) dates=no ;;
        --only-dates) load=no ;;
        --slow-pages)
            case "${2:-}" in '' | *[!0-9]*) echo "--slow-pages needs a number" >&2; exit 2 ;; esac
            export SLOW_PAGES=$2
            shift
            ;;
        --only-js)
            rust=no
            load=no
            ;;
        --date)
            [ -n "${2:-}" ] || { echo "--date needs a word" >&2; exit 2; }
            wanted+=" $2"
            load=no
            shift
            ;;
        --keep-going)
            keep_going=yes
            fail_fast=--no-fail-fast
            ;;
        --list)
            printf '%s\n' "$DATES"
            exit 0
            ;;
        -h | --help)
            sed -n '2,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
            exit 0
            ;;
        --)
            shift
            nextest=("$@")
            break
            ;;
        *)
            echo "unknown argument: $1 (--help shows all)" >&2
            exit 2
            ;;
    esac
    shift
done

have() { command -v "$1" >/dev/null 2>&1; }

# The library that fakes the clock, as LD_PRELOAD wants it.
clock_library() {
    if ! have faketime && have apt-get && [ "$(id -u)" -eq 0 ]; then
        echo "installing faketime" >&2
        { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends faketime; } >&2
    fi
    # shellcheck disable=SC2016 # the shell inside expands it
    have faketime && faketime -m -f +0 sh -c 'printf "%s\n" "$LD_PRELOAD"'
}

# Competes for every core until this script has ended.
busy() {
    local end=$((SECONDS + LOAD_SECONDS_MAX)) turns
    while [ "$SECONDS" -lt "$end" ] && kill -0 $$ 2>/dev/null; do
        turns=0
        while [ "$turns" -lt 100000 ]; do turns=$((turns + 1)); done
    done
}

load_pids=()
begin_load() {
    local loop=0
    while [ "$loop" -lt "$LOAD_LOOPS" ]; do
        busy &
        load_pids+=($!)
        loop=$((loop + 1))
    done
}
end_load() {
    local pid
    for pid in ${load_pids[@]+"${load_pids[@]}"}; do
        kill "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    load_pids=()
}

runner=""
end() {
    if [ -n "$runner" ]; then
        kill "$runner" 2>/dev/null
        wait "$runner" 2>/dev/null
    fi
    end_load
    rm -rf "$work"
}

work=$(mktemp -d) || exit 1
trap end EXIT
trap 'exit 130' INT TERM

# What each Rust test, and each file of JavaScript tests, is started through. The clock is moved by a difference, so that a
# hub has the clock of its test.
cat >"$work/at-moment" <<'RUNNER'
#!/bin/sh
if [ -n "${FLAKES_MOMENT:-}" ]; then
    FAKETIME=$(printf '%+ds' $((FLAKES_MOMENT - $(date +%s))))
    LD_PRELOAD=$FLAKES_LIBRARY
    # Timeouts go by the monotonic clock and stay as they are. Versions of the library differ in the variable's name.
    FAKETIME_DONT_FAKE_MONOTONIC=1 DONT_FAKE_MONOTONIC=1
    export FAKETIME LD_PRELOAD FAKETIME_DONT_FAKE_MONOTONIC DONT_FAKE_MONOTONIC
fi
exec "$@"
RUNNER
# js-file FOLDER FILE: the tests of one file. It tells all at once, so that two of them do not mix.
cat >"$work/js-file" <<'RUNNER'
#!/bin/sh
cd "$1" || exit 1
if [ "$1" = frontend ]; then set -- "$2" --import ./test/register.js; else set -- "$2"; fi
file=$1
shift
said=$("$(dirname "$0")/at-moment" node "$@" --test --test-reporter=tap "$file" 2>&1)
status=$?
printf '# file %s\n%s\n' "$file" "$said"
exit "$status"
RUNNER
chmod +x "$work/at-moment" "$work/js-file"

failed=0
# tell NAME BEGUN STATUS SUMMARY LOG: a line on how a round went, and what failed in it.
tell() {
    local name=$1 seconds=$((SECONDS - $2)) status=$3 summary=$4 log=$5
    if [ "$status" -eq 0 ]; then
        printf 'ok      %-22s %4d s  %s\n' "$name" "$seconds" "$summary"
        return
    fi
    printf 'FAILED  %-22s %4d s  %s\n' "$name" "$seconds" "${summary:-no test was run}"
    # As nextest names them, as node's two reporters do, and as test.sh names its parts.
    sed -n -E -e 's/^ *(FAIL|TIMEOUT|SIG[A-Z]+|ABORT|LEAK-FAIL) \[[^]]*\] *(\([^)]*\))? */        /p' \
        -e 's/^ *(not ok [0-9]+ -|✖) /        /p' -e 's/^FAILED +/        /p' "$log" | sort -u
    printf '        %s\n' "$log"
    failed=$((failed + 1))
    [ "$keep_going" = yes ] || exit 1
}

# in_round LOG COMMAND...: in the background, so that a signal to this script does not wait for the end of the round.
in_round() {
    local log=$1 status
    shift
    "$@" >"$log" 2>&1 </dev/null &
    runner=$!
    wait "$runner"
    status=$?
    runner=""
    return "$status"
}

# whole_round NAME: all that ./test.sh does.
whole_round() {
    local log=$logs/$1.log begun=$SECONDS
    in_round "$log" ./test.sh
    tell "$1" "$begun" $? "$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1)" "$log"
}

# rust_round NAME: the Rust tests once, as they were built.
rust_round() {
    local log=$logs/$1.log begun=$SECONDS
    in_round "$log" cargo nextest run --cargo-metadata "$work/cargo.json" --binaries-metadata "$work/binaries.json" \
        --config "target.$triple.runner = ['$work/at-moment']" --color never "$fail_fast" --status-level fail \
        --final-status-level slow ${nextest[@]+"${nextest[@]}"}
    tell "$1" "$begun" $? "$(sed -n 's/^ *Summary \[[^]]*\] *//p' "$log" | tail -n 1)" "$log"
}

# js_round NAME: the tests of client and dashboard once.
js_round() {
    local log=$logs/$1.log begun=$SECONDS
    in_round "$log" js_tests
    tell "$1" "$begun" $? "$(awk '/^# pass /{ p += $3 } /^# (fail|cancelled) /{ f += $3 }
        END { print p + 0 " passed, " f + 0 " failed" }' "$log")" "$log"
}

js_tests() {
    {
        (cd frontend && printf 'frontend %s\n' src/*/*.test.ts)
        (cd tests/js && printf 'tests/js %s\n' unit/*.test.js hub/*.test.js browser/*.test.js)
    } | xargs -P "$JS_AT_ONCE" -L 1 "$work/js-file"
}

cargo nextest --version >/dev/null 2>&1 || fail "cargo-nextest is needed: https://nexte.st"
if [ "$dates" = yes ]; then
    FLAKES_LIBRARY=$(clock_library) || fail "faketime is needed for the dates (the name of Debian's package); or use --only-load"
    export FLAKES_LIBRARY
fi
triple=$(rustc -vV | sed -n 's/^host: //p')
logs=${CARGO_TARGET_DIR:-target}/flakes
mkdir -p "$logs" || exit 1
# A snapshot that differs is a failure, not a new file.
export INSTA_UPDATE=no INSTA_FORCE_PASS=0

echo "building the tests"
cargo metadata --locked --format-version 1 --filter-platform "$triple" >"$work/cargo.json" || fail "the packages cannot be read"
cargo nextest list --locked --list-type binaries-only --message-format json >"$work/binaries.json" ||
    fail "the tests cannot be built"

UMBLER_HUB_BIN=$(cd "${CARGO_TARGET_DIR:-target}" && pwd)/debug/umbler-hub
export UMBLER_HUB_BIN
if [ "$dates" = yes ] && [ ${#nextest[@]} -eq 0 ]; then
    for folder in frontend tests/js; do
        (cd "$folder" && npm ci --no-audit --no-fund) >"$logs/npm.log" 2>&1 || fail "$(cat "$logs/npm.log")"
    done
fi

if [ "$load" = yes ]; then
    begin_load
    number=1
    while [ "$number" -le "$rounds" ]; do
        if [ ${#nextest[@]} -eq 0 ]; then whole_round "load-$number"; else rust_round "load-$number"; fi
        number=$((number + 1))
    done
    end_load
fi
if [ "$dates" = yes ]; then
    while read -r name moment zone; do
        for word in ${wanted:-$name}; do
            case "$name" in *"$word"*) ;; *) continue ;; esac
            unset FLAKES_MOMENT
            if [ "$moment" != now ]; then
                FLAKES_MOMENT=$(date -d "$moment" +%s) || exit 1
                export FLAKES_MOMENT
            fi
            export TZ=$zone
            [ "$rust" = no ] || rust_round "$name"
            [ ${#nextest[@]} -gt 0 ] || js_round "$name-js"
            break
        done
    done <<<"$DATES"
fi
[ "$failed" -eq 0 ]
