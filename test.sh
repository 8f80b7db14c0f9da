#!/usr/bin/env bash
# Every check and every test, as CI runs them: format, lints, Rust, documentation and its examples, scripts, browser client,
# dashboard. Installs what is missing where it may. Needs Rust, and about 25 minutes on two cores for the first run, a third of
# them to build.
#
# The last line is `N passed, N failed`. A check that fails without naming a failed test counts as one.

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1

passed=0
failed=0
summary=""
# Tests that run at once, for each core: they mostly wait, for a timeout of the product or for another process.
TESTS_PER_CORE=3
# Room for the files of tests in memory. At six tests at once they took up to 430 MB.
MEMORY_KIB_MIN=2097152
log=$(mktemp)
# Tests that need a tool or a right which is missing here write down why they are not run.
SKIPPED_TESTS_LOG=$(mktemp)
export SKIPPED_TESTS_LOG
files=""
trap 'rm -f "$log" "$SKIPPED_TESTS_LOG"; [ -z "$files" ] || rm -rf "$files"' EXIT

# What the runners count, from their own summary lines: cargo test, nextest, node --test, vitest.
counts() {
    sed -e $'s/\x1b\\[[0-9;]*m//g' "$1" | awk '
        function before(word,   part, number) {
            if (!match($0, "[0-9]+ " word)) return 0
            part = substr($0, RSTART, RLENGTH); split(part, number, " ")
            return number[1]
        }
        /^test result: /                           { p += before("passed"); f += before("failed") }
        /^ *Summary \[.*tests? run: /              { p += before("passed"); f += before("failed") + before("timed out") + before("exec failed") }
        /^(# |ℹ )pass [0-9]+$/                     { p += $3 }
        /^(# |ℹ )(fail|cancelled) [0-9]+$/         { f += $3 }
        /^ +Tests +([0-9]+ (failed|passed|skipped|todo)( \| )?)+/ { p += before("passed"); f += before("failed") }
        END { print p + 0, f + 0 }'
}

# Runs one part, shows what it says, and counts.
part() {
    local name=$1 status ok bad word
    shift
    printf '\n== %s\n' "$name"
    "$@" 2>&1 | tee "$log"
    status=${PIPESTATUS[0]}
    read -r ok bad <<<"$(counts "$log")"
    if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
    passed=$((passed + ok))
    failed=$((failed + bad))
    if [ "$bad" -eq 0 ]; then word=ok; else word=FAILED; fi
    summary+=$(printf '%-7s %s: %d passed, %d failed' "$word" "$name" "$ok" "$bad")$'\n'
}

have() { command -v "$1" >/dev/null 2>&1; }

# Installs Debian packages where this machine lets us, else says what is missing.
install_missing() {
    local packages=()
    have cc || packages+=(build-essential)
    have openssl || packages+=(openssl)
    have strace || packages+=(strace)
    have node || packages+=(nodejs)
    have npm || packages+=(npm)
    # Pictures of pages are of a day on which the clock stands still.
    have faketime || packages+=(faketime)
    if [ -z "${CHROME:-}" ] && ! have chromium && ! have google-chrome; then packages+=(chromium); fi
    [ ${#packages[@]} -eq 0 ] && return
    if have apt-get && [ "$(id -u)" -eq 0 ]; then
        echo "installing ${packages[*]}"
        apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${packages[@]}"
    else
        echo "missing: ${packages[*]} (names of Debian's packages); what needs them will fail" >&2
    fi
}

# Where the machine has room, files of tests are in memory: hubs write every delivery through to the disk, and tests would wait
# for the disk most of their time. Tests of power cuts, full disks and lost writes bring the disk that they need.
files_in_memory() {
    local room
    [ -z "${TMPDIR:-}" ] && [ -w /dev/shm ] || return
    room=$(df -k --output=avail /dev/shm | tail -n 1)
    [ "$room" -ge "$MEMORY_KIB_MIN" ] || return
    [ "$(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo)" -ge $((2 * MEMORY_KIB_MIN)) ] || return
    files=$(mktemp -d /dev/shm/umbler-hub-tests.XXXXXX) || return
    # As /tmp: hubs of other users are started there, and programs. A container may forbid programs.
    chmod 1777 "$files"
    printf '#!/bin/sh\n' >"$files/program" && chmod +x "$files/program"
    if "$files/program" 2>/dev/null; then export TMPDIR=$files; fi
}

npm_ci() { (cd "$1" && npm ci --no-audit --no-fund); }
npm_run() { (cd "$1" && npm run --if-present "$2"); }

# Where cargo was installed for this user but the shell does not know yet.
# shellcheck disable=SC1091
have cargo || { [ -f "$HOME/.cargo/env" ] && . "$HOME/.cargo/env"; }
if ! have cargo; then
    echo "Rust is needed: https://rustup.rs" >&2
    exit 1
fi
install_missing

export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never}
# A snapshot that differs is a failure, not a new file.
export INSTA_UPDATE=no
export INSTA_FORCE_PASS=0

# A first build keeps nothing for a second one: that alone would take a tenth of its time.
[ -d "${CARGO_TARGET_DIR:-target}/debug/incremental" ] || export CARGO_INCREMENTAL=${CARGO_INCREMENTAL:-0}

part "format" cargo fmt --check
part "lints" cargo clippy --locked --all-targets -- -D warnings
files_in_memory
at_once=$((TESTS_PER_CORE * $(getconf _NPROCESSORS_ONLN)))
if cargo nextest --version >/dev/null 2>&1; then
    part "Rust" cargo nextest run --locked --test-threads "$at_once" --no-fail-fast --cargo-quiet --status-level fail --final-status-level slow
else
    part "Rust" cargo test --locked --no-fail-fast --quiet --lib --bins --tests
fi
part "examples in documentation" cargo test --locked --quiet --doc
part "documentation" env RUSTDOCFLAGS="-D warnings" cargo doc --locked --quiet --no-deps --document-private-items
# Advisories are left to a job of their own: they change without us, and want the network.
if cargo deny --version >/dev/null 2>&1; then
    part "dependencies" cargo deny --locked check --hide-inclusion-graph licenses bans sources
fi
if have shellcheck; then
    part "scripts" shellcheck -x test.sh start-servers.sh stop-servers.sh scripts/*.sh .ci/run
fi

UMBLER_HUB_BIN="${CARGO_TARGET_DIR:-$PWD/target}/debug/umbler-hub"
export UMBLER_HUB_BIN
# First, because the client's tests look at the dashboard in a browser too.
if [ -f frontend/package.json ]; then
    part "dashboard: packages" npm_ci frontend
fi
if [ -f tests/js/package.json ]; then
    part "client: packages" npm_ci tests/js
    part "JavaScript: format and lints" npm_run tests/js lint
    part "client: types" npm_run tests/js typecheck
    part "client" npm_run tests/js test
fi
if [ -f frontend/package.json ]; then
    for script in typecheck test build; do
        part "dashboard: $script" npm_run frontend "$script"
    done
fi

if [ -s "$SKIPPED_TESTS_LOG" ]; then
    printf '\n== not run here (REQUIRE_ALL_TESTS=1 lets them fail)\n%s\n' "$(cat "$SKIPPED_TESTS_LOG")"
fi
printf '\n%s\n%d passed, %d failed\n' "$summary" "$passed" "$failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
