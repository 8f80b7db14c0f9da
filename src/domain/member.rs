//! Agents as the directory knows them. Their names never come from the provider.

use serde::{Deserialize, Serialize};

use super::ids::RefId;

/// An agent, as far as anything is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub id: RefId,
    /// `None` where the agent is not, or no longer, in the directory.
    pub name: Option<String>,
    /// Address of the picture; `None` where there is none.
    pub photo_url: Option<String>,
    pub sector_id: Option<RefId>,
}

impl Member {
    /// An agent of whom only the id is known.
    pub fn unknown(id: RefId) -> Self {
        Self { id, name: None, photo_url: None, sector_id: None }
    }

    /// True where the agent is in the directory.
    pub fn is_known(&self) -> bool {
        self.name.is_some()
    }
}
