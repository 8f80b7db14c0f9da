//! Tests of the readers, question by question, on a small database with the real schema.

mod costs;
mod lists;
mod paging;
mod past;
mod positions;
mod readers;
mod playback;
mod scopes;

use super::testing::{Base, at, chat, closed_chat, contact, everything, named, say};
use super::{
    ChatFilter, ContactFilter, ListChats, ListContacts, ListMessages, MessageFilter, Order, Page, PageAt,
    Sort,
};
use crate::domain::ChatKind;
use crate::domain::register::Register;
use crate::protocol::{ChatShape, ContactShape};

fn contacts(sort: Sort, order: Order, limit: u32, at: PageAt) -> ListContacts {
    ListContacts { filter: ContactFilter::default(), sort, order, limit, at, scope: everything() }
}

fn latest_contacts(filter: ContactFilter) -> ListContacts {
    ListContacts { filter, ..contacts(Sort::LastInteraction, Order::Desc, 200, PageAt::Page(1)) }
}

fn chats(filter: ChatFilter) -> ListChats {
    ListChats {
        filter,
        sort: Sort::LastInteraction,
        order: Order::Desc,
        limit: 200,
        at: PageAt::Page(1),
        scope: everything(),
    }
}

fn messages(filter: MessageFilter) -> ListMessages {
    ListMessages { filter, limit: 200, at: PageAt::Page(1), scope: everything() }
}

fn contact_ids(page: &Page<ContactShape>) -> Vec<&str> {
    page.items.iter().map(|contact| contact.id.as_str()).collect()
}

fn chat_ids(page: &Page<ChatShape>) -> Vec<&str> {
    page.items.iter().map(|chat| chat.id.as_str()).collect()
}

/// Three chats: `anas` open and owned, `bias` waiting in a group, `caios` closed.
fn three_chats() -> Base {
    let base = Base::new();
    for (id, name) in [("ana", "Ana"), ("bia", "Bia"), ("caio", "Caio")] {
        base.put_contact(&contact(id, name));
    }
    let mut anas = chat("anas", "ana");
    anas.active_at = Some(at(3));
    say(&mut anas.owner, Some(named("agent")));
    say(&mut anas.sector, Some(named("sales")));
    say(&mut anas.tags, vec![named("vip")]);
    let mut bias = chat("bias", "bia");
    bias.active_at = Some(at(2));
    bias.kind = Register::default();
    say(&mut bias.kind, ChatKind::Group);
    say(&mut bias.waiting, true);
    let mut caios = closed_chat("caios", "caio");
    caios.active_at = Some(at(1));
    for chat in [&anas, &bias, &caios] {
        base.put_chat(chat);
    }
    base
}
