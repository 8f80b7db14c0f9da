//! Agents: what the directory tells of them. Their names never come from the provider.

use serde::{Deserialize, Serialize};

use super::ids::RefId;

/// An agent, as far as is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The provider's id.
    pub id: RefId,
    /// The name; `None`: not in the directory, or taken out of it.
    pub name: Option<String>,
    /// The picture's address.
    pub photo_url: Option<String>,
    /// The sector that the agent belongs to.
    pub sector_id: Option<RefId>,
}

impl Member {
    /// Somebody of whom nothing but the id is known.
    pub fn unknown(id: RefId) -> Self {
        Self { id, name: None, photo_url: None, sector_id: None }
    }

    /// True where there is an entry.
    pub fn is_known(&self) -> bool {
        self.name.is_some()
    }
}
