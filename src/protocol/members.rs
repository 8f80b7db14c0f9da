//! The directory of agents on the wire: an entry, and the update that reports changes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::{EventId, Member};

/// The type of the update that reports changes of the directory.
pub const MEMBER_UPDATED: &str = "member_updated";

/// An agent as the directory knows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Member)]
pub struct MemberShape {
    /// The provider's id of the agent.
    pub id: String,
    /// Name of the agent; `null` where the agent is no longer in the directory.
    pub name: Option<String>,
    /// Address of the picture; `null` where there is none.
    pub photo_url: Option<String>,
    /// Id of the sector that the agent belongs to.
    pub sector_id: Option<String>,
}

impl From<&Member> for MemberShape {
    fn from(member: &Member) -> Self {
        Self {
            id: member.id.to_string(),
            name: member.name.clone(),
            photo_url: member.photo_url.clone(),
            sector_id: member.sector_id.as_ref().map(ToString::to_string),
        }
    }
}

/// The content of the update after entries of the directory changed. A whole import is one update.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MemberUpdated)]
pub struct MembersData<'a> {
    /// An id that the hub made; it begins with `directory:`.
    #[schema(value_type = String)]
    event_id: &'a EventId,
    /// The type of the update: `member_updated`.
    #[serde(rename = "type")]
    update_type: &'static str,
    changes: [&'static str; 1],
    chat: Option<()>,
    contact: Option<()>,
    /// The entries that changed, as they are now.
    members: Vec<MemberShape>,
}

impl<'a> MembersData<'a> {
    pub fn new(event_id: &'a EventId, changes: &[Member]) -> Self {
        let (update_type, kinds) = (MEMBER_UPDATED, [MEMBER_UPDATED]);
        let members = changes.iter().map(MemberShape::from).collect();
        Self { event_id, update_type, changes: kinds, chat: None, contact: None, members }
    }
}
