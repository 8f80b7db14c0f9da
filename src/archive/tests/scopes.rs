//! What a scope sees in lists is what it sees of updates: the SQL and the rule are compared over random scopes.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::archive::testing::message;
use crate::archive::{GetChat, GetContact, ScopedStats};
use crate::auth::{Identity, Role, Scope};
use crate::domain::{Chat, Placement};

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
                let line = crate::domain::Channel { id: id.into(), name: None, channel_type: None };
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
