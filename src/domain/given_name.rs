//! Names of sectors, lines and tags that are recorded by themselves, not with a delivery.

use serde::{Deserialize, Serialize};

use super::ids::RefId;

/// What a name is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NamedKind {
    Sector,
    /// A line.
    Channel,
    /// A tag of chats.
    Tag,
}

impl NamedKind {
    pub const ALL: [Self; 3] = [Self::Sector, Self::Channel, Self::Tag];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sector => "sector",
            Self::Channel => "channel",
            Self::Tag => "tag",
        }
    }

    /// The kind with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// The name of a sector, a line or a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenName {
    pub what: NamedKind,
    pub id: RefId,
    /// `None`: an admin takes back the name that an admin set.
    pub name: Option<String>,
}
