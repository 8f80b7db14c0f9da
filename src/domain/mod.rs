//! Facts and rules: what a conversation is, and what a delivery changes in it.
//!
//! # Contract
//!
//! 1. **Pure.** Nothing here reads a clock, a file, a socket or an environment variable. What is stored comes
//!    in through [`Store`], and the time comes with the delivery.
//! 2. **Convergent.** The same deliveries, in any order and any number of times, end in one state: every field
//!    is a register that the newest delivery sets, a minimum, a maximum or a growing set.
//! 3. **Distrustful.** What a delivery changed is found by comparing, and never read from its `Type`.

pub mod visible;
pub mod ids;
pub mod register;
pub mod order;
pub mod facts;
pub mod role;
pub mod sender;
pub mod sending;
pub mod message;
pub mod member;
pub mod given_name;
pub mod contact;
pub mod chat;
pub mod change;
pub mod audience;
pub mod history;
pub mod intervals;
pub mod store;
pub mod chat_clocks;
pub mod absorb;
pub mod forget;
pub mod stats;
pub mod views;
pub mod daily_report;
pub mod settings;
pub mod deadlines;
pub mod calendar;
pub mod metrics;

pub use absorb::{Absorbed, absorb};
pub use audience::{Audience, Placement};
pub use change::Change;
pub use chat::{Chat, ChatStatus};
pub use contact::Contact;
pub use deadlines::{AlertKind, Clocks, Deadline};
pub use facts::{
    ChatFacts, ChatKind, ChatLine, ContactFacts, Delivery, DeliveryBody, Facts, File, MessageFacts, Named,
};
pub use forget::Forgetting;
pub use given_name::{GivenName, NamedKind};
pub use ids::{ChatId, ContactId, EventId, MessageId, RefId, Seq};
pub use member::Member;
pub use message::ChatMessage;
pub use order::{Close, MessagePosition, OrderKey};
pub use register::EventKey;
pub use role::{Direction, MessageRole};
pub use sender::{OutboxFact, SentBy};
pub use settings::TeamSettings;
pub use stats::{Stats, StatsDelta};
pub use store::{Store, TimelineEntry};
