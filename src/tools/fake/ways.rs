//! How the stand-in does what is not known of the real API, and how it fails.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// How it does things. Each can be switched by itself.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch by itself")]
pub struct Ways {
    /// The parameter that it takes for the order of chats.
    pub order: OrderWord,
    /// `Skip` does nothing: the first page comes again and again.
    pub skip_is_ignored: bool,
    /// Chats on a page at most.
    pub take_max: usize,
    /// So many chats slide down between two pages, so that they are on both.
    pub slides: usize,
    /// `FromEventUTC` itself is counted in.
    pub cursor_counts: bool,
    /// `FromEventUTC` does nothing: the newest messages come.
    pub cursor_is_ignored: bool,
    /// Messages on a page at most.
    pub messages_take_max: usize,
    /// Rows about the chat itself stand among the messages, whatever was asked.
    pub has_rows_about_chats: bool,
    /// The plan shows nothing that happened before.
    pub cut_before: Option<Timestamp>,
    pub tells_cut: bool,
    /// A message appears so long after it happened.
    pub appears_after: SignedDuration,
    /// Requests to one route within five seconds.
    pub per_5_seconds: usize,
    /// Seconds that an answer of 429 asks for.
    pub retry_after: Option<u64>,
    /// Every answer has this status: an expired token, or a plan without the API.
    pub refuses_with: Option<u16>,
    /// How far its clock is ahead.
    pub clock_ahead: SignedDuration,
    /// Its lists have nothing in them.
    pub is_emptied: bool,
    /// The token's owner is in so many organizations.
    pub organizations: usize,
}

/// The parameter for the order of chats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderWord {
    /// `ChatOrderBy`.
    ChatOrderBy,
    /// `OrderBy`.
    OrderBy,
    /// None is taken: chats come in the order of their ids.
    Ignored,
}

impl Default for Ways {
    fn default() -> Self {
        Self {
            order: OrderWord::ChatOrderBy,
            skip_is_ignored: false,
            take_max: 100,
            slides: 0,
            cursor_counts: true,
            cursor_is_ignored: false,
            messages_take_max: 250,
            has_rows_about_chats: true,
            cut_before: None,
            tells_cut: true,
            appears_after: SignedDuration::ZERO,
            per_5_seconds: 100,
            retry_after: None,
            refuses_with: None,
            clock_ahead: SignedDuration::ZERO,
            is_emptied: false,
            organizations: 1,
        }
    }
}

/// How a single answer fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiFault {
    Status(u16),
    /// 502 with a page of HTML, as a proxy in front sends it.
    Html,
    /// 200 with JSON that ends in its middle.
    Truncated,
    /// 200 with fewer bytes than it announces.
    Cut,
    /// The connection ends without an answer.
    Reset,
    /// The first byte comes late.
    Slow(Duration),
    /// A redirect to another address.
    Redirect(String),
    /// 200 with more bytes than anybody takes.
    Huge,
}
