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
# tests, and the exit code is 1. Tests that were not run are counted below it, with the reason. The output of each round is
# kept in target/flakes. Build nothing in target meanwhile. Whatever ends this script ends all that the round has started.
#
# On a date each Rust test and each file of JavaScript tests begins at that moment of the wall clock, and the hub that it
# starts shares its clock; clocks that measure durations stay as they are. A browser does not bear a library that fakes
# its clock: its pages have their `Date` moved instead. Checks that look at no clock (format, lints, types, the examples
# in documents) are left to the rounds under load.
#
# Needs Linux, cargo-nextest (https://nexte.st), what ./test.sh needs, and for the dates faketime, which is installed where
# this is Debian and the user is root.

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
# shellcheck source=scripts/checks.sh
. scripts/checks.sh

# Loops that compete with the tests: one for each core.
LOAD_LOOPS=$(getconf _NPROCESSORS_ONLN)
# What a round has started has so long to end, in tenths of a second. cargo nextest gives its tests ten seconds.
END_TRIES_MAX=150

# The test that fetches the programs of others which tests run.
PROGRAMS_TEST=programs_of_others_are_fetched_once_for_all_tests

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

# Competes for a core until it is ended, or this script is gone.
busy() {
    local turns
    while kill -0 $$ 2>/dev/null; do
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
# False where one of the loops was gone already: then the machine was not busy all the time.
end_load() {
    local pid status=0
    for pid in ${load_pids[@]+"${load_pids[@]}"}; do
        kill "$pid" 2>/dev/null || status=1
        wait "$pid" 2>/dev/null
    done
    load_pids=()
    return "$status"
}

# The round that runs: a session of its own, so that all that it has started is known, tests and their hubs too.
runner=""
is_running() { ps -s "$runner" -o stat= | awk '!/^Z/ { running = 1 } END { exit !running }'; }
end_round() {
    local try=0
    [ -n "$runner" ] || return
    pkill -TERM -s "$runner"
    while is_running && [ "$try" -lt "$END_TRIES_MAX" ]; do
        sleep 0.1
        try=$((try + 1))
    done
    pkill -KILL -s "$runner"
    wait "$runner" 2>/dev/null
    runner=""
}

end() {
    end_round
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
# js-tests AT_ONCE: those of all files.
cat >"$work/js-tests" <<'RUNNER'
#!/bin/sh
{
    (cd frontend && printf 'frontend %s\n' src/*/*.test.ts)
    (cd tests/js && printf 'tests/js %s\n' unit/*.test.js hub/*.test.js browser/*.test.js)
} | xargs -P "$1" -L 1 "$(dirname "$0")/js-file"
RUNNER
chmod +x "$work/at-moment" "$work/js-file" "$work/js-tests"

# To which a test that cannot be run here adds a line: its name and why. ./test.sh has one of its own, and prints it.
export SKIPPED_TESTS_LOG=$work/skipped

failed=0
# tell NAME BEGUN STATUS SUMMARY LOG: a line on how a round went, what failed in it, and what was not run.
tell() {
    local name=$1 seconds=$((SECONDS - $2)) status=$3 summary=$4 log=$5 word=ok
    [ "$status" -eq 0 ] || word=FAILED
    printf '%-7s %-22s %4d s  %s\n' "$word" "$name" "$seconds" "${summary:-no test was run}"
    # As nextest names them, as node's two reporters do, and as test.sh names its parts.
    [ "$status" -eq 0 ] || sed -n -E \
        -e 's/^ *(FAIL|TIMEOUT|SIG[A-Z]+|ABORT|LEAK-FAIL) \[[^]]*\] *(\([^)]*\))? */        /p' \
        -e 's/^ *(not ok [0-9]+ -|✖) /        /p' -e 's/^FAILED +/        /p' "$log" | sort -u
    sed -e 's/^[^ ]*: //' "$SKIPPED_TESTS_LOG" | sort | uniq -c | sed 's/^ */        not run: /'
    [ "$status" -eq 0 ] && return
    printf '        %s\n' "$log"
    failed=$((failed + 1))
    [ "$keep_going" = yes ] || exit 1
}

# in_round LOG COMMAND...: in the background, so that a signal to this script does not wait for the end of the round.
in_round() {
    local log=$1 status
    shift
    : >"$SKIPPED_TESTS_LOG"
    setsid "$@" >"$log" 2>&1 </dev/null &
    runner=$!
    wait "$runner"
    status=$?
    end_round
    return "$status"
}

# whole_round NAME: all that ./test.sh does, while every core has something else to do.
whole_round() {
    local log=$logs/$1.log begun=$SECONDS status summary
    begin_load
    in_round "$log" ./test.sh
    status=$?
    summary=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1)
    sed -n '/^== not run here/,/^$/{ /^==/d; /^$/d; p; }' "$log" >"$SKIPPED_TESTS_LOG"
    all_busy || status=1
    tell "$1" "$begun" "$status" "$summary" "$log"
}

# rust_round NAME: the Rust tests once, as they were built.
rust_round() {
    local log=$logs/$1.log begun=$SECONDS status
    [ "$load" = no ] || begin_load
    in_round "$log" cargo nextest run "${as_built[@]}" --color never "$fail_fast" --status-level fail \
        --final-status-level slow ${nextest[@]+"${nextest[@]}"}
    status=$?
    all_busy || status=1
    cat "$SKIPPED_TESTS_LOG" >>"$log"
    tell "$1" "$begun" "$status" "$(sed -n 's/^ *Summary \[[^]]*\] *//p' "$log" | tail -n 1)" "$log"
}

# Ends the load of a round; false, and told, where it had ended before.
all_busy() {
    end_load && return
    echo "The machine was not busy all the time: a loop of the load ended before the round."
    return 1
}

# js_round NAME: the tests of client and dashboard once.
js_round() {
    local log=$logs/$1.log begun=$SECONDS
    in_round "$log" "$work/js-tests" "$JS_AT_ONCE"
    tell "$1" "$begun" $? "$(awk '/^# pass /{ p += $3 } /^# (fail|cancelled) /{ f += $3 } /^# skipped /{ s += $3 }
        END { print p + 0 " passed, " f + 0 " failed" (s ? ", " s " not run" : "") }' "$log")" "$log"
}

command -v setsid >/dev/null || fail "setsid is needed: it is part of util-linux"
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

# How cargo nextest is called for tests that are built, and start at the moment of the round.
as_built=(--cargo-metadata "$work/cargo.json" --binaries-metadata "$work/binaries.json"
    --config "target.$triple.runner = ['$work/at-moment']")
UMBLER_HUB_BIN=$(cd "${CARGO_TARGET_DIR:-target}" && pwd)/debug/umbler-hub
export UMBLER_HUB_BIN
if [ "$dates" = yes ] && [ ${#nextest[@]} -eq 0 ]; then
    for folder in frontend tests/js; do
        (cd "$folder" && npm ci --no-audit --no-fund) >"$logs/npm.log" 2>&1 || fail "$(cat "$logs/npm.log")"
    done
fi

if [ "$load" = yes ]; then
    number=1
    while [ "$number" -le "$rounds" ]; do
        if [ ${#nextest[@]} -eq 0 ]; then whole_round "load-$number"; else rust_round "load-$number"; fi
        number=$((number + 1))
    done
    load=no
fi
if [ "$dates" = yes ]; then
    # Programs of others are fetched today: certificates of the package index may have expired at the dates.
    [ "$rust" = no ] || cargo nextest run "${as_built[@]}" --color never -E "test($PROGRAMS_TEST)" >"$logs/programs.log" 2>&1 ||
        fail "$(cat "$logs/programs.log")"
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
