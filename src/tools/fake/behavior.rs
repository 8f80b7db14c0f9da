//! Switches of the fake API: behavior of the real one that is not known, and failures.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// How the fake API behaves. Each field is a switch of its own.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct FakeBehavior {
    /// The parameter that sets the order of chats.
    pub order: OrderWord,
    /// `Skip` has no effect, so the first page comes every time.
    pub skip_is_ignored: bool,
    /// The bounds of the creation of chats are ignored.
    pub creation_is_ignored: bool,
    /// Most chats on a page.
    pub take_max: usize,
    /// How many chats come to the top between two pages, from the page that is asked for. All others slide down.
    pub slides: usize,
    /// A page includes messages of the moment `FromEventUTC` itself.
    pub cursor_is_included: bool,
    /// `FromEventUTC` has no effect, so the newest messages come every time.
    pub cursor_is_ignored: bool,
    /// Most messages on a page.
    pub messages_take_max: usize,
    /// Pages of messages also have rows about the chat itself, even if the request leaves them out.
    pub has_rows_about_chats: bool,
    /// The plan hides messages before this moment.
    pub cut_before: Option<Timestamp>,
    /// Most sectors, or tags, on a page.
    pub names_take_max: usize,
    /// Whether the answer says that messages are hidden.
    pub tells_cut: bool,
    /// How long after it was sent a message appears.
    pub appears_after: SignedDuration,
    /// Most requests to one route within five seconds.
    pub per_5_seconds: usize,
    /// The `Retry-After` of an answer of 429, in seconds.
    pub retry_after: Option<u64>,
    /// Every answer has this status, as with an expired token or a plan without the API.
    pub refuses_with: Option<u16>,
    /// The messages of this chat are refused with 403.
    pub hides_chat: Option<&'static str>,
    /// The only token that is accepted.
    pub token: &'static str,
    /// How far the clock of the API is ahead of the real one.
    pub clock_ahead: SignedDuration,
    /// The list of chats is empty.
    pub is_emptied: bool,
    /// How many organizations the token's owner belongs to.
    pub organizations: usize,
    /// A second message with the same `tempId` counts as the first one.
    pub temp_id_counts: bool,
    /// Messages contain the `tempId` that they were sent with.
    pub shows_temp_id: bool,
    /// How webhooks report a message that was sent over the API.
    pub echo: Echo,
    /// How long after it was sent.
    pub echo_after: Duration,
    /// The states of a message that was sent over the API.
    pub states: StateOrder,
    /// The time between two states.
    pub states_after: Duration,
    /// Sending is refused with this status and message.
    pub refuses_to_send: Option<(u16, &'static str)>,
}

/// How webhooks report a message that was sent over the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Echo {
    Once,
    /// And a second time with another id, with the source `External`.
    Twice,
    /// Once, with the source `External`.
    External,
    Never,
}

/// The states of a message that was sent over the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateOrder {
    InOrder,
    /// The last state comes first.
    Reversed,
    /// The message cannot be delivered to the customer.
    Failed,
    /// The API knows them, but no webhook reports them.
    Unposted,
    Never,
}

/// The parameter that sets the order of chats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderWord {
    ChatOrderBy,
    OrderBy,
    /// None has an effect: chats come in the order of their ids.
    Ignored,
}

impl Default for FakeBehavior {
    fn default() -> Self {
        Self {
            order: OrderWord::ChatOrderBy,
            skip_is_ignored: false,
            creation_is_ignored: false,
            take_max: 100,
            slides: 0,
            cursor_is_included: true,
            cursor_is_ignored: false,
            messages_take_max: 250,
            has_rows_about_chats: true,
            cut_before: None,
            names_take_max: 1_000,
            tells_cut: true,
            appears_after: SignedDuration::ZERO,
            per_5_seconds: 100,
            retry_after: None,
            refuses_with: None,
            hides_chat: None,
            token: super::TOKEN,
            clock_ahead: SignedDuration::ZERO,
            is_emptied: false,
            organizations: 1,
            temp_id_counts: false,
            shows_temp_id: false,
            echo: Echo::Once,
            echo_after: Duration::from_millis(300),
            states: StateOrder::InOrder,
            states_after: Duration::from_secs(1),
            refuses_to_send: None,
        }
    }
}

/// A failure of a single answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiFault {
    Status(u16),
    /// This status, with these words of the provider.
    Says(u16, String),
    /// 502 with a page of HTML, as a proxy sends it.
    Html,
    /// 200 with only the first half of the JSON.
    Truncated,
    /// 200 with fewer bytes than it announces.
    Cut,
    /// The connection ends without an answer. A posted message was accepted.
    Reset,
    /// The connection ends without an answer. A posted message was not accepted.
    Lost,
    /// This status, although a posted message was accepted.
    Accepted(u16),
    /// The answer comes after this time.
    Slow(Duration),
    /// A redirect to another address.
    Redirect(String),
    /// 200 with more bytes than the hub's client reads.
    Huge,
}
