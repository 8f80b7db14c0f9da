//! One event of the journal as it goes out: its position, the encoded update, and whom it concerns.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use bytestring::ByteString;

use super::payload::AlertKey;
use crate::auth::Scope;
use crate::domain::{Audience, Clocks, Seq, Settings};
use crate::protocol::{Channel, MessageSummary, View, view};

/// One accepted delivery: its position and the update that screens are sent.
///
/// Other views of it are encoded when the first session needs them, once for all sessions.
#[derive(Debug)]
pub struct Recorded {
    /// Its position.
    pub seq: Seq,
    /// The `umbler_update` envelope, encoded once.
    pub frame: ByteString,
    /// Whom it concerns; `None` where a hub of the first schema did not note it.
    pub audience: Option<Audience>,
    /// The newest messages of the contact's other chats, in the order of the audience's `elsewhere`.
    pub elsewhere: Vec<Option<MessageSummary>>,
    /// What the hub's own memory learns from it; nothing of an event that was read from disk.
    pub news: News,
    views: [OnceLock<Option<ByteString>>; View::COUNT],
}

/// What the hub's own memory learns from an event.
#[derive(Debug, Default)]
pub enum News {
    /// Nothing.
    #[default]
    None,
    /// Where the clocks of a chat stand.
    Clocks(Box<Clocks>),
    /// An alert stands.
    Raised(AlertKey),
    /// An alert stands no more.
    Cleared(AlertKey),
    /// Somebody took note of an alert.
    Noted,
    /// Other settings.
    Settings(Arc<Settings>),
}

/// What a [`Recorded`] takes beside its frame, estimated, in bytes.
const OVERHEAD_BYTES: usize = 600;

impl Recorded {
    /// An event that was encoded already.
    pub fn new(
        seq: Seq,
        frame: ByteString,
        audience: Option<Audience>,
        elsewhere: Vec<Option<MessageSummary>>,
    ) -> Self {
        Self { seq, frame, audience, elsewhere, news: News::None, views: Default::default() }
    }

    /// The same, with news for the hub.
    #[must_use]
    pub fn with(self, news: News) -> Self {
        Self { news, ..self }
    }

    /// What it weighs in memory, in bytes, without further views.
    pub fn weight(&self) -> usize {
        self.frame.len() + OVERHEAD_BYTES
    }

    /// The update as `scope` sees it; `None` where it does not.
    pub fn seen_by(&self, scope: &Scope) -> Option<ByteString> {
        let Some(audience) = &self.audience else {
            return (scope.is_unlimited() && !scope.is_masked()).then(|| self.frame.clone());
        };
        let view = scope.view(audience)?;
        if view == View::FULL {
            return Some(self.frame.clone());
        }
        if audience.elsewhere.is_empty() {
            return self.views.get(view.index())?.get_or_init(|| self.render(view, None)).clone();
        }
        // The contact has other chats: what of them is seen differs from scope to scope.
        let seen = audience.elsewhere.iter().zip(&self.elsewhere).filter(|(chat, _)| scope.sees(chat));
        let newest =
            seen.filter_map(|(_, message)| message.as_ref()).max_by_key(|message| message.position());
        self.render(view, newest)
    }

    /// True where `scope` sees it in any form.
    pub fn is_seen_by(&self, scope: &Scope) -> bool {
        match &self.audience {
            None => scope.is_unlimited() && !scope.is_masked(),
            Some(audience) => scope.view(audience).is_some(),
        }
    }

    fn render(&self, view: View, newest_elsewhere: Option<&MessageSummary>) -> Option<ByteString> {
        let rendered = view::render(&self.frame, view, newest_elsewhere);
        if let Err(error) = &rendered {
            log::error!("update {} cannot be shown to everybody: {error}", self.seq);
        }
        rendered.ok()
    }

    /// True where it goes out to everybody who follows all updates: anything but a notice to one user.
    pub fn is_public(&self) -> bool {
        self.audience.as_ref().is_none_or(|audience| audience.user.is_none())
    }

    /// True where it concerns whatever a screen holds, so that every session hears it that follows updates at all.
    pub fn is_for_all(&self) -> bool {
        self.audience.as_ref().is_some_and(|audience| audience.directory)
    }

    /// True where it goes out to a session that follows these channels.
    pub fn is_on(&self, followed: &BTreeSet<Channel>) -> bool {
        self.is_public() && followed.contains(&Channel::Updates)
            || self.is_for_all() && !followed.iter().all(Channel::is_state)
            || self.channels().any(|channel| followed.contains(&channel))
    }

    /// The channels on which it goes out besides `updates`; where a chat moved, both sides hear it. One channel may
    /// come twice.
    pub fn channels(&self) -> impl Iterator<Item = Channel> {
        self.audience.iter().flat_map(|audience| {
            let chat = audience.chat.iter().map(|id| Channel::Chat(id.to_string()));
            let contacts = audience.contacts.iter().map(|id| Channel::Contact(id.to_string()));
            let tags = audience.tags.iter().map(|id| Channel::Tag(id.to_string()));
            let user = audience.user.iter().map(|sub| Channel::User(sub.clone()));
            let places = audience.placements().flat_map(|place| {
                let sector = place.sector.iter().map(|id| Channel::Sector(id.to_string()));
                let line = place.channel.iter().map(|id| Channel::Line(id.to_string()));
                let people = place.people().map(|id| Channel::Member(id.to_string()));
                sector.chain(line).chain(people)
            });
            chat.chain(contacts).chain(tags).chain(user).chain(places)
        })
    }
}
