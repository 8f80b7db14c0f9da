//! The live metrics row by row: each row is the answer to the same question about its chats alone.

use serde_json::{Value, json};

use super::metrics::{ask, ask_as};
use super::support::keys::{SECRET, token};
use super::support::{Delivery, Hub, hub_with, spawn_hub};

const DIMENSIONS: [&str; 4] = ["agent", "sector", "channel", "tag"];

fn rows(hub: &Hub, path: &str) -> Vec<Value> {
    ask(hub, path).json()["rows"].as_array().expect("rows").clone()
}

/// A question in a sector, of an agent, with tags.
fn placed(chat: &str, at: i64, sector: &str, owner: Option<&str>, tags: &[&str]) -> Delivery {
    let tags: Vec<Value> = tags.iter().map(|tag| json!({ "Id": tag, "Name": format!("#{tag}") })).collect();
    let delivery = Delivery::message(chat)
        .at(at)
        .chat_field("Sector", json!({ "Id": sector, "Name": format!("Setor {sector}") }))
        .chat_field("Tags", json!(tags));
    match owner {
        Some(owner) => delivery.owner(owner).waiting(false),
        None => delivery,
    }
}

fn few_chats(hub: &Hub) {
    let provider = hub.provider();
    provider.posts(&placed("a", 0, "sales", Some("ana"), &["vip", "new"]));
    provider.posts(&placed("b", 10, "sales", Some("bia"), &["new"]));
    provider.posts(&placed("c", 20, "support", None, &[]));
    provider.posts(&placed("c", 30, "support", None, &[]));
    provider.posts(&placed("d", 40, "support", Some("ana"), &[]).by_member("ana"));
}

#[test]
fn each_row_is_what_the_same_question_answers_about_it_alone() {
    let hub = spawn_hub();
    few_chats(&hub);
    for by in DIMENSIONS {
        for row in rows(&hub, &format!("/live?by={by}")) {
            let Some(id) = row["id"].as_str() else { continue };
            let mut alone = rows(&hub, &format!("/live?{by}={id}")).remove(0);
            let mut row = row.clone();
            for cells in [&mut alone, &mut row] {
                let cells = cells.as_object_mut().expect("a row");
                // They tick between two questions.
                cells.retain(|column, _| {
                    !column.ends_with("BusinessMs") && !matches!(&**column, "id" | "name")
                });
            }
            assert_eq!(row, alone, "{by} {id}");
        }
    }
    let open = |by: &str| -> Vec<(Value, Value, Value)> {
        let rows = rows(&hub, &format!("/live?by={by}"));
        rows.iter().map(|row| (row["id"].clone(), row["name"].clone(), row["open"].clone())).collect()
    };
    let row = |id: &str, name: &str, open: i64| (json!(id), json!(name), json!(open));
    assert_eq!(open("sector"), [row("sales", "Setor sales", 2), row("support", "Setor support", 2)]);
    assert_eq!(
        open("tag"),
        [row("new", "#new", 2), row("vip", "#vip", 1), (Value::Null, Value::Null, json!(2))],
        "a chat with two tags counts with each, one without any is nobody's"
    );
    let agents = open("agent");
    assert_eq!(agents[2], (Value::Null, Value::Null, json!(1)));
    assert_eq!((&agents[0].0, &agents[0].2, &agents[1].0), (&json!("ana"), &json!(2), &json!("bia")));
    let first = &rows(&hub, "/live?by=agent")[0];
    let columns: Vec<&str> = first.as_object().expect("a row").keys().map(String::as_str).collect();
    assert_eq!(columns.len(), 18, "{columns:?}");
    assert!(rows(&hub, "/live?by=agent&kind=group").is_empty(), "nothing is open, so there is no row");
}

#[test]
fn a_spreadsheet_of_open_chats_holds_the_same_rows() {
    let hub = spawn_hub();
    few_chats(&hub);
    for by in DIMENSIONS {
        let csv = ask(&hub, &format!("/live?by={by}&format=csv"));
        assert!(csv.text.starts_with("id,name,open,waiting,"), "{}", csv.text);
        let json = rows(&hub, &format!("/live?by={by}"));
        let mut reader = csv::Reader::from_reader(csv.text.as_bytes());
        let head = reader.headers().expect("a head").clone();
        let records: Vec<csv::StringRecord> = reader.records().map(|record| record.expect("a row")).collect();
        assert_eq!(records.len(), json.len());
        for (record, row) in records.iter().zip(&json) {
            for (column, cell) in
                head.iter().zip(record).filter(|(column, _)| !column.ends_with("BusinessMs"))
            {
                let expected = row[column].as_str().map_or_else(
                    || if row[column].is_null() { String::new() } else { row[column].to_string() },
                    ToOwned::to_owned,
                );
                assert_eq!(cell, expected, "{by} {column}");
            }
        }
    }
}

#[test]
fn rows_hold_only_what_their_reader_sees_and_names_as_they_see_them() {
    let hub = hub_with(&[("JWT_SECRET", SECRET)]);
    few_chats(&hub);
    let admin = token(json!({ "sub": "root", "role": "admin" }));
    hub.names("ana", Some("Ana Exemplo"), &admin);
    let sales = token(json!({ "sub": "eva", "role": "agent", "sectors": ["sales"] }));
    let viewer = token(json!({ "sub": "vera", "role": "viewer" }));
    for (token, name, open) in [(&admin, "Ana Exemplo", 2), (&sales, "Ana Exemplo", 1), (&viewer, "A•••", 2)]
    {
        let rows = ask_as(&hub, token, "/live?by=agent").json()["rows"].clone();
        assert_eq!(
            (&rows[0]["id"], &rows[0]["name"], &rows[0]["open"]),
            (&json!("ana"), &json!(name), &json!(open))
        );
    }
    let sectors = ask_as(&hub, &sales, "/live?by=sector").text;
    assert!(!sectors.contains("support"), "{sectors}");
}

#[test]
fn a_campaign_to_which_nobody_answered_leaves_no_chat_unattended() {
    let hub = spawn_hub();
    let campaign =
        |chat: &str| Delivery::message(chat).by_member("ana").message_field("TemplateId", json!("template"));
    hub.provider().posts(&campaign("silent").waiting(false));
    hub.provider().posts(&campaign("asked").waiting(false));
    hub.provider().says("asked", "quero saber mais");
    let rows = hub.caught_up_metrics()["rows"][0].clone();
    assert_eq!((&rows["open"], &rows["unattended"]), (&json!(2), &json!(1)), "{rows}");
}
