//! Who sent a message through the hub, as its outbox knows it.

use serde::{Deserialize, Serialize};

use super::ids::RefId;

/// A user who sent a message through the hub. The provider shows the owner of the API's token instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentBy {
    /// The `sub` of the user's tokens.
    pub id: String,
    pub name: Option<String>,
    /// The agent of the directory who has the same id; metrics count the message for this agent.
    pub agent: Option<RefId>,
}

/// What the outbox knows of a message that went out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutboxFact {
    /// It was sent through the hub, by this user.
    Sent(SentBy),
    /// It repeats what this outbox entry sent, under another id.
    Echo(String),
}
