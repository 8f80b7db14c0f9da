//! Why the link to the provider could not do something.

use crate::http::bell::Stopping;

/// Why there is no usable answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The token is wrong or has expired, or the plan has no API.
    #[error("Umbler refused the token with status {0}: it is wrong or has expired, or the plan has no API")]
    NotAllowed(u16),
    /// Another status that a retry would not change.
    #[error("Umbler answered {route} with status {status}")]
    Refused { route: &'static str, status: u16 },
    /// All tries failed: no answer in time, or only errors that may pass.
    #[error("Umbler sent no usable answer to {route}: {reason}")]
    Unreachable { route: &'static str, reason: String },
    /// The answer does not match the question: the provider ignored a parameter, or sent an empty list although chats are known.
    #[error("the answer to {route} cannot be trusted: {reason}")]
    Misled { route: &'static str, reason: &'static str },
    /// The token's owner belongs to so many organizations, and no setting says which one to ask about.
    #[error("the token's owner belongs to {0} organizations: set UMBLER_ORGANIZATION_ID")]
    Undecided(usize),
    /// The hub could not read or record what the comparison needs. The job is tried again later.
    #[error("the hub could not compare its data with Umbler's: {0}")]
    Hub(String),
    /// A mistake in the hub's own code.
    #[error("the hub has a fault: it panicked when it was {0}, and its log says where")]
    Panicked(&'static str),
    #[error("the hub is stopping")]
    Stopping,
}

impl LinkError {
    /// True if another question may be answered although this one was not.
    pub fn may_be_of_one_question(&self) -> bool {
        match self {
            Self::Refused { .. } | Self::Unreachable { .. } | Self::Misled { .. } | Self::Panicked(_) => true,
            // A token may be allowed to see some chats and not others. With 401 it is no longer good for anything.
            Self::NotAllowed(status) => *status == 403,
            Self::Undecided(_) | Self::Hub(_) | Self::Stopping => false,
        }
    }
}

impl From<Stopping> for LinkError {
    fn from(_: Stopping) -> Self {
        Self::Stopping
    }
}
