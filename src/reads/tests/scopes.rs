//! A scope sees in lists what it sees of updates. The SQL and the rule are compared over random scopes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::auth::{Identity, Role, Scope};
use crate::domain::{Chat, Placement};
use crate::protocol::MessageShape;
use crate::reads::testing::message;
use crate::reads::{GetChat, GetContact, ScopedStats, StatusFilter};

const WORDS: [&str; 3] = ["a", "b", "c"];

fn limit() -> impl Strategy<Value = Option<Vec<String>>> {
    let word = prop::sample::select(&WORDS[..]).prop_map(str::to_owned);
    prop::option::of(prop::collection::vec(word, 0..3))
}

fn scopes() -> impl Strategy<Value = Scope> {
    let role = prop::sample::select(vec![Role::Admin, Role::Supervisor, Role::Agent, Role::Viewer]);
    (role, limit(), limit(), limit(), limit()).prop_map(|(role, orgs, sectors, channels, members)| {
        Scope::of(&Identity { role, orgs, sectors, channels, members, ..Identity::anonymous() })
    })
}

fn any_chat() -> impl Strategy<Value = Chat> {
    let word = || prop::option::of(prop::sample::select(&WORDS[..]));
    let people = prop::collection::vec(prop::sample::select(&WORDS[..]), 0..3);
    (word(), word(), word(), word(), people, any::<bool>()).prop_map(
        |(organization, sector, channel, owner, members, private)| {
            let mut built = chat("", "");
            built.organization = organization.map(Into::into);
            say(&mut built.sector, sector.map(named));
            if let Some(id) = channel {
                let line = crate::domain::ChatLine { id: id.into(), name: None, channel_type: None };
                say(&mut built.channel, line);
            }
            say(&mut built.owner, owner.map(named));
            say(&mut built.members, members.into_iter().map(named).collect());
            say(&mut built.private, private);
            built
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn lists_searches_and_counts_hold_what_the_rule_says(
        drawn in prop::collection::vec(any_chat(), 1..8), scope in scopes()
    ) {
        let mut base = Base::new();
        let scope = Arc::new(scope);
        let mut seen = Vec::new();
        for (number, mut one) in drawn.into_iter().enumerate() {
            let (id, contact_id) = (format!("chat{number}"), format!("contact{number}"));
            (one.id, one.message_count) = (id.as_str().into(), 1);
            one.contact_id = Register::default();
            say(&mut one.contact_id, contact_id.as_str().into());
            base.put_message(&message(&format!("message{number}"), &id, 1, "Contact", "text"));
            base.put_contact(&contact(&contact_id, "Ana"));
            base.put_chat(&one);
            if scope.sees(&Placement::of(&one)) {
                seen.push(number);
            }
        }
        let ids = |kind: &str| seen.iter().map(|number| format!("{kind}{number}")).collect::<Vec<_>>();
        let sorted = |mut found: Vec<String>| { found.sort(); found };

        let list = ListChats { scope: Arc::clone(&scope), ..chats(ChatFilter::default()) };
        let found = base.ask(list).unwrap();
        prop_assert_eq!(found.total, i64::try_from(seen.len()).unwrap());
        prop_assert_eq!(sorted(found.items.into_iter().map(|chat| chat.id).collect()), ids("chat"));

        let list = ListContacts { scope: Arc::clone(&scope), ..latest_contacts(ContactFilter::default()) };
        let found = base.ask(list).unwrap();
        prop_assert_eq!(found.total, i64::try_from(seen.len()).unwrap());
        prop_assert_eq!(sorted(found.items.into_iter().map(|contact| contact.id).collect()), ids("contact"));

        let list = ListMessages { scope: Arc::clone(&scope), ..messages(MessageFilter::default()) };
        let found = base.ask(list).unwrap();
        prop_assert_eq!(found.total, i64::try_from(seen.len()).unwrap());
        prop_assert_eq!(sorted(found.items.into_iter().map(|message| message.id).collect()), ids("message"));

        let zone = jiff::tz::TimeZone::UTC;
        let stats = base.ask(ScopedStats { now: at(60), zone, scope: Arc::clone(&scope) }).unwrap();
        let counted = i64::try_from(seen.len()).unwrap();
        prop_assert_eq!(
            (stats.total_chats, stats.total_contacts, stats.total_messages, stats.open_chats, stats.messages_today),
            (counted, counted, counted, counted, counted)
        );

        for number in 0..8 {
            let scope = || Arc::clone(&scope);
            let chat = base.ask(GetChat { id: format!("chat{number}"), scope: scope() }).unwrap();
            let contact = base.ask(GetContact { id: format!("contact{number}"), scope: scope() }).unwrap();
            prop_assert_eq!((chat.is_some(), contact.is_some()), (seen.contains(&number), seen.contains(&number)));
        }
    }
}

/// A chat that shares its contact with others, and the seconds of its messages. Some are later than the last
/// activity.
fn any_talk() -> impl Strategy<Value = (Chat, usize, i64, Vec<i64>)> {
    let times = prop::collection::vec(0..40_i64, 0..4);
    (any_chat(), 0..12_usize, 0..40_i64, times, any::<bool>()).prop_map(
        |(mut chat, contact, active, times, open)| {
            chat.open = Register::default();
            say(&mut chat.open, open);
            (chat, contact, active, times)
        },
    )
}

/// A database with these chats, and the ids of those that the scope sees.
fn with_talks(drawn: &[(Chat, usize, i64, Vec<i64>)], scope: &Scope) -> (Base, BTreeSet<String>) {
    let (base, mut seen) = (Base::new(), BTreeSet::new());
    for number in 0..12 {
        base.put_contact(&contact(&format!("contact{number}"), WORDS[number % WORDS.len()]));
    }
    for (number, (chat, contact, active, times)) in drawn.iter().enumerate() {
        let (mut chat, id) = (chat.clone(), format!("chat{number}"));
        (chat.id, chat.active_at) = (id.as_str().into(), Some(at(*active)));
        chat.message_count = i64::try_from(times.len()).unwrap();
        chat.contact_id = Register::default();
        say(&mut chat.contact_id, format!("contact{contact}").into());
        for (message_number, second) in times.iter().enumerate() {
            base.put_message(&message(
                &format!("m{number}-{message_number}"),
                &id,
                *second,
                "Contact",
                "text",
            ));
        }
        base.put_chat(&chat);
        if scope.sees(&Placement::of(&chat)) {
            seen.insert(id);
        }
    }
    (base, seen)
}

/// Ids of all rows of a list, read page by page with cursors. Each page is also read by its number and must
/// be the same.
fn walk_through<T>(
    base: &mut Base,
    mut ask: impl FnMut(&mut Base, PageAt) -> Page<T>,
    id: impl Fn(&T) -> String,
) -> Vec<String> {
    let (mut ids, mut at, mut number) = (Vec::new(), PageAt::Page(1), 0);
    loop {
        let page = ask(base, at);
        number += 1;
        let counted = ask(base, PageAt::Page(number));
        let of = |page: &Page<T>| page.items.iter().map(&id).collect::<Vec<_>>();
        assert_eq!(of(&page), of(&counted), "page {number} is the same however it is found");
        ids.extend(of(&page));
        let Some(next) = page.next else {
            assert_eq!(page.total, i64::try_from(ids.len()).unwrap(), "the total is what all pages hold");
            assert_eq!(of(&ask(base, PageAt::Page(number + 1))), Vec::<String>::new());
            return ids;
        };
        at = PageAt::After(next);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_limited_list_is_the_whole_list_without_what_is_not_seen(
        drawn in prop::collection::vec(any_talk(), 1..60), scope in scopes(), limit in 1..4_u32,
        order in prop::sample::select(vec![Order::Asc, Order::Desc]),
        sort in prop::sample::select(vec![Sort::LastInteraction, Sort::Name, Sort::CreatedAt]),
        search in prop::option::of(prop::sample::select(&WORDS[..])),
        status in prop::sample::select(
            vec![None, Some(StatusFilter::Open), Some(StatusFilter::Closed), Some(StatusFilter::Waiting)]),
    ) {
        let (mut base, seen) = with_talks(&drawn, &scope);
        let scope = Arc::new(scope);
        let is_seen = |chat: &String| seen.contains(chat);

        let filter = ChatFilter { status, ..ChatFilter::default() };
        let list = |at, scope| ListChats { filter: filter.clone(), sort, order, limit, at, scope };
        let whole = walk_through(&mut base, |base, at| base.ask(list(at, everything())).unwrap(), |chat| chat.id.clone());
        let found =
            walk_through(&mut base, |base, at| base.ask(list(at, Arc::clone(&scope))).unwrap(), |chat| chat.id.clone());
        prop_assert_eq!(found, whole.into_iter().filter(is_seen).collect::<Vec<_>>());

        let list = |at, scope| ListMessages { limit, at, scope, ..messages(MessageFilter::default()) };
        let name = |message: &MessageShape| format!("{} of {}", message.id, message.chat_id);
        let whole = walk_through(&mut base, |base, at| base.ask(list(at, everything())).unwrap(), name);
        let found = walk_through(&mut base, |base, at| base.ask(list(at, Arc::clone(&scope))).unwrap(), name);
        let of_seen = |name: &String| name.split_once(" of ").is_some_and(|(_, chat)| seen.contains(chat));
        prop_assert_eq!(found, whole.into_iter().filter(of_seen).collect::<Vec<_>>());

        // A contact stands at the latest of its visible chats. If the scope's claims do not limit it,
        // the contact's own latest interaction counts.
        let filter = ContactFilter { search: search.map(str::to_owned), tag: None };
        let list = |at, scope| ListContacts { filter: filter.clone(), sort, order, limit, at, scope };
        let id = |contact: &ContactShape| contact.id.clone();
        let whole = walk_through(&mut base, |base, at| base.ask(list(at, everything())).unwrap(), id);
        let found = walk_through(&mut base, |base, at| base.ask(list(at, Arc::clone(&scope))).unwrap(), id);
        let mut latest: BTreeMap<String, (i64, String)> = BTreeMap::new();
        let mut with_chats = BTreeSet::new();
        for (number, (_, contact, active, _)) in drawn.iter().enumerate() {
            let (contact, chat) = (format!("contact{contact}"), format!("chat{number}"));
            with_chats.insert(contact.clone());
            if seen.contains(&chat) {
                let place = (*active, chat);
                latest.entry(contact).and_modify(|known| *known = place.clone().max(known.clone())).or_insert(place);
            }
        }
        let is_listed =
            |contact: &String| latest.contains_key(contact) || (scope.is_whole() && !with_chats.contains(contact));
        let mut expected: Vec<String> = whole.into_iter().filter(is_listed).collect();
        if scope.is_masked() && search.is_some() {
            expected.clear();
        }
        if sort == Sort::LastInteraction && !scope.is_whole() {
            expected.sort_by_key(|contact| latest[contact].clone());
            if order == Order::Desc {
                expected.reverse();
            }
        }
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn contacts_run_in_the_order_of_the_chats_that_are_seen() {
    let mut base = Base::new();
    let (sales, support) = (named("sales"), named("support"));
    for (contact_id, seen_at, hidden_at) in [("ana", 1, 9), ("bia", 3, 2), ("caio", 2, 8)] {
        base.put_contact(&contact(contact_id, contact_id));
        for (sector, at_second) in [(&sales, seen_at), (&support, hidden_at)] {
            let mut chat = chat(&format!("{contact_id}-{}", sector.id), contact_id);
            chat.active_at = Some(at(at_second));
            say(&mut chat.sector, Some(sector.clone()));
            base.put_chat(&chat);
        }
    }
    let limit = Some(vec!["sales".to_owned()]);
    let scope = Arc::new(Scope::of(&Identity { sectors: limit, ..Identity::anonymous() }));
    let list = |at| ListContacts {
        scope: Arc::clone(&scope),
        ..contacts(Sort::LastInteraction, Order::Desc, 2, at)
    };
    let first = base.ask(list(PageAt::Page(1))).unwrap();
    assert_eq!((contact_ids(&first), first.total), (vec!["bia", "caio"], 3));
    let second = base.ask(list(PageAt::After(first.next.unwrap()))).unwrap();
    assert_eq!(contact_ids(&second), ["ana"]);
    let searched = ListContacts {
        filter: ContactFilter { search: Some("caio".to_owned()), tag: None },
        ..list(PageAt::Page(1))
    };
    assert_eq!(contact_ids(&base.ask(searched).unwrap()), ["caio"]);
}

#[test]
fn viewers_find_nothing_by_what_is_masked() {
    let mut base = Base::new();
    base.put_conversation("ana", "Ana", "chat", &["olá"]);
    let scope = Arc::new(Scope::of(&Identity { role: Role::Viewer, ..Identity::anonymous() }));
    let search = Some("a".to_owned());
    let filter = ContactFilter { search: search.clone(), tag: None };
    let found = base
        .ask(ListContacts { filter, scope: Arc::clone(&scope), ..latest_contacts(ContactFilter::default()) })
        .unwrap();
    assert_eq!((found.total, found.items.len()), (0, 0));
    let filter = MessageFilter { search, ..MessageFilter::default() };
    let found = base.ask(ListMessages { scope: Arc::clone(&scope), ..messages(filter) }).unwrap();
    assert_eq!((found.total, found.items.len()), (0, 0));
    let found = base.ask(ListContacts { scope, ..latest_contacts(ContactFilter::default()) }).unwrap();
    assert_eq!(found.items[0].name.as_deref(), Some("A•••"));
}
