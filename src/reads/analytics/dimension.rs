//! What each row of a table of live metrics stands for.

use super::table::Grouping;

/// What each row of a table stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dimension {
    /// The owner of the chat.
    Agent,
    Sector,
    /// A line of the team.
    Channel,
    /// A chat with two tags counts in both rows.
    Tag,
}

impl Dimension {
    pub const ALL: [Self; 4] = [Self::Agent, Self::Sector, Self::Channel, Self::Tag];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Sector => "sector",
            Self::Channel => "channel",
            Self::Tag => "tag",
        }
    }

    /// The same rows, for a table over a period.
    pub fn grouping(self) -> Grouping {
        match self {
            Self::Agent => Grouping::Agents,
            Self::Sector => Grouping::Sectors,
            Self::Channel => Grouping::Channels,
            Self::Tag => Grouping::Tags,
        }
    }
}
