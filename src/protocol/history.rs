//! What happened to a chat, as clients see it.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::mask::{Mask, mask_name};
use super::shapes::NamedShape;
use crate::domain::history::{Happening, Transition};
use crate::domain::{EventId, RefId};

/// A change in a chat's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Transition)]
pub struct TransitionShape {
    /// When the delivery that showed it was emitted.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The delivery that showed it.
    #[schema(value_type = String)]
    pub event_id: EventId,
    /// What happened to the chat.
    #[serde(rename = "type")]
    pub kind: TransitionType,
    /// The agent or sector before; `null`: none, or not of this type.
    pub from: Option<NamedShape>,
    /// The agent or sector after; `null`: none, or not of this type.
    pub to: Option<NamedShape>,
    /// The tags that were added or removed.
    pub tags: Vec<NamedShape>,
}

/// The kinds of changes in a chat's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransitionType {
    Opened,
    Reopened,
    SectorChanged,
    Transferred,
    TagsAdded,
    TagsRemoved,
    MadePrivate,
    MadePublic,
    BotStarted,
    BotStopped,
    WaitingStarted,
    WaitingEnded,
    Closed,
    Entered,
    Gone,
}

impl From<Transition> for TransitionShape {
    fn from(transition: Transition) -> Self {
        use TransitionType as Type;
        let moved = |kind, from: Option<RefId>, to: Option<RefId>| (kind, from, to, Vec::new());
        let plain = |kind| (kind, None, None, Vec::new());
        let (kind, from, to, tags) = match transition.what {
            Happening::SectorChanged(from, to) => moved(Type::SectorChanged, from, to),
            Happening::Transferred(from, to) => moved(Type::Transferred, from, to),
            Happening::TagsAdded(tags) => (Type::TagsAdded, None, None, tags),
            Happening::TagsRemoved(tags) => (Type::TagsRemoved, None, None, tags),
            Happening::Opened => plain(Type::Opened),
            Happening::Reopened => plain(Type::Reopened),
            Happening::MadePrivate => plain(Type::MadePrivate),
            Happening::MadePublic => plain(Type::MadePublic),
            Happening::BotStarted => plain(Type::BotStarted),
            Happening::BotStopped => plain(Type::BotStopped),
            Happening::WaitingStarted => plain(Type::WaitingStarted),
            Happening::WaitingEnded => plain(Type::WaitingEnded),
            Happening::Closed => plain(Type::Closed),
            Happening::Entered => plain(Type::Entered),
            Happening::Gone => plain(Type::Gone),
        };
        let named = |id: RefId| NamedShape { id: id.to_string(), name: None };
        Self {
            at: transition.at,
            event_id: transition.event_id,
            kind,
            from: from.map(named),
            to: to.map(named),
            tags: tags.into_iter().map(named).collect(),
        }
    }
}

impl TransitionShape {
    /// The agents named in it.
    pub fn people_mut(&mut self) -> impl Iterator<Item = &mut NamedShape> {
        let is_of_agents = self.kind == TransitionType::Transferred;
        self.from.iter_mut().chain(&mut self.to).filter(move |_| is_of_agents)
    }

    /// The sectors named in it.
    pub fn sectors_mut(&mut self) -> impl Iterator<Item = &mut NamedShape> {
        let is_of_sectors = self.kind == TransitionType::SectorChanged;
        self.from.iter_mut().chain(&mut self.to).filter(move |_| is_of_sectors)
    }
}

impl Mask for TransitionShape {
    fn mask(&mut self) {
        for agent in self.people_mut() {
            agent.name = agent.name.as_deref().map(mask_name);
        }
    }
}
