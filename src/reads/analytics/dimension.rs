//! What the rows of a table of live metrics are of.

use super::table::Grouping;

/// What the rows of a table are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dimension {
    /// Agents: who owns the chat.
    Agent,
    /// Sectors.
    Sector,
    /// Lines.
    Channel,
    /// Tags: a chat with two counts with each.
    Tag,
}

impl Dimension {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Agent, Self::Sector, Self::Channel, Self::Tag];

    /// The word of the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Sector => "sector",
            Self::Channel => "channel",
            Self::Tag => "tag",
        }
    }

    /// The same rows over a period.
    pub fn grouping(self) -> Grouping {
        match self {
            Self::Agent => Grouping::Agents,
            Self::Sector => Grouping::Sectors,
            Self::Channel => Grouping::Channels,
            Self::Tag => Grouping::Tags,
        }
    }
}
