//! Tests of the index on real files, for what the product's doors do not lead to: other numberings, positions
//! that are no longer kept, damage.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rusqlite::{Connection, params};
use tempfile::TempDir;
use tokio::sync::watch;

use super::file::Merging;
use super::follow::{FORGOTTEN, Indexer};
use super::{IndexProgress, IndexState, WordIndex, file};
use crate::derived::follower::{Projection, Step};
use crate::derived::own_file::{Keeper, OwnFile};
use crate::domain::Seq;
use crate::sqlite::DbError;
use crate::sqlite::files::beside;

struct Fixture {
    home: TempDir,
    database: Connection,
}

impl Fixture {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut database = Connection::open(home.path().join("hub.db")).unwrap();
        database.pragma_update(None, "journal_mode", "WAL").unwrap();
        crate::journal::steps::migrate_to_latest(&mut database).unwrap();
        database.execute("INSERT INTO meta VALUES ('epoch', 'first')", []).unwrap();
        Self { home, database }
    }

    fn path(&self) -> PathBuf {
        beside(&self.home.path().join("hub.db"), file::ENDING)
    }

    fn follower(&self) -> (Keeper<Indexer>, watch::Receiver<IndexProgress>) {
        let (tell, told) = watch::channel(IndexProgress::default());
        let database = self.home.path().join("hub.db");
        let own = OwnFile::beside(&database, file::ENDING);
        (Keeper::new(Indexer::new(database, tell), own), told)
    }

    /// Stores a message in a row of its own, with an update about it.
    fn says(&self, id: &str, text: Option<&str>) {
        self.says_at(self.newest() + 1, id, text);
    }

    fn says_at(&self, seq: i64, id: &str, text: Option<&str>) {
        self.database
            .execute(
                "INSERT INTO messages (id, chat_id, at, role, search_key, state) VALUES (?1, 'a', 0, 'customer', ?2, '')
                 ON CONFLICT (id) DO UPDATE SET search_key = ?2",
                params![id, text],
            )
            .unwrap();
        let kind = "message_updated";
        let frame = format!(r#"{{"data":{{"changes":["{kind}"],"message":{{"id":"{id}"}}}}}}"#);
        self.database
            .execute(
                "INSERT INTO journal (seq, event_id, event_type, update_type, received_at) VALUES (?1, ?1, '', '', 0)",
                [seq],
            )
            .unwrap();
        self.database
            .execute("INSERT INTO frames (seq, frame) VALUES (?1, ?2)", params![seq, frame])
            .unwrap();
    }

    fn newest(&self) -> i64 {
        self.database.query_row("SELECT coalesce(max(seq), 0) FROM journal", [], |row| row.get(0)).unwrap()
    }

    fn forgets_updates(&self) {
        self.database.execute("DELETE FROM frames", []).unwrap();
    }

    /// Ids of messages that contain a word with this beginning.
    fn finds(&self, text: &str) -> Vec<String> {
        let index = file::open(&self.path()).unwrap();
        let mut select = index
            .prepare("SELECT rowid FROM message_words WHERE message_words MATCH ?1 ORDER BY rowid")
            .unwrap();
        let rows: Vec<i64> = select
            .query_map([format!("{text} *")], |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        let id = |row: &i64| {
            self.database
                .query_row("SELECT id FROM messages WHERE rowid = ?1", [row], |row| row.get(0))
                .unwrap()
        };
        rows.iter().map(id).collect()
    }
}

fn catch_up(follower: &mut Keeper<Indexer>) -> Result<(), DbError> {
    while follower.step()? == Step::More {}
    Ok(())
}

#[test]
fn what_comes_is_found_and_what_is_blanked_is_not() {
    let place = Fixture::new();
    let (mut follower, told) = place.follower();
    place.says("one", Some("nota fiscal"));
    catch_up(&mut follower).unwrap();
    assert_eq!(*told.borrow(), IndexProgress { seq: 1, state: IndexState::Following });
    assert_eq!(place.finds("fisc"), ["one"]);
    place.says("two", Some("outra nota"));
    place.says("one", Some("recibo"));
    catch_up(&mut follower).unwrap();
    assert_eq!(place.finds("nota"), ["two"]);
    assert_eq!(place.finds("recibo"), ["one"]);
    place.says("one", None);
    catch_up(&mut follower).unwrap();
    assert_eq!(place.finds("recibo"), Vec::<String>::new());
    assert_eq!(told.borrow().seq, 4);
}

#[test]
fn a_position_without_an_update_is_followed_over() {
    let place = Fixture::new();
    let (mut follower, told) = place.follower();
    place.says("one", Some("primeira"));
    catch_up(&mut follower).unwrap();
    // Nothing tells of this: only an index that is built anew would find it.
    place.database.execute("UPDATE messages SET search_key = 'mudada' WHERE id = 'one'", []).unwrap();
    place.says_at(3, "two", Some("segunda"));
    catch_up(&mut follower).unwrap();
    assert_eq!(told.borrow().seq, 3);
    assert_eq!((place.finds("segunda"), place.finds("mudada")), (vec!["two".to_owned()], vec![]));
}

#[test]
fn an_index_that_cannot_follow_is_built_anew() {
    let place = Fixture::new();
    place.says("one", Some("primeira"));
    place.says("two", Some("segunda"));
    let change: [(&str, &dyn Fn()); 3] = [
        ("updates that are not kept", &|| {
            place.says("one", Some("mudada"));
            place.forgets_updates();
        }),
        ("another life of the journal", &|| {
            place.database.execute("UPDATE meta SET value = 'second'", []).unwrap();
            place
                .database
                .execute("UPDATE messages SET search_key = 'terceira' WHERE id = 'one'", [])
                .unwrap();
        }),
        ("rows of another numbering", &|| {
            place.database.execute("UPDATE messages SET rowid = 9 - rowid", []).unwrap();
        }),
    ];
    for (what, change) in change {
        catch_up(&mut place.follower().0).unwrap();
        change();
        catch_up(&mut place.follower().0).unwrap();
        let text: String = place
            .database
            .query_row("SELECT search_key FROM messages WHERE id = 'one'", [], |row| row.get(0))
            .unwrap();
        assert_eq!(place.finds(&text), ["one"], "{what}");
        assert_eq!(place.finds("primeira"), Vec::<String>::new(), "{what}");
        assert_eq!(place.finds("segunda"), ["two"], "{what}");
    }
}

#[test]
fn a_damaged_index_is_taken_away_and_built_anew() {
    let place = Fixture::new();
    place.says("one", Some("nota fiscal"));
    let path = place.path();
    std::fs::write(&path, [b'x'; 8_192]).unwrap();
    let (mut follower, told) = place.follower();
    let error = catch_up(&mut follower).unwrap_err();
    follower.fail(&error);
    assert_eq!(told.borrow().state, IndexState::Failed);
    catch_up(&mut follower).unwrap();
    assert_eq!(place.finds("nota"), ["one"]);
    assert_eq!(told.borrow().state, IndexState::Following);
}

#[test]
fn an_index_that_sqlite_itself_finds_damaged_is_built_anew() {
    let place = Fixture::new();
    place.says("one", Some("nota fiscal"));
    let (mut follower, _told) = place.follower();
    catch_up(&mut follower).unwrap();
    // Every page is whole, but its content makes no sense.
    let index = Connection::open(place.path()).unwrap();
    index.execute("UPDATE message_words_data SET block = x'0102' WHERE id > 10", []).unwrap();
    let damage = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT_VTAB);
    follower.fail(&rusqlite::Error::SqliteFailure(damage, None).into());
    catch_up(&mut follower).unwrap();
    assert_eq!(place.finds("nota"), ["one"]);
}

#[test]
fn an_index_that_readers_find_damaged_is_built_anew_while_the_hub_runs() {
    let place = Fixture::new();
    place.says("one", Some("nota fiscal"));
    let index = WordIndex::start(&place.home.path().join("hub.db")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        assert!(index.reach(Seq(1), Duration::from_mins(1)).await.has(Seq(1)));
        let mut steps = index.follower.position();
        let generation = || index.file.generation().load(Ordering::Acquire);
        let before = generation();
        let file = Connection::open(place.path()).unwrap();
        file.execute("UPDATE message_words_data SET block = x'0102' WHERE id > 10", []).unwrap();
        drop(file);
        index.note_damage();
        while generation() == before {
            steps.changed().await.unwrap();
        }
        // The second step that is published after the file was opened has added the words.
        steps.mark_unchanged();
        steps.changed().await.unwrap();
    });
    assert_eq!(place.finds("nota"), ["one"]);
}

#[test]
fn an_index_of_another_version_is_built_anew_in_many_batches() {
    let place = Fixture::new();
    let (mut follower, told) = place.follower();
    catch_up(&mut follower).unwrap();
    place.database.execute("BEGIN", []).unwrap();
    for at in 0..2_500 {
        place.says(&format!("m{at}"), Some("palavra"));
    }
    place.database.execute("COMMIT", []).unwrap();
    let index = Connection::open(place.path()).unwrap();
    index.pragma_update(None, "user_version", 0).unwrap();
    catch_up(&mut follower).unwrap();
    assert_eq!(place.finds("palavra").len(), 2_500);
    assert_eq!(*told.borrow(), IndexProgress { seq: 2_500, state: IndexState::Following });
}

/// The last step of deleting by age whose words the index has to follow.
fn has_deleted(place: &Fixture, before: i64, done: i64) {
    let known = "INSERT OR REPLACE INTO retention (what, before, done) VALUES ('texts', ?1, ?2)";
    place.database.execute(known, [before, done]).unwrap();
}

#[test]
fn words_of_one_second_that_are_deleted_in_two_steps_are_all_gone_from_the_file() {
    let place = Fixture::new();
    for number in 0..40_i64 {
        place.says(&format!("m{number}"), Some("xilofone"));
        // A customer's message says a whole second; it is placed at the time when the provider created it.
        let moved = "UPDATE messages SET at = 5000000000, order_at = 5000000000 + ?2 WHERE id = ?1";
        place.database.execute(moved, params![format!("m{number}"), number * 1_000_000]).unwrap();
    }
    place.says("young", Some("berimbau"));
    place.database.execute("UPDATE messages SET at = 9e9, order_at = 9e9 WHERE id = 'young'", []).unwrap();
    let (mut follower, _told) = place.follower();
    catch_up(&mut follower).unwrap();
    let holds = |word: &str| {
        let mut bytes = std::fs::read(place.path()).unwrap();
        bytes.extend(std::fs::read(beside(&place.path(), "-wal")).unwrap());
        bytes.windows(word.len()).any(|part| part == word.as_bytes())
    };
    assert!(holds("xilofone") && holds("berimbau"));
    let blank = "UPDATE messages SET search_key = NULL WHERE at = 5000000000 AND order_at <= ?1";
    for (last, done) in [(5_024_000_000_i64, 5_024_000_000), (5_999_999_999, 6_000_000_000)] {
        place.database.execute(blank, [last]).unwrap();
        has_deleted(&place, 6_000_000_000, done);
        catch_up(&mut follower).unwrap();
    }
    assert_eq!(place.finds("xilofone"), Vec::<String>::new());
    assert!(!holds("xilofone"), "they are in the file");
    assert_eq!(place.finds("berimbau"), ["young"]);
}

#[test]
fn messages_that_lost_their_words_by_age_are_found_through_the_index_of_their_order() {
    let place = Fixture::new();
    let mut explain = place.database.prepare(&format!("EXPLAIN QUERY PLAN {FORGOTTEN}")).unwrap();
    let plan: Vec<String> =
        explain.query_map([0, 1, 2], |row| row.get(3)).unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(plan, ["SEARCH messages USING INDEX messages_by_time (order_at>? AND order_at<?)"]);
}

#[test]
fn words_that_go_by_age_are_merged_out_once_when_the_run_is_over_and_those_of_a_person_at_once() {
    let place = Fixture::new();
    for number in 1..5_i64 {
        place.says(&format!("m{number}"), Some("xilofone"));
        let moved = "UPDATE messages SET at = ?2, order_at = ?2 WHERE id = ?1";
        place.database.execute(moved, params![format!("m{number}"), 10 + number]).unwrap();
    }
    let (mut follower, _told) = place.follower();
    catch_up(&mut follower).unwrap();
    let merging = || file::forgotten(&file::open(&place.path()).unwrap()).unwrap();
    let mut steps = Vec::new();
    for done in [11, 12, 20] {
        place.database.execute("UPDATE messages SET search_key = NULL WHERE order_at <= ?1", [done]).unwrap();
        has_deleted(&place, 20, done);
        catch_up(&mut follower).unwrap();
        steps.push(merging());
    }
    assert_eq!(steps, [(11, Merging::Later), (12, Merging::Later), (20, Merging::Done)]);
    has_deleted(&place, 40, 30);
    catch_up(&mut follower).unwrap();
    assert_eq!(merging(), (30, Merging::Later));
    let told = r#"{"data":{"changes":["contact_erased"],"erasedContactId":"nobody"}}"#;
    place.says("m5", Some("berimbau"));
    place.database.execute("UPDATE frames SET frame = ?1 WHERE seq = 5", [told]).unwrap();
    catch_up(&mut follower).unwrap();
    assert_eq!(merging(), (30, Merging::Done));
}
