#!/usr/bin/env bash
# Looks for tests that pass only sometimes: runs the Rust tests again and again on a busy machine, and at moments at which
# dates go wrong.
#
#   scripts/flakes.sh                      ten rounds under load, then a round for each date and zone
#   scripts/flakes.sh --rounds 3           three rounds under load instead of ten
#   scripts/flakes.sh --only-load          no dates
#   scripts/flakes.sh --only-dates         no load
#   scripts/flakes.sh --date midnight      only the dates whose name contains this word; may be given again
#   scripts/flakes.sh --keep-going         all rounds and all their tests, although one has failed
#   scripts/flakes.sh --list               the names of the dates
#   scripts/flakes.sh -- -E 'test(alerts)' what stands after -- goes to cargo nextest: here, which tests
#
# Everything is built once, before the first round. Each round is one line; the first failed test ends the script, is
# named, and the exit code is 1. The output of each round is kept in target/flakes. Build nothing in target meanwhile.
#
# On a date each test begins at that moment of the wall clock, and the hub that it starts shares its clock; clocks that
# measure durations stay as they are. Needs cargo-nextest (https://nexte.st), and for the dates faketime, which is
# installed where this is Debian and the user is root.

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

# Loops that compete with the tests: one for each core.
LOAD_LOOPS=$(getconf _NPROCESSORS_ONLN)
# Seconds after which they end, should this script not be able to end them.
LOAD_SECONDS_MAX=14400

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

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

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

# What nextest starts each test through. The clock is moved by a difference, so that a hub has the clock of its test.
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
chmod +x "$work/at-moment"

failed=0
# round NAME: the tests once, as they were built; a line that tells how it went.
round() {
    local name=$1 log="$logs/$1.log" begun=$SECONDS status summary
    # In the background, so that a signal to this script does not wait for the end of the round.
    cargo nextest run --cargo-metadata "$work/cargo.json" --binaries-metadata "$work/binaries.json" \
        --config "target.$triple.runner = ['$work/at-moment']" --color never "$fail_fast" --status-level fail \
        --final-status-level slow ${nextest[@]+"${nextest[@]}"} >"$log" 2>&1 &
    runner=$!
    wait "$runner"
    status=$?
    runner=""
    summary=$(sed -n 's/^ *Summary \[[^]]*\] *//p' "$log" | tail -n 1)
    if [ "$status" -eq 0 ]; then
        printf 'ok      %-18s %4d s  %s\n' "$name" $((SECONDS - begun)) "$summary"
        return
    fi
    printf 'FAILED  %-18s %4d s  %s\n' "$name" $((SECONDS - begun)) "${summary:-no test was run}"
    sed -n -E 's/^ *(FAIL|TIMEOUT|SIG[A-Z]+|ABORT|LEAK-FAIL) \[[^]]*\] *(\([^)]*\))? */        /p' "$log" | sort -u
    printf '        %s\n' "$log"
    failed=$((failed + 1))
    [ "$keep_going" = yes ] || exit 1
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

if [ "$load" = yes ]; then
    begin_load
    number=1
    while [ "$number" -le "$rounds" ]; do
        round "load-$number"
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
            TZ=$zone round "$name" </dev/null
            break
        done
    done <<<"$DATES"
fi
[ "$failed" -eq 0 ]
