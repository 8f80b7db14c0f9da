//! Chats as they were at a moment in the past, at the bounds of one answer.

use super::{Base, ChatFilter, at, closed_chat, everything};
use crate::domain::register::to_nanos;
use crate::reads::past::REBUILT_MAX;
use crate::reads::{Cursor, ListPastChats, StatusFilter};

#[test]
fn more_chats_than_are_put_together_for_one_page_are_on_the_next() {
    let mut base = Base::new();
    base.run("BEGIN", []);
    let all = REBUILT_MAX + 5;
    for number in 0..all {
        let id = format!("c{number:05}");
        base.put_chat(&closed_chat(&id, "someone"));
        for (second, open) in [(1, true), (100, false)] {
            let sql = "INSERT INTO timeline (chat_id, at, event_id, seq, open, waiting) VALUES (?1, ?2, ?3, 0, ?4, 0)";
            // Pages run from the highest id down, so the first chat is found last.
            let waits = if number == 0 { sql.replace(", 0)", ", 1)") } else { sql.to_owned() };
            base.run(&waits, rusqlite::params![id, to_nanos(at(second)), format!("{id}-{second}"), open]);
        }
    }
    base.run("COMMIT", []);
    let ask = |after: Option<Cursor>, status| ListPastChats {
        then: at(50),
        filter: ChatFilter { status: Some(status), ..ChatFilter::default() },
        among: None,
        limit: 200,
        after,
        scope: everything(),
    };
    let first = base.ask(ask(None, StatusFilter::Waiting)).unwrap();
    assert_eq!(first.chats, [], "it lies behind all that is put together for one page");
    let second = base.ask(ask(first.next, StatusFilter::Waiting)).unwrap();
    assert_eq!(second.chats.iter().map(|chat| chat.id.as_str()).collect::<Vec<_>>(), ["c00000"]);
    assert_eq!(second.next, None);

    let narrowed = ListPastChats {
        among: Some(vec!["c00000".into(), "c00001".into()]),
        ..ask(None, StatusFilter::Waiting)
    };
    let narrowed = base.ask(narrowed).unwrap();
    assert_eq!((narrowed.chats.len(), narrowed.next), (1, None), "no other is looked at");

    let (mut seen, mut after) = (0, None);
    loop {
        let page = base.ask(ask(after, StatusFilter::Open)).unwrap();
        seen += page.chats.len();
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, all);
}
