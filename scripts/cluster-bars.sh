#!/usr/bin/env bash
# Measures what a cluster must reach under load (docs/performance.md), with an optimised hub and three real servers of NATS. It should
# have the machine for itself: the load that it found is printed with each figure.
#
#   scripts/cluster-bars.sh                     all, about twenty-five minutes
#   scripts/cluster-bars.sh leaders             those whose name contains this word
#   BAR_TIMES=3 scripts/cluster-bars.sh hubs    three kills instead of thirty
#
# BAR_RATE (300) is how many deliveries come each second, BAR_MESSAGES (1,000,000) the size of the database that a new hub
# gets, BAR_SCREENS (300) how many screens hear a fan-out.
#
# Needs cargo-nextest, and Python with pip, which brings the servers. Each fails where something was lost, doubled or refused.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cargo build --locked --release --bin umbler-hub
MEASURED_HUB=${CARGO_TARGET_DIR:-$PWD/target}/release/umbler-hub
export MEASURED_HUB
cargo nextest run --locked --run-ignored only --no-fail-fast --no-capture -E "test(/^cluster_bars::.*${1:-}/)" 2>&1 |
    grep -vE '^(running|test |failures:|successes:|---- |$)|SKIP|Starting|info:'
