//! Every filter narrows, every sort sorts, and rows come whole.

use super::*;
use crate::domain::{Chat, ChatStatus, MessagePosition};
use crate::reads::testing::message;
use crate::reads::{GetChat, GetContact, ListChatMessages, ListContactChats, StatusFilter};

#[test]
fn a_contact_comes_with_its_newest_message() {
    let mut base = Base::new();
    base.put_conversation("ana", "Ana", "anas", &["first", "last"]);
    let page = base.ask(latest_contacts(ContactFilter::default())).unwrap();
    assert_eq!((contact_ids(&page), page.total, &page.next), (vec!["ana"], 1, &None));
    let summary = page.items[0].last_message.as_ref().unwrap();
    assert_eq!((summary.text.as_deref(), summary.chat_id.as_str()), (Some("last"), "anas"));
    assert_eq!(
        base.ask(GetContact { id: "ana".into(), scope: everything() }).unwrap().as_ref(),
        Some(&page.items[0])
    );
    assert_eq!(
        base.ask(GetContact { id: "ANA".into(), scope: everything() }).unwrap(),
        None,
        "ids are case-sensitive"
    );
}

#[test]
fn a_contact_is_found_by_name_without_accents_and_by_any_way_to_write_the_phone() {
    let mut base = Base::new();
    let mut joao = contact("joao", "João da Silva");
    say(&mut joao.phone, "+5511900000001".to_owned());
    base.put_contact(&joao);
    base.put_contact(&contact("percent", "100% Sala_3"));
    let mut find = |text: &str| {
        let page = base.ask(latest_contacts(ContactFilter { search: Some(text.into()), tag: None })).unwrap();
        assert_eq!(page.total, i64::try_from(page.items.len()).unwrap(), "{text}");
        contact_ids(&page).join(",")
    };
    for text in ["joao", "JOÃO DA", "(11) 90000-0001", "+55 11", "5511900000001", " silva "] {
        assert_eq!(find(text), "joao", "{text}");
    }
    assert_eq!(find("0%"), "percent", "a percent sign is a letter");
    assert_eq!(find("a_3"), "percent", "an underscore is a letter");
    assert_eq!(find("a_d"), "");
    assert_eq!(find(""), "percent,joao", "everything contains nothing");
}

#[test]
fn a_tag_narrows_contacts_and_chats() {
    let mut base = three_chats();
    let mut tagged = contact("tagged", "Tagged");
    say(&mut tagged.tags, vec![named("vip"), named("other")]);
    base.put_contact(&tagged);
    let page = base.ask(latest_contacts(ContactFilter { tag: Some("vip".into()), search: None })).unwrap();
    assert_eq!((contact_ids(&page), page.total), (vec!["tagged"], 1));
    let page = base.ask(chats(ChatFilter { tag: Some("vip".into()), ..ChatFilter::default() })).unwrap();
    assert_eq!((chat_ids(&page), page.total), (vec!["anas"], 1));
}

#[test]
fn open_includes_waiting_and_every_filter_narrows() {
    let mut base = three_chats();
    let with = |change: fn(&mut ChatFilter)| {
        let mut filter = ChatFilter::default();
        change(&mut filter);
        chats(filter)
    };
    for (list, expected) in [
        (with(|_| {}), vec!["anas", "bias", "caios"]),
        (with(|filter| filter.status = Some(StatusFilter::Open)), vec!["anas", "bias"]),
        (with(|filter| filter.status = Some(StatusFilter::Waiting)), vec!["bias"]),
        (with(|filter| filter.status = Some(StatusFilter::Closed)), vec!["caios"]),
        (with(|filter| filter.owner = Some("agent".into())), vec!["anas"]),
        (with(|filter| filter.sector = Some("sales".into())), vec!["anas"]),
        (with(|filter| filter.channel = Some("none".into())), vec![]),
        (with(|filter| filter.kind = Some(ChatKind::Group)), vec!["bias"]),
        (with(|filter| filter.contact = Some("caio".into())), vec!["caios"]),
        (with(|filter| filter.search = Some("AN".into())), vec!["anas"]),
        (
            with(|filter| {
                filter.status = Some(StatusFilter::Open);
                filter.search = Some("caio".into());
            }),
            vec![],
        ),
    ] {
        let page = base.ask(list.clone()).unwrap();
        assert_eq!(chat_ids(&page), expected, "{list:?}");
        assert_eq!(page.total, i64::try_from(expected.len()).unwrap(), "{list:?}");
    }
}

#[test]
fn chats_sort_by_activity_name_and_creation_either_way() {
    let mut base = three_chats();
    for (sort, order, expected) in [
        (Sort::LastInteraction, Order::Asc, ["caios", "bias", "anas"]),
        (Sort::Name, Order::Asc, ["anas", "bias", "caios"]),
        (Sort::Name, Order::Desc, ["caios", "bias", "anas"]),
        (Sort::CreatedAt, Order::Desc, ["caios", "bias", "anas"]),
    ] {
        let list = ListChats { sort, order, ..chats(ChatFilter::default()) };
        assert_eq!(chat_ids(&base.ask(list).unwrap()), expected, "{sort:?} {order:?}");
    }
}

#[test]
fn a_chat_comes_with_its_contacts_name_and_its_newest_message() {
    let mut base = Base::new();
    base.put_conversation("ana", "Ana", "anas", &["hello"]);
    let chat = base.ask(GetChat { id: "anas".into(), scope: everything() }).unwrap().unwrap();
    assert_eq!(chat.contact_name.as_deref(), Some("Ana"));
    assert_eq!(chat.status, ChatStatus::Open);
    assert_eq!(chat.last_message.unwrap().text.as_deref(), Some("hello"));
    assert_eq!(base.ask(GetChat { id: "other".into(), scope: everything() }).unwrap(), None);
}

#[test]
fn a_chat_whose_contact_and_message_are_not_stored_is_listed_all_the_same() {
    let mut base = Base::new();
    let mut lonely = Chat::new("lonely".into());
    lonely.last_message = Some(MessagePosition { at: at(1), created_at: None, id: "gone".into() });
    base.put_chat(&lonely);
    let page = base.ask(chats(ChatFilter::default())).unwrap();
    assert_eq!((page.items[0].contact_id.as_ref(), page.items[0].last_message.as_ref()), (None, None));
}

#[test]
fn a_contacts_chats_are_its_own_and_an_unknown_contact_has_no_list() {
    let mut base = three_chats();
    let list =
        |contact: &str| ListContactChats { contact: contact.into(), list: chats(ChatFilter::default()) };
    let page = base.ask(list("bia")).unwrap().unwrap();
    assert_eq!((chat_ids(&page), page.total), (vec!["bias"], 1));
    assert!(base.ask(list("unknown")).unwrap().is_none());
}

fn two_conversations() -> Base {
    let base = Base::new();
    base.put_conversation("ana", "Ana", "anas", &["Olá", "Preço 10%", "Tchau"]);
    base.put_conversation("bia", "Bia", "bias", &["Oi"]);
    base
}

#[test]
fn messages_run_from_the_newest_and_every_filter_narrows() {
    let mut base = two_conversations();
    base.put_message(&message("reply", "bias", 9, "Member", "De nada"));
    base.run("UPDATE chats SET message_count = 2 WHERE id = 'bias'", []);
    base.run("UPDATE placements SET messages = messages + 1", []);
    let with = |change: fn(&mut MessageFilter)| {
        let mut filter = MessageFilter::default();
        change(&mut filter);
        messages(filter)
    };
    for (list, expected) in [
        (with(|_| {}), vec!["reply", "anas-3", "anas-2", "bias-1", "anas-1"]),
        (with(|filter| filter.chat = Some("anas".into())), vec!["anas-3", "anas-2", "anas-1"]),
        (with(|filter| filter.contact = Some("bia".into())), vec!["reply", "bias-1"]),
        (with(|filter| filter.source = Some("Member".into())), vec!["reply"]),
        (with(|filter| filter.search = Some("PRECO 10%".into())), vec!["anas-2"]),
        (
            with(|filter| filter.search = Some("  ".into())),
            vec!["reply", "anas-3", "anas-2", "bias-1", "anas-1"],
        ),
        (with(|filter| filter.since = Some(at(3))), vec!["reply", "anas-3"]),
        (with(|filter| filter.until = Some(at(2))), vec!["bias-1", "anas-1"]),
        (
            with(|filter| {
                filter.chat = Some("anas".into());
                filter.contact = Some("ana".into());
                filter.source = Some("Contact".into());
                filter.since = Some(at(2));
                filter.until = Some(at(3));
            }),
            vec!["anas-2"],
        ),
    ] {
        let page = base.ask(list.clone()).unwrap();
        let ids: Vec<_> = page.items.iter().map(|message| message.id.as_str()).collect();
        assert_eq!(ids, expected, "{list:?}");
        assert_eq!(page.total, i64::try_from(expected.len()).unwrap(), "{list:?}");
    }
}

#[test]
fn a_chats_messages_end_with_the_oldest_and_know_their_contact() {
    let mut base = two_conversations();
    let list = |chat: &str| ListChatMessages { chat: chat.into(), list: messages(MessageFilter::default()) };
    let page = base.ask(list("anas")).unwrap().unwrap();
    let oldest = page.items.last().unwrap();
    assert_eq!((oldest.text.as_deref(), oldest.contact_id.as_deref()), (Some("Olá"), Some("ana")));
    assert_eq!(page.total, 3);
    assert!(base.ask(list("unknown")).unwrap().is_none());
}
