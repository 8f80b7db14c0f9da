//! What a session may follow: the names of channels, read and written.

use std::fmt;

/// Longest id in a channel name, in characters. The provider's ids have 16.
pub const ID_CHARS_MAX: usize = 128;
/// The form of channel names, for descriptions. [`Channel::parse`] accepts exactly these.
pub const CHANNEL_FORM: &str = r"(updates|stats|presence|metrics:(live|agents|sectors|channels|tags)|(chat|contact|sector|member|channel|tag|user):[\s\S]{1,128})";

/// True for what may be an id. Counts characters and not bytes, as descriptions do.
pub fn is_id(text: &str) -> bool {
    !text.is_empty() && text.chars().take(ID_CHARS_MAX + 1).count() <= ID_CHARS_MAX
}

/// Live numbers that are pushed whenever they change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Board {
    /// Of all chats that the session may see.
    Live,
    Agents,
    Sectors,
    Channels,
    Tags,
}

impl Board {
    pub const ALL: [Self; 5] = [Self::Live, Self::Agents, Self::Sectors, Self::Channels, Self::Tags];

    /// The part of the channel's name behind `metrics:`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "metrics:live",
            Self::Agents => "metrics:agents",
            Self::Sectors => "metrics:sectors",
            Self::Channels => "metrics:channels",
            Self::Tags => "metrics:tags",
        }
    }

    fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|board| board.as_str() == name)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// Every update that the token may see.
    Updates,
    /// The counters. Only the newest state is sent.
    Stats,
    /// Which screens are connected, and which chat each shows.
    Presence,
    /// Live metrics. Only the newest state is sent.
    Metrics(Board),
    Chat(String),
    /// Updates of all chats with one contact.
    Contact(String),
    /// Updates of the chats in one sector.
    Sector(String),
    /// Updates of the chats that one agent has or takes part in.
    Member(String),
    /// Updates of the chats on one line.
    Line(String),
    /// Updates of the chats with one tag.
    Tag(String),
    User(String),
}

/// Why a channel name is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// There is no channel of this name.
    #[error(
        "{0:?} is not a channel; the channels are updates, stats, presence, metrics:live, metrics:agents, metrics:sectors, metrics:channels, metrics:tags and chat:, contact:, sector:, member:, channel:, tag:, user: with an id"
    )]
    Unknown(String),
    /// The part behind the colon is empty or too long.
    #[error("the id in {0:?} must have 1 to {ID_CHARS_MAX} characters")]
    BadId(String),
}

impl Channel {
    /// True where the channel carries a state, of which only the newest is sent, and no updates.
    pub fn is_state(&self) -> bool {
        match self {
            Self::Stats | Self::Presence | Self::Metrics(_) => true,
            Self::Updates
            | Self::Chat(_)
            | Self::Contact(_)
            | Self::Sector(_)
            | Self::Member(_)
            | Self::Line(_)
            | Self::Tag(_)
            | Self::User(_) => false,
        }
    }

    /// Reads a channel's name, as clients write it.
    pub fn parse(name: &str) -> Result<Self, ChannelError> {
        let shown = || name.chars().take(40).collect::<String>();
        let Some((kind, id)) = name.split_once(':') else {
            return match name {
                "updates" => Ok(Self::Updates),
                "stats" => Ok(Self::Stats),
                "presence" => Ok(Self::Presence),
                _ => Err(ChannelError::Unknown(shown())),
            };
        };
        if let Some(board) = Board::of(name) {
            return Ok(Self::Metrics(board));
        }
        let of: fn(String) -> Self = match kind {
            "chat" => Self::Chat,
            "contact" => Self::Contact,
            "sector" => Self::Sector,
            "member" => Self::Member,
            "channel" => Self::Line,
            "tag" => Self::Tag,
            "user" => Self::User,
            _ => return Err(ChannelError::Unknown(shown())),
        };
        if !is_id(id) {
            return Err(ChannelError::BadId(shown()));
        }
        Ok(of(id.to_owned()))
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Updates => f.write_str("updates"),
            Self::Stats => f.write_str("stats"),
            Self::Presence => f.write_str("presence"),
            Self::Metrics(board) => f.write_str(board.as_str()),
            Self::Chat(id) => write!(f, "chat:{id}"),
            Self::Contact(id) => write!(f, "contact:{id}"),
            Self::Sector(id) => write!(f, "sector:{id}"),
            Self::Member(id) => write!(f, "member:{id}"),
            Self::Line(id) => write!(f, "channel:{id}"),
            Self::Tag(id) => write!(f, "tag:{id}"),
            Self::User(id) => write!(f, "user:{id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_channel_reads_back_as_it_was_written() {
        for name in [
            "updates",
            "stats",
            "presence",
            "metrics:live",
            "metrics:agents",
            "metrics:sectors",
            "metrics:channels",
            "metrics:tags",
            "chat:aaWJ0FoR_gAHAAPq",
            "contact:1",
            "sector:2",
            "member:3",
            "channel:4",
            "tag:5",
            "user:6:with:colons",
        ] {
            assert_eq!(Channel::parse(name).unwrap().to_string(), name);
        }
    }

    #[test]
    fn a_wrong_name_is_refused_with_the_reason() {
        assert!(matches!(Channel::parse("chats"), Err(ChannelError::Unknown(_))));
        assert!(matches!(Channel::parse("room:1"), Err(ChannelError::Unknown(_))));
        assert!(matches!(Channel::parse("metrics:all"), Err(ChannelError::Unknown(_))));
        assert!(matches!(Channel::parse("chat:"), Err(ChannelError::BadId(_))));
        assert!(matches!(Channel::parse(&format!("chat:{}", "x".repeat(129))), Err(ChannelError::BadId(_))));
    }
}
