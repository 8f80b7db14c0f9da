#!/usr/bin/env bash
# The quick loop: format, lints, types, and the tests that need no running hub and no browser. Under two minutes once
# everything was built before; ./test.sh runs all of it. Stops at the first thing that is wrong.
#
#   scripts/check.sh          everything below
#   scripts/check.sh rust     only what is Rust
#   scripts/check.sh js       only what is JavaScript

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

step() {
    printf '\n== %s\n' "$*"
    "$@"
}

packages() { [ -d "$1/node_modules" ] || step npm ci --prefix "$1" --no-audit --no-fund; }

check_rust() {
    step cargo fmt --check
    step cargo clippy --locked --all-targets -- -D warnings
    if cargo nextest --version >/dev/null 2>&1; then
        # Unit tests, the house rules, and the documents that are compared with the code.
        step cargo nextest run --locked --lib --test it --status-level fail \
            -E 'kind(lib) or test(/^(house|documents)::/)'
    else
        step cargo test --locked --quiet --lib
        step cargo test --locked --quiet --test it -- house:: documents::
    fi
    if command -v shellcheck >/dev/null 2>&1; then
        step shellcheck -x test.sh start-servers.sh stop-servers.sh scripts/*.sh .ci/run
    fi
}

check_js() {
    packages frontend
    packages tests/js
    step npm run --silent --prefix tests/js lint
    step npm run --silent --prefix tests/js typecheck
    step npm run --silent --prefix frontend typecheck
    step env NODE_OPTIONS=--test-reporter=dot npm run --silent --prefix frontend test
    step env NODE_OPTIONS=--test-reporter=dot npm run --silent --prefix tests/js test:unit
}

case "${1:-all}" in
    all)
        check_rust
        check_js
        ;;
    rust) check_rust ;;
    js) check_js ;;
    *)
        sed -n '2,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        exit 2
        ;;
esac
printf '\nall good\n'
