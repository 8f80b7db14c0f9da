#!/usr/bin/env bash
# Starts the hub in the background, and the dashboard's development server where there is a dashboard.
# ./stop-servers.sh ends what this started.
#
#   ./start-servers.sh            the hub
#   ./start-servers.sh --demo     with a simulated working day, so that there is something to see
#   ./start-servers.sh --release  the optimised build: takes longer to build, less to run
#
# Any other argument is a flag of `umbler-hub serve`, for example --port 4000. Settings are read from .env and the
# environment as always. UMBLER_HUB_BIN names a binary that is built already.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=scripts/processes.sh
. scripts/processes.sh

BACKEND_LOG=backend.log
FRONTEND_LOG=frontend.log
SIMULATOR_LOG=simulator.log
FRONTEND_PORT=5173
# Waits end after this many fifths of a second.
TRIES_MAX=300
# Hours that the demo fills an empty hub with.
BACKFILL_HOURS=6

demo=no
profile=debug
flags=()
for argument in "$@"; do
    case "$argument" in
        --demo) demo=yes ;;
        --release) profile=release ;;
        -h | --help)
            sed -n '2,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
            exit 0
            ;;
        *) flags+=("$argument") ;;
    esac
done

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

# The end of a log, for whoever wants to know why.
show_end() {
    printf '\nThe end of %s:\n' "$1" >&2
    tail -n 12 "$1" >&2
}

build() {
    if [ -n "${UMBLER_HUB_BIN:-}" ]; then
        [ -x "$UMBLER_HUB_BIN" ] || fail "UMBLER_HUB_BIN is $UMBLER_HUB_BIN, and that is no program"
        hub=$(cd "$(dirname "$UMBLER_HUB_BIN")" && pwd)/$(basename "$UMBLER_HUB_BIN")
        return
    fi
    # shellcheck disable=SC1091
    command -v cargo >/dev/null || { [ -f "$HOME/.cargo/env" ] && . "$HOME/.cargo/env"; } || true
    command -v cargo >/dev/null || fail "Rust is needed to build the hub: https://rustup.rs"
    hub=${CARGO_TARGET_DIR:-$PWD/target}/$profile/umbler-hub
    [ -x "$hub" ] || echo "Building the hub. The first time, with all it is made of, this takes some minutes."
    if [ "$profile" = release ]; then cargo build --locked --release; else cargo build --locked; fi
}

# begin NAME LOG COMMAND...: runs it in the background, and remembers it.
begin() {
    local name=$1 log=$2
    shift 2
    nohup "$@" >"$log" 2>&1 </dev/null &
    started=$!
    remember "$name" "$started" "$1"
}

# The first address on a line like this in a log, or nothing.
address_in() {
    sed -e $'s/\x1b\\[[0-9;]*m//g' "$1" | sed -n "/$2/s|.*\\(http://[^ ]*\\).*|\\1|p" | head -n 1
}

start_backend() {
    local pid
    if pid=$(running backend); then
        backend=$(cat "$RUN_DIR/backend.address")
        echo "The hub is running already (process $pid)."
        [ ${#flags[@]} -eq 0 ] || echo "It keeps its settings; ./stop-servers.sh first to change them."
        return
    fi
    begin backend "$BACKEND_LOG" "$hub" serve ${flags[@]+"${flags[@]}"}
    wait_for_backend || {
        show_end "$BACKEND_LOG"
        end_of_start backend
        if grep -q 'cannot listen on' "$BACKEND_LOG"; then
            fail "" "Something else uses that port. Take another one: ./start-servers.sh --port 3002"
        fi
        fail "" "The hub did not start."
    }
    printf '%s\n' "$backend" >"$RUN_DIR/backend.address"
}

# An address that means "all of this machine's" is none that a browser can go to.
wait_for_backend() {
    local try=0
    while [ "$try" -lt "$TRIES_MAX" ]; do
        kill -0 "$started" 2>/dev/null || return 1
        backend=$(address_in "$BACKEND_LOG" '^listening on' | sed -e 's|//0\.0\.0\.0:|//127.0.0.1:|' -e 's|//\[::\]:|//[::1]:|')
        if [ -n "$backend" ] && "$hub" health --url "$backend" >/dev/null 2>&1; then return 0; fi
        sleep 0.2
        try=$((try + 1))
    done
    return 1
}

# Something that did not come up is ended, not left behind.
end_of_start() {
    kill "$started" 2>/dev/null || true
    wait "$started" 2>/dev/null || true
    forget "$1"
}

start_simulator() {
    local backfill=0
    if running simulator >/dev/null; then
        echo "The simulator is running already."
        return
    fi
    # Yesterday's demo is not told again on top of itself.
    case "$("$hub" health --url "$backend")" in *'"seq":0,'*) backfill=$BACKFILL_HOURS ;; esac
    begin simulator "$SIMULATOR_LOG" "$hub" simulate --url "$backend" --backfill "$backfill"
}

start_frontend() {
    local vite=$PWD/frontend/node_modules/.bin/vite try=0
    if running frontend >/dev/null; then
        frontend=$(cat "$RUN_DIR/frontend.address")
        echo "The dashboard's server is running already."
        return
    fi
    if ! command -v npm >/dev/null; then
        echo "The dashboard is left out: it needs Node.js with npm (https://nodejs.org). The console needs nothing."
        return
    fi
    if [ ! -x "$vite" ]; then
        echo "Installing the dashboard's packages."
        (cd frontend && if [ -f package-lock.json ]; then npm ci --no-audit --no-fund; else npm install --no-audit --no-fund; fi)
    fi
    [ -x "$vite" ] || fail "frontend/package.json does not bring vite"
    # The dashboard's proxy asks for the hub here.
    export VITE_BACKEND_URL=$backend
    (cd frontend && exec nohup "$vite" --port "$FRONTEND_PORT" --strictPort) >"$FRONTEND_LOG" 2>&1 </dev/null &
    started=$!
    remember frontend "$started" "$vite"
    while [ "$try" -lt "$TRIES_MAX" ]; do
        frontend=$(address_in "$FRONTEND_LOG" 'Local:')
        [ -z "$frontend" ] || break
        kill -0 "$started" 2>/dev/null || break
        sleep 0.2
        try=$((try + 1))
    done
    if [ -z "$frontend" ]; then
        show_end "$FRONTEND_LOG"
        end_of_start frontend
        fail "" "The dashboard's server did not start (the hub runs: $backend). Is port $FRONTEND_PORT taken?"
    fi
    printf '%s\n' "$frontend" >"$RUN_DIR/frontend.address"
}

line() { printf '  %-12s%s\n' "$1" "$2"; }

hub="" backend="" frontend="" started=""
build
start_backend
[ "$demo" = no ] || start_simulator
[ ! -f frontend/package.json ] || start_frontend

echo
line "Console" "$backend/console"
line "API" "$backend/api/docs/"
line "Webhook" "$backend/api/umbler/webhook"
[ -z "$frontend" ] || line "Dashboard" "$frontend"
line "Logs" "$BACKEND_LOG$([ -z "$frontend" ] || echo ", $FRONTEND_LOG")$([ "$demo" = no ] || echo ", $SIMULATOR_LOG")"
line "End" "./stop-servers.sh"
