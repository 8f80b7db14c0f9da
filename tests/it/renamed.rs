//! What sectors, lines and tags are called after somebody has renamed them.

use serde_json::{Value, json};

use super::support::hub::command;
use super::support::provider::fault_lines;
use super::support::{Delivery, Hub, spawn_hub};

/// What the tables of metrics call this id.
fn called(hub: &Hub, table: &str, id: &str) -> Value {
    hub.caught_up_metrics();
    let path = format!(
        "/api/umbler/metrics/{table}?from=2026-01-01T00:00:00Z&until=2026-12-31T00:00:00Z&metric=created"
    );
    let rows = hub.json(&path);
    let row = rows["rows"].as_array().expect("rows").iter().find(|row| row["id"] == id);
    row.unwrap_or_else(|| panic!("no {id} in {rows}"))["name"].clone()
}

#[test]
fn a_renamed_sector_has_its_newest_name_whatever_was_processed_last() {
    let hub = spawn_hub();
    hub.provider().posts_lines("sector-renamed.ndjson");
    let expect = |hub: &Hub| {
        assert_eq!(called(hub, "sectors", "S1"), "Atendimento");
        assert_eq!(called(hub, "tags", "t1"), "VIP ouro");
        assert_eq!(called(hub, "channels", "L1"), "Linha nova");
    };
    // A line, too: it is told first by its new name.
    for (chat, name, second) in [("line1", "Linha nova", 200), ("line2", "Linha velha", 100)] {
        let line = json!({ "Id": "L1", "Name": name, "ChannelType": "WhatsappApi" });
        hub.provider().posts(&Delivery::message(chat).chat_field("Channel", line).at(second));
    }
    expect(&hub);
    // The only chat that said the new name goes elsewhere, and then everything is computed anew in other hours.
    hub.provider().posts(
        &Delivery::message("new1")
            .chat_field("Sector", json!({ "Id": "S2", "Name": "Outro" }))
            .chat_field("Tags", json!([]))
            .set("/EventDate", json!("2026-03-02T15:00:00Z")),
    );
    expect(&hub);
    let mut saved = hub.json("/api/umbler/settings")["settings"].clone();
    saved.as_object_mut().expect("an object").remove("timeZone");
    saved["businessHours"] = json!({ "monday": [["09:00", "10:00"]] });
    let answer = hub.put("/api/umbler/settings", &[], &saved);
    assert_eq!(answer.status, 200, "{}", answer.text);
    expect(&hub);
    let metrics = hub.database().with_extension("db.metrics");
    let mut hub = hub;
    hub.kill();
    std::fs::remove_file(metrics).expect("the file of the metrics");
    let mut hub = hub.started_again();
    expect(&hub);
    hub.stop();
    let done = command(hub.home()).arg("recompute").output().expect("the binary runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    expect(&hub.started_again());
}

#[test]
fn names_end_the_same_whatever_the_order_of_the_deliveries() {
    let lines = fault_lines("sector-renamed.ndjson");
    let hub = spawn_hub();
    for line in lines.lines().rev() {
        assert_eq!(hub.provider().post(line).status, 200);
    }
    assert_eq!(
        (called(&hub, "sectors", "S1"), called(&hub, "tags", "t1")),
        (json!("Atendimento"), json!("VIP ouro"))
    );
}
