//! Pages yield each row once, in order, along an index, and refuse the cursor of another list.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::reads::ReadError;
use crate::reads::cursor::{Cursor, SortKey};
use crate::reads::page::Walk;

#[test]
fn a_cursor_of_another_filter_sort_or_list_is_refused() {
    let mut base = Base::new();
    for id in ["a", "b", "c"] {
        base.put_contact(&contact(id, id));
        base.put_chat(&chat(id, id));
    }
    let first = contacts(Sort::Name, Order::Asc, 1, PageAt::Page(1));
    let next = base.ask(first.clone()).unwrap().next.unwrap();
    let after = ListContacts { at: PageAt::After(next.clone()), ..first };
    let elsewhere = [
        ListContacts { order: Order::Desc, ..after.clone() },
        ListContacts { sort: Sort::CreatedAt, ..after.clone() },
        ListContacts { filter: ContactFilter { search: Some("b".into()), tag: None }, ..after.clone() },
    ];
    assert_eq!(contact_ids(&base.ask(ListContacts { limit: 2, ..after }).unwrap()), ["b", "c"]);
    for list in elsewhere {
        assert!(matches!(base.ask(list), Err(ReadError::BadCursor)));
    }
    let list = ListChats { sort: Sort::Name, at: PageAt::After(next), ..chats(ChatFilter::default()) };
    assert!(matches!(base.ask(list), Err(ReadError::BadCursor)));
}

#[test]
fn a_page_beyond_the_last_is_empty_and_the_last_has_no_cursor() {
    let mut base = Base::new();
    for id in ["a", "b", "c"] {
        base.put_contact(&contact(id, id));
    }
    let mut page = |number| base.ask(contacts(Sort::Name, Order::Asc, 2, PageAt::Page(number))).unwrap();
    assert!(page(1).next.is_some());
    let last = page(2);
    assert_eq!((contact_ids(&last), last.total, &last.next), (vec!["c"], 3, &None));
    let beyond = page(u32::MAX);
    assert_eq!((contact_ids(&beyond), beyond.total), (vec![], 3));
}

fn plan(base: &mut Base, walk: &Walk<'_>) -> String {
    let (sql, values) = walk.statement().unwrap();
    let mut statement = base.connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let lines =
        statement.query_map(rusqlite::params_from_iter(values), |row| row.get::<_, String>(3)).unwrap();
    lines.collect::<Result<Vec<_>, _>>().unwrap().join("; ")
}

fn assert_walks(base: &mut Base, walk: &Walk<'_>, index: &str) {
    let plan = plan(base, walk);
    assert!(plan.contains(index), "{plan}");
    assert!(!plan.contains("TEMP B-TREE") && !plan.contains("SCAN messages;"), "{plan}");
}

#[test]
fn the_hot_lists_walk_an_index_and_sort_nothing() {
    let mut base = Base::new();
    let after = || PageAt::After(Cursor::new(0, SortKey::Time(0), "x".into()));
    for at in [PageAt::Page(1), after()] {
        let mut check = |mut walk: Walk<'_>, index| {
            walk.fingerprint = 0;
            assert_walks(&mut base, &walk, index);
        };
        for (sort, index) in [
            (Sort::LastInteraction, "COVERING INDEX contacts_by_interaction"),
            (Sort::Name, "COVERING INDEX contacts_by_name"),
            (Sort::CreatedAt, "COVERING INDEX contacts_by_creation"),
        ] {
            check(contacts(sort, Order::Desc, 50, at.clone()).walk(false).unwrap(), index);
        }
        let open = ListChats { at: at.clone(), ..ListChats::open(50, &everything()) };
        check(open.walk(false).unwrap(), "INDEX chats_open_by_activity");
        let all = ListChats { at: at.clone(), ..chats(ChatFilter::default()) };
        check(all.walk(false).unwrap(), "COVERING INDEX chats_by_activity");
        for (filter, index) in [
            (MessageFilter::default(), "COVERING INDEX messages_by_time"),
            (
                MessageFilter { chat: Some("c".into()), ..MessageFilter::default() },
                "SEARCH messages USING COVERING INDEX messages_of_chat",
            ),
            (
                MessageFilter { source: Some("Bot".into()), ..MessageFilter::default() },
                "SEARCH messages USING COVERING INDEX messages_by_source",
            ),
        ] {
            let list = ListMessages { at: at.clone(), ..messages(filter) };
            check(list.walk().unwrap(), index);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn walking_all_pages_yields_every_contact_once_in_order(
        rows in prop::collection::btree_map("[a-c]{1,3}", 0_i64..4, 0..25),
        newcomers in prop::collection::vec(("[d-f]{1,3}", 0_i64..4), 0..12),
        sort in prop::sample::select(vec![Sort::LastInteraction, Sort::Name, Sort::CreatedAt]),
        order in prop::sample::select(vec![Order::Asc, Order::Desc]),
        limit in 1_u32..5,
    ) {
        let mut base = Base::new();
        let put = |base: &Base, id: &str, second: i64| {
            let mut row = contact(id, &format!("n{second}"));
            row.active_at = Some(at(second));
            row.created_at = Some(at(second));
            base.put_contact(&row);
        };
        for (id, second) in &rows {
            put(&base, id, *second);
        }
        let mut newcomers: BTreeMap<_, _> = newcomers.into_iter().collect();
        let mut walked = Vec::new();
        let mut at_page = PageAt::Page(1);
        loop {
            let page = base.ask(contacts(sort, order, limit, at_page)).unwrap();
            prop_assert!(page.items.len() <= usize::try_from(limit).unwrap());
            walked.extend(page.items.into_iter().map(|row| (row.created_at, row.id)));
            let Some(next) = page.next else { break };
            at_page = PageAt::After(next.to_string().parse().unwrap());
            if let Some((id, second)) = newcomers.pop_first() {
                put(&base, &id, second);
            }
        }
        let once: BTreeSet<_> = walked.iter().cloned().collect();
        prop_assert_eq!(once.len(), walked.len(), "no row twice");
        let mut in_order: Vec<_> = once.into_iter().collect();
        if order == Order::Desc {
            in_order.reverse();
        }
        prop_assert_eq!(&walked, &in_order);
        for id in rows.keys() {
            prop_assert!(walked.iter().any(|(_, walked)| walked == id), "{} is missing", id);
        }
    }
}
