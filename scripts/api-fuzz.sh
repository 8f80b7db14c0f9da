#!/usr/bin/env bash
# Holds the description of the REST API against a running hub, with requests made from the description itself: whatever
# it allows is taken, whatever it does not is refused, every answer fits its schema, and nothing makes the hub fail.
#
#   scripts/api-fuzz.sh              all routes, 100 examples each, in about five minutes
#   scripts/api-fuzz.sh --examples N more or fewer of them
#   scripts/api-fuzz.sh --seed N     other ones; the same seed makes the same ones
#
# Two hubs are tried, one after the other, each on a free port of this machine with a new database and the deliveries of
# tests/fixtures: one with keys, as it stands in the world, and one that is open, as on a developer's machine. What is
# left out of the checks, and why, stands in scripts/api-fuzz/. Needs Python 3.10 or newer and, the first time, the
# network: schemathesis is installed under target/, nowhere else. UMBLER_HUB_BIN names a binary that is built already.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/checks.sh
. scripts/checks.sh

SCHEMATHESIS_VERSION=4.32.5
PARTS=$PWD/scripts/api-fuzz
FIXTURES=$PWD/tests/fixtures/deliveries
TARGET=${CARGO_TARGET_DIR:-$PWD/target}
VENV=$TARGET/api-fuzz/schemathesis-$SCHEMATHESIS_VERSION
# Waits for the hub end after this many tenths of a second.
TRIES_MAX=300
# Longer than a hub takes to answer anything; only a request that hangs reaches it.
REQUEST_SECONDS_MAX=30

examples=100
seed=1
while [ $# -gt 0 ]; do
    case "$1" in
        -h | --help)
            sed -n '2,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
            exit 0
            ;;
        --examples | --seed)
            case "${2:-}" in
                '' | *[!0-9]*)
                    echo "$1 wants a number" >&2
                    exit 2
                    ;;
            esac
            if [ "$1" = --seed ]; then seed=$2; else examples=$2; fi
            shift 2
            ;;
        *)
            echo "$1 is not known; see --help" >&2
            exit 2
            ;;
    esac
done

scratch=$(mktemp -d)
hub_pid=""

end_hub() {
    [ -n "$hub_pid" ] || return 0
    kill "$hub_pid" 2>/dev/null || true
    wait "$hub_pid" 2>/dev/null || true
    hub_pid=""
}
trap 'end_hub; rm -rf "$scratch"' EXIT

find_hub() {
    hub=${UMBLER_HUB_BIN:-}
    if [ -z "$hub" ]; then
        cargo build --locked
        hub=$TARGET/debug/umbler-hub
    fi
    [ -x "$hub" ] || fail "$hub is no program"
    hub=$(cd "$(dirname "$hub")" && pwd)/$(basename "$hub")
}

install_schemathesis() {
    [ -x "$VENV/bin/schemathesis" ] && return
    command -v python3 >/dev/null || fail "Python is needed: https://www.python.org"
    # Made aside and moved when it is whole: one that broke off would be taken for installed. Its programs know where
    # they lie, so they are called through Python.
    rm -rf "$VENV"
    python3 -m venv "$VENV"
    if ! "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check "schemathesis==$SCHEMATHESIS_VERSION"; then
        rm -rf "$VENV"
        fail "schemathesis $SCHEMATHESIS_VERSION could not be installed"
    fi
}

# start_hub NAME VARIABLE=VALUE...: with these settings and no others, not even those of .env.
start_hub() {
    local name=$1 try=0
    shift
    mkdir "$scratch/$name"
    (
        cd "$scratch/$name"
        exec env -i PATH="$PATH" HOST=127.0.0.1 PORT=0 DATABASE_PATH=hub.db DASHBOARD_DIR=none \
            RATE_LIMIT_REST_PER_SECOND=0 RATE_LIMIT_CONNECTS_PER_SECOND=0 "$@" "$hub" serve
    ) >"$scratch/$name/log" 2>&1 </dev/null &
    hub_pid=$!
    url=""
    while [ -z "$url" ]; do
        try=$((try + 1))
        if [ "$try" -gt "$TRIES_MAX" ] || ! kill -0 "$hub_pid" 2>/dev/null; then
            fail "$(tail -n 12 "$scratch/$name/log")" "" "The hub did not start."
        fi
        sleep 0.1
        url=$(sed -n 's|^listening on \(http://[^ ]*\).*|\1|p' "$scratch/$name/log")
    done
}

# try_out NAME ARGUMENTS...: true where every check holds.
try_out() {
    local name=$1 status=0
    shift
    printf '\n== %s\n' "$name"
    "$VENV/bin/python" "$PARTS/prepare.py" "$url" "$FIXTURES" >/dev/null
    "$VENV/bin/schemathesis" --config-file "$PARTS/schemathesis.toml" run "$url/api/openapi.json" \
        --checks all --max-examples "$examples" --seed "$seed" --continue-on-failure --generation-database none \
        --request-timeout "$REQUEST_SECONDS_MAX" --no-color "$@" || status=$?
    if ! kill -0 "$hub_pid" 2>/dev/null; then
        tail -n 12 "$scratch/$name/log" >&2
        echo "The hub ended." >&2
        status=1
    fi
    end_hub
    return "$status"
}

hub="" url=""
find_hub
install_schemathesis
# Schemathesis keeps what it finds where it is started, and finds its hooks there.
cd "$scratch"
export PYTHONPATH=$PARTS PYTHONDONTWRITEBYTECODE=1
export WEBHOOK_SECRET="only for this machine and this run"
JWT_SECRET="also only for this machine and this run"
HUB_TOKEN=$("$VENV/bin/python" "$PARTS/sign.py" "$JWT_SECRET")
export HUB_TOKEN

failed=""
start_hub keys JWT_SECRET="$JWT_SECRET" WEBHOOK_SECRET="$WEBHOOK_SECRET"
try_out keys || failed+=" keys"
start_hub open
# Without a key everybody is admin: no token is asked for, so none can be ignored, missing or wrong.
try_out open --exclude-checks ignored_auth,missing_required_header --generation-with-security-parameters false ||
    failed+=" open"

echo
[ -z "$failed" ] || fail "The description and the hub differ:$failed"
echo "The description is what the hub does."
