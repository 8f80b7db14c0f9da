//! An event of the journal as it is published: its position, the encoded update, and its audience.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use bytestring::ByteString;

use super::payload::AlertKey;
use crate::auth::Scope;
use crate::domain::{Audience, Clocks, Seq, TeamSettings};
use crate::protocol::{Channel, MessageSummary, View, view};

/// An event: its position, and the update that screens are sent.
///
/// Other views of the update are encoded when the first session needs them, once for all sessions.
#[derive(Debug)]
pub struct Recorded {
    pub seq: Seq,
    /// The encoded `umbler_update` envelope.
    pub frame: ByteString,
    /// `None` if a hub of the first schema wrote it, which did not store audiences.
    pub audience: Option<Audience>,
    /// The newest messages of the contact's other chats, in the order of [`Audience::elsewhere`].
    pub elsewhere: Vec<Option<MessageSummary>>,
    /// What changes in the hub's memory. Nothing for an event that was read from disk.
    pub effect: HubEffect,
    views: [OnceLock<Option<ByteString>>; View::COUNT],
}

/// What an event changes in the hub's memory.
#[derive(Debug, Default)]
pub enum HubEffect {
    #[default]
    None,
    /// The clocks of a chat.
    Clocks(Box<Clocks>),
    Raised(AlertKey),
    /// An alert is no longer active.
    Cleared(AlertKey),
    /// Somebody has taken note of an alert.
    Noted,
    /// A daily report, which is posted where alerts are.
    Reported,
    Settings(Arc<TeamSettings>),
}

/// Estimated size of a [`Recorded`] without its frame, in bytes.
const OVERHEAD_BYTES: usize = 600;

impl Recorded {
    /// An event whose update is already encoded.
    pub fn new(
        seq: Seq,
        frame: ByteString,
        audience: Option<Audience>,
        elsewhere: Vec<Option<MessageSummary>>,
    ) -> Self {
        Self { seq, frame, audience, elsewhere, effect: HubEffect::None, views: Default::default() }
    }

    /// The same event with a change of the hub's memory.
    #[must_use]
    pub fn with(self, effect: HubEffect) -> Self {
        Self { effect, ..self }
    }

    /// Size in memory, in bytes, without other views.
    pub fn weight(&self) -> usize {
        self.frame.len() + OVERHEAD_BYTES
    }

    /// The update as `scope` sees it; `None` if it may not see it.
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
        // The contact has other chats, and which of them are visible differs between scopes.
        let seen = audience.elsewhere.iter().zip(&self.elsewhere).filter(|(chat, _)| scope.sees(chat));
        let newest =
            seen.filter_map(|(_, message)| message.as_ref()).max_by_key(|message| message.position());
        self.render(view, newest)
    }

    /// True if `scope` sees the event in any form.
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

    /// True if it is sent to all who follow all updates. Only notices to one user are not.
    pub fn is_public(&self) -> bool {
        self.audience.as_ref().is_none_or(|audience| audience.user.is_none())
    }

    /// True if it matters to every screen, so that it is sent to every session that follows any updates.
    pub fn is_for_all(&self) -> bool {
        self.audience.as_ref().is_some_and(|audience| audience.directory)
    }

    /// True if it is sent to a session that follows these channels.
    pub fn is_on(&self, followed: &BTreeSet<Channel>) -> bool {
        self.is_public() && followed.contains(&Channel::Updates)
            || self.is_for_all() && !followed.iter().all(Channel::is_state)
            || self.channels().any(|channel| followed.contains(&channel))
    }

    /// The channels that it is sent on besides `updates`. If a chat moved, these are the channels of both
    /// placements. A channel may occur twice.
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
