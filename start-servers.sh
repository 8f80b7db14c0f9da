#!/usr/bin/env bash
# Starts the hub in the background, and the dashboard's development server where there is a dashboard.
# ./stop-servers.sh ends what this started.
#
#   ./start-servers.sh            the hub
#   ./start-servers.sh --demo     with a simulated working day, so that there is something to see
#   ./start-servers.sh --release  the optimised build: takes longer to build, less to run
#   ./start-servers.sh --no-dashboard           the hub without the dashboard's server
#   ./start-servers.sh --dashboard-port 5174    another port for the dashboard; 5173 where none is named
#
# Any other argument is a flag of `umbler-hub serve`, for example --port 4000. Settings are read from .env and the
# environment as always. UMBLER_HUB_BIN names a binary that is built already.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=scripts/processes.sh
. scripts/processes.sh
# shellcheck source=scripts/checks.sh
. scripts/checks.sh

BACKEND_LOG=backend.log
FRONTEND_LOG=frontend.log
SIMULATOR_LOG=simulator.log
# Waits end after this many fifths of a second.
TRIES_MAX=300
# Hours that the demo fills an empty hub with.
BACKFILL_HOURS=6
# The token that the simulator takes (src/tools/fake/mod.rs).
DEMO_API_TOKEN=simulated-token-of-the-api
# The demo loses all webhooks for so long, so often: the hub finds what was lost at the simulated API.
OUTAGE_EVERY=180
OUTAGE_SECONDS=20
# How often the demo's hub compares with that API, in seconds.
DEMO_RECONCILE_SECONDS=30
# Measured on two cores of an AMD EPYC beside other builds: 700 s of processor time. That is so long on a machine that does
# nothing else meanwhile.
FIRST_BUILD="three to four minutes on four cores, six on two"

demo=no
profile=debug
dashboard=yes
dashboard_port=5173
flags=()
given=("$@")
while [ $# -gt 0 ]; do
    case "$1" in
        --demo) demo=yes ;;
        --release) profile=release ;;
        --no-dashboard) dashboard=no ;;
        --dashboard-port)
            dashboard_port=${2:-}
            [ $# -lt 2 ] || shift
            ;;
        --dashboard-port=*) dashboard_port=${1#*=} ;;
        -h | --help)
            sed -n '2,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
            exit 0
            ;;
        *) flags+=("$1") ;;
    esac
    shift
done

# command_with FLAG VALUE: this command again, with this flag. (An empty list is no list to bash 3.2.)
command_with() {
    local word text=./start-servers.sh is_value=no
    for word in ${given[@]+"${given[@]}"}; do
        if [ "$is_value" = yes ]; then
            is_value=no
            continue
        fi
        case "$word" in
            "$1") is_value=yes ;;
            "$1"=*) ;;
            *) text+=" $word" ;;
        esac
    done
    echo "$text $1${2:+ $2}"
}

# The end of a log, for whoever wants to know why.
show_end() {
    printf '\nThe end of %s:\n' "$1" >&2
    tail -n 12 "$1" >&2
}

# Everything that would stop the start later is looked for first, because a build takes minutes.
check() {
    [ -f frontend/package.json ] || dashboard=no
    check_hub
    check_port
    if [ "$dashboard" = yes ]; then check_node || dashboard=no; fi
    [ "$dashboard" = no ] || check_dashboard_port
    [ -z "$problems" ] || fail "${problems}Nothing was started."
}

check_port() {
    local host port
    if running backend >/dev/null; then return; fi
    host=$(reachable_host "$(setting HOST 127.0.0.1 ${flags[@]+"${flags[@]}"})")
    port=$(setting PORT 3001 ${flags[@]+"${flags[@]}"})
    # 0 is any free port; what is no number the hub refuses itself.
    case "$port" in 0 | *[!0-9]*) return ;; esac
    port_is_taken "$host" "$port" || return 0
    problem "Another program uses port $port, which the hub is to listen on. Take another port:
  $(command_with --port $((port + 1)))"
}

check_dashboard_port() {
    if running frontend >/dev/null; then return; fi
    case "$dashboard_port" in
        '' | *[!0-9]*)
            problem "--dashboard-port needs a number"
            return
            ;;
    esac
    port_is_taken localhost "$dashboard_port" || port_is_taken 127.0.0.1 "$dashboard_port" || return 0
    problem "Another program uses port $dashboard_port, which the dashboard is to be at. Take another port:
  $(command_with --dashboard-port $((dashboard_port + 1)))"
}

# Says what happens next, and how long it takes.
announce() {
    if [ -z "${UMBLER_HUB_BIN:-}" ]; then
        if [ -x "$hub" ]; then
            echo "Building what has changed in the hub since the last start."
        else
            echo "Building the hub and the libraries it is made of. The first time this takes $FIRST_BUILD; later starts take seconds."
        fi
    fi
    if packages_are_missing; then
        echo "Beside that, npm installs the dashboard's packages."
    fi
}

build() {
    if [ -n "${UMBLER_HUB_BIN:-}" ]; then return; fi
    local options=(--locked --bin umbler-hub)
    [ "$profile" = debug ] || options+=(--release)
    cargo build "${options[@]}" || fail "" "The hub could not be built."
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

# The hub lets in pages of FRONTEND_URL: at another port than usual the dashboard's own must be among them.
let_dashboard_in() {
    local page=http://localhost:$dashboard_port
    if [ "$dashboard" = no ] || [ "$dashboard_port" = 5173 ]; then return; fi
    if [ -n "$(setting FRONTEND_URL "" ${flags[@]+"${flags[@]}"})" ]; then
        echo "FRONTEND_URL is set: it must name $page, or the hub refuses the dashboard."
        return
    fi
    export FRONTEND_URL=$page
}

# The demo's provider: the simulator answers as Umbler's API, so that messages can be sent. Whoever has a token keeps it.
link_demo() {
    local host port=4010
    if [ "$demo" = no ] || running backend >/dev/null || [ -n "$(setting UMBLER_API_TOKEN "" ${flags[@]+"${flags[@]}"})" ] ||
        [ -n "$(setting UMBLER_API_TOKEN_FILE "" ${flags[@]+"${flags[@]}"})" ]; then
        return
    fi
    while port_is_taken 127.0.0.1 "$port"; do port=$((port + 1)); done
    demo_api=127.0.0.1:$port
    host=$(reachable_host "$(setting HOST 127.0.0.1 ${flags[@]+"${flags[@]}"})")
    case "$host" in *:*) host="[$host]" ;; esac
    export UMBLER_API_URL=http://$demo_api/api UMBLER_API_TOKEN=$DEMO_API_TOKEN UMBLER_SEND=on
    export UMBLER_RECONCILE_SECONDS=${UMBLER_RECONCILE_SECONDS:-$DEMO_RECONCILE_SECONDS}
    port=$(setting PORT 3001 ${flags[@]+"${flags[@]}"})
    case "$port" in 0 | *[!0-9]*) ;; *) export UMBLER_WEBHOOK_URL=http://$host:$port/api/umbler/webhook ;; esac
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
            fail "" "Another program uses that port. Take another one: $(command_with --port 3002)"
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
    local backfill=0 api=()
    if running simulator >/dev/null; then
        echo "The simulator is running already."
        return
    fi
    # Yesterday's demo is not told again on top of itself.
    case "$("$hub" health --url "$backend")" in *'"seq":0,'*) backfill=$BACKFILL_HOURS ;; esac
    [ -z "$demo_api" ] || api=(--api "$demo_api" --outage-every "$OUTAGE_EVERY" --outage-seconds "$OUTAGE_SECONDS")
    begin simulator "$SIMULATOR_LOG" "$hub" simulate --url "$backend" --backfill "$backfill" ${api[@]+"${api[@]}"}
}

# True where the dashboard's packages are not there, or older than the list of them.
packages_are_missing() {
    local installed=frontend/node_modules/.package-lock.json
    [ "$dashboard" = yes ] || return 1
    [ ! -x frontend/node_modules/.bin/vite ] || [ frontend/package-lock.json -nt "$installed" ]
}

# npm beside the build of the hub; what it says is marked, because the other one speaks too.
begin_packages() {
    if ! packages_are_missing; then return; fi
    (cd frontend && exec npm ci --no-audit --no-fund) > >(sed -e '/^$/d' -e 's/^/npm: /') 2>&1 &
    npm=$!
}

await_packages() {
    local status=0
    if [ -z "$npm" ]; then return; fi
    kill -0 "$npm" 2>/dev/null && echo "Waiting for npm."
    wait "$npm" || status=$?
    npm=""
    [ "$status" -eq 0 ] || fail "" "The dashboard's packages could not be installed (the hub runs: $backend)." \
        "Without the dashboard: $(command_with --no-dashboard "")"
}

# Whatever ends this script ends npm too; what it has not finished, the next start begins again.
end_packages() {
    if [ -n "$npm" ]; then kill "$npm" 2>/dev/null || true; fi
}

start_frontend() {
    local vite=$PWD/frontend/node_modules/.bin/vite try=0
    if running frontend >/dev/null; then
        frontend=$(cat "$RUN_DIR/frontend.address")
        echo "The dashboard's server is running already."
        return
    fi
    [ -x "$vite" ] || fail "frontend/package.json does not bring vite"
    # The dashboard's proxy asks for the hub here.
    export VITE_BACKEND_URL=$backend
    (cd frontend && exec nohup "$vite" --port "$dashboard_port" --strictPort) >"$FRONTEND_LOG" 2>&1 </dev/null &
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
        fail "" "The dashboard's server did not start (the hub runs: $backend)."
    fi
    printf '%s\n' "$frontend" >"$RUN_DIR/frontend.address"
}

line() { printf '  %-12s%s\n' "$1" "$2"; }

hub="" backend="" frontend="" started="" npm="" demo_api=""
check
if [ -n "${UMBLER_HUB_BIN:-}" ]; then
    hub=$(cd "$(dirname "$UMBLER_HUB_BIN")" && pwd)/$(basename "$UMBLER_HUB_BIN")
else
    hub=${CARGO_TARGET_DIR:-$PWD/target}/$profile/umbler-hub
fi
trap end_packages EXIT
trap 'exit 130' INT TERM
announce
begin_packages
build
let_dashboard_in
link_demo
start_backend
[ "$demo" = no ] || start_simulator
await_packages
[ "$dashboard" = no ] || start_frontend

echo
line "Console" "$backend/console"
line "API" "$backend/api/docs/"
line "Webhook" "$backend/api/umbler/webhook"
[ -z "$frontend" ] || line "Dashboard" "$frontend"
line "Logs" "$BACKEND_LOG$([ -z "$frontend" ] || echo ", $FRONTEND_LOG")$([ "$demo" = no ] || echo ", $SIMULATOR_LOG")"
line "End" "./stop-servers.sh"
if [ -n "$demo_api" ]; then
    echo
    echo "Every $((OUTAGE_EVERY / 60)) minutes the simulated provider loses all webhooks for $OUTAGE_SECONDS seconds ($SIMULATOR_LOG says when)."
    echo "The hub finds what was lost at the provider's API within $DEMO_RECONCILE_SECONDS seconds: see Status, \"Link to Umbler\"."
fi
