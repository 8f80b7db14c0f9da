//! A search on real files, at the bound of one answer.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, params};

use super::find::{CHUNK, EXAMINED_MAX};
use super::{Kinds, Search, SearchReads, Wanted};
use crate::auth::{Identity, Scope};
use crate::derived::search::WordIndex;
use crate::domain::Seq;
use crate::journal::steps::migrate_to_latest;
use crate::reads::testing::message;
use crate::reads::{Cursor, Query, open};

#[test]
fn finds_that_are_not_seen_end_an_answer_at_its_bound() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("hub.db");
    let mut database = Connection::open(&path).unwrap();
    database.pragma_update(None, "journal_mode", "WAL").unwrap();
    migrate_to_latest(&mut database).unwrap();
    database.execute("INSERT INTO meta VALUES ('epoch', 'first')", []).unwrap();
    database.execute("BEGIN", []).unwrap();
    let state = serde_json::to_string(&message("m", "a", 0, "Contact", "comum")).unwrap();
    let mut insert = database
        .prepare(
            "INSERT INTO messages (id, chat_id, at, role, search_key, state) VALUES (?1, ?2, 0, 'customer', 'comum', ?3)",
        )
        .unwrap();
    for at in 0..EXAMINED_MAX + CHUNK {
        // Only the oldest message is visible.
        let chat = if at == 0 { "seen" } else { "hidden" };
        insert.execute(params![format!("m{at}"), chat, state]).unwrap();
    }
    drop(insert);
    database.execute("COMMIT", []).unwrap();
    for (id, sector) in [("seen", "sales"), ("hidden", "support")] {
        let place_of =
            "INSERT INTO placements (key, sector_id, private, chats, open_chats, messages, open_direct,
                            waiting_direct) VALUES (?1, ?1, 0, 1, 1, 1, 1, 0)";
        database.execute(place_of, [sector]).unwrap();
        let sql = "INSERT INTO chats (id, kind, sector_id, open, waiting, private, name_key, created_at,
                       last_activity_at, message_count, state, placement_id)
                   VALUES (?1, 'direct', ?2, 1, 0, 0, '', 0, 0, 1, '', last_insert_rowid())";
        database.execute(sql, [id, sector]).unwrap();
    }
    let index = WordIndex::start(&path).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let reached = runtime.block_on(index.reach(Seq(0), Duration::from_mins(1)));
    assert!(reached.has(Seq(0)), "{reached:?}");
    let index = Arc::new(SearchReads::new(index));
    let identity = Identity { sectors: Some(vec!["sales".into()]), ..Identity::anonymous() };
    let mut database = open(&path).unwrap();
    let mut asks = |after: Option<Cursor>| {
        let search = Search {
            index: Arc::clone(&index),
            wanted: Wanted::new("comum"),
            kinds: Kinds::Messages,
            limit: 5,
            after,
            scope: Arc::new(Scope::of(&identity)),
        };
        search.answer(&database.transaction().unwrap()).unwrap()
    };
    let first = asks(None);
    assert_eq!(first.messages, []);
    assert!(first.next_message.is_some(), "it says that there may be more");
    let second = asks(first.next_message);
    assert_eq!((second.messages.len(), second.next_message), (1, None));
}
