//! The cost of a limited scope's page, in steps of SQLite. These are the same on any machine and under any
//! load.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::auth::{Identity, Role, Scope};
use crate::protocol::SnapshotLimits;
use crate::reads::contacts::SORTED_MAX;
use crate::reads::members::MemberFilter;
use crate::reads::testing::message;
use crate::reads::{ListMembers, Query, Snapshot};

/// Hundreds of SQLite steps that an answer takes.
fn steps<Q: Query>(base: &mut Base, question: Q) -> u64 {
    let hundreds = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&hundreds);
    let count = move || {
        counter.fetch_add(1, Ordering::Relaxed);
        false
    };
    base.connection.progress_handler(100, Some(count)).unwrap();
    base.ask(question).unwrap();
    base.connection.progress_handler(100, None::<fn() -> bool>).unwrap();
    hundreds.load(Ordering::Relaxed)
}

/// A history of chats with one contact each, spread over two organizations, ten sectors, two lines and twenty
/// agents. The oldest tenth is in the sector `old`, and every tenth chat is private.
fn long_history(chats: usize) -> Base {
    let base = Base::new();
    for number in 0..chats {
        let (id, of) = (format!("chat{number:05}"), |count: usize| (number % count).to_string());
        let (contact_id, second) = (format!("contact{number:05}"), i64::try_from(number).unwrap());
        let mut one = chat(&id, &contact_id);
        one.organization = Some(of(2).as_str().into());
        one.active_at = Some(at(second));
        one.message_count = 1;
        let sector = if number * 10 < chats { "old".to_owned() } else { of(10) };
        say(&mut one.sector, Some(named(&sector)));
        say(
            &mut one.channel,
            crate::domain::ChatLine { id: of(2).as_str().into(), name: None, channel_type: None },
        );
        say(&mut one.owner, Some(named(&of(20))));
        say(&mut one.private, number % 10 == 9);
        base.put_contact(&contact(&contact_id, if number == 3 { "Bia" } else { "Ana" }));
        base.put_message(&message(&format!("message{number:05}"), &id, second, "Contact", "text"));
        base.put_chat(&one);
    }
    base.run("INSERT INTO members (id, occurs, name_key, search_key) SELECT DISTINCT member_id, 1, '', '' FROM placement_people", []);
    base
}

/// Kinds of limited tokens in [`long_history`].
fn kinds() -> Vec<(&'static str, Identity)> {
    let limit = |ids: &[&str]| Some(ids.iter().map(ToString::to_string).collect::<Vec<_>>());
    let forty = (0..40).map(|id| id.to_string()).collect();
    vec![
        ("orgs", Identity { orgs: limit(&["1"]), ..Identity::anonymous() }),
        ("sectors", Identity { sectors: limit(&["3"]), ..Identity::anonymous() }),
        ("a sector of old chats", Identity { sectors: limit(&["old"]), ..Identity::anonymous() }),
        ("a sector without chats", Identity { sectors: limit(&["none"]), ..Identity::anonymous() }),
        ("channels", Identity { channels: limit(&["1"]), ..Identity::anonymous() }),
        ("members", Identity { role: Role::Agent, members: limit(&["3", "4"]), ..Identity::anonymous() }),
        ("40 members", Identity { role: Role::Agent, members: Some(forty), ..Identity::anonymous() }),
        ("no private chats", Identity { role: Role::Agent, ..Identity::anonymous() }),
        ("masked", Identity { role: Role::Viewer, ..Identity::anonymous() }),
    ]
}

#[test]
fn a_search_of_a_limited_token_costs_a_few_times_what_an_admins_does() {
    let (mut base, mut dear) = (long_history(1_600), Vec::new());
    let mut cost = |identity: &Identity, what: &str| {
        let scope = Arc::new(Scope::of(identity));
        let search = |search: &str| ContactFilter { search: Some(search.to_owned()), tag: None };
        let list = |filter| ListContacts {
            filter,
            scope: Arc::clone(&scope),
            ..contacts(Sort::LastInteraction, Order::Desc, 20, PageAt::Page(1))
        };
        match what {
            "contacts of which there is one" => steps(&mut base, list(search("bia"))),
            "contacts of which there are many" => steps(&mut base, list(search("ana"))),
            _ => steps(&mut base, list(search("zzz"))),
        }
    };
    // What is found is looked at one by one, up to `SORTED_MAX`; a step is no measure of time. benches/hub/scopes.rs holds the times
    // within three times the admin's.
    for (what, times) in [
        ("contacts of which there is one", 4),
        ("contacts of which there are many", 8),
        ("contacts that do not exist", 4),
    ] {
        let admin = cost(&Identity::anonymous(), what);
        for (kind, identity) in kinds() {
            let limited = cost(&identity, what);
            if limited > admin * times + 2 {
                dear.push(format!("{what} for {kind}: {limited} hundred steps, the admin's {admin}"));
            }
        }
    }
    assert!(dear.is_empty(), "{dear:#?}");
}

#[test]
fn a_page_of_a_limited_token_costs_the_same_however_long_the_history_is() {
    let (mut short, mut long) = (long_history(400), long_history(1_600));
    for (kind, identity) in kinds() {
        let scope = Arc::new(Scope::of(&identity));
        let mut compare = |what: &str, cost: &dyn Fn(&mut Base) -> u64| {
            let (short, long) = (cost(&mut short), cost(&mut long));
            // An index that is four times as large is at most one level deeper.
            assert!(
                long <= short * 3 / 2 + 2,
                "{what} for {kind}: {short} hundred steps, {long} with four times the chats"
            );
        };
        compare("contacts", &|base| {
            steps(
                base,
                ListContacts {
                    scope: Arc::clone(&scope),
                    ..contacts(Sort::LastInteraction, Order::Desc, 20, PageAt::Page(1))
                },
            )
        });
        compare("chats", &|base| {
            steps(base, ListChats { scope: Arc::clone(&scope), limit: 20, ..chats(ChatFilter::default()) })
        });
        compare("messages", &|base| {
            steps(
                base,
                ListMessages { scope: Arc::clone(&scope), limit: 20, ..messages(MessageFilter::default()) },
            )
        });
        compare("a snapshot", &|base| {
            let limits = SnapshotLimits { contacts: 10, chats: 20, messages: 10 };
            steps(
                base,
                Snapshot { limits, now: at(0), zone: jiff::tz::TimeZone::UTC, scope: Arc::clone(&scope) },
            )
        });
        compare("members, searched", &|base| {
            let filter = MemberFilter { search: Some("1".to_owned()), known: None };
            steps(base, ListMembers { filter, limit: 20, at: PageAt::Page(1), scope: Arc::clone(&scope) })
        });
        compare("members", &|base| {
            steps(
                base,
                ListMembers {
                    filter: MemberFilter::default(),
                    limit: 20,
                    at: PageAt::Page(1),
                    scope: Arc::clone(&scope),
                },
            )
        });
    }
}

#[test]
fn a_search_that_finds_too_much_to_be_sorted_is_walked() {
    let mut base = Base::new();
    let mut first = chat("chat0", "contact0");
    say(&mut first.sector, Some(named("sales")));
    first.active_at = Some(at(0));
    base.put_contact(&contact("contact0", "Ana"));
    base.put_chat(&first);
    for (table, columns) in [
        ("contacts", "id, name_key, search_key, created_at, last_interaction_at, state, placement_set_id"),
        (
            "chats",
            "id, contact_id, kind, sector_id, open, waiting, private, name_key, created_at, last_activity_at,
                  message_count, state, placement_id",
        ),
    ] {
        let copied = columns
            .replacen("id,", "replace(id, '0', number),", 1)
            .replace("contact_id", "replace(contact_id, '0', number)")
            .replace("last_activity_at", "last_activity_at + number");
        base.run(
            &format!(
                "WITH RECURSIVE numbers (number) AS (VALUES (1) UNION ALL SELECT number + 1 FROM numbers LIMIT ?1)
                 INSERT INTO {table} ({columns})
                 SELECT {} FROM numbers, {table} WHERE id IN ('chat0', 'contact0')",
                copied.replace("state", "replace(replace(state, 'contact0', 'contact' || number), 'chat0', 'chat' || number)")
            ),
            [i64::try_from(SORTED_MAX).unwrap()],
        );
    }
    let scope =
        Arc::new(Scope::of(&Identity { sectors: Some(vec!["sales".into()]), ..Identity::anonymous() }));
    let mut find = |search: &str| {
        let filter = ContactFilter { search: Some(search.to_owned()), tag: None };
        let list = contacts(Sort::LastInteraction, Order::Desc, 3, PageAt::Page(1));
        base.ask(ListContacts { filter, scope: Arc::clone(&scope), ..list }).unwrap()
    };
    let (found, newest) = (find("ana"), |back: usize| format!("contact{}", SORTED_MAX - back));
    assert_eq!(found.total, i64::try_from(SORTED_MAX + 1).unwrap());
    assert_eq!(contact_ids(&found), [newest(0), newest(1), newest(2)]);
    assert_eq!(find("bia").total, 0);
}
