//! The directory of agents on the wire: an entry, and the update that reports changes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::{EventId, Member, Seq};

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

/// The update after entries of the directory changed. It has a position like all others, so clients recover and
/// count it in the same way.
#[derive(Debug, Serialize)]
pub struct MembersUpdate<'a> {
    event: &'static str,
    seq: Seq,
    timestamp: Timestamp,
    data: MembersData<'a>,
}

/// What changed in the directory. A whole import is one update.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MemberUpdated)]
pub struct MembersData<'a> {
    /// `directory:` and an id of its own.
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

impl<'a> MembersUpdate<'a> {
    /// `timestamp` is when the hub accepted the changes.
    pub fn new(seq: Seq, timestamp: Timestamp, event_id: &'a EventId, news: &[Member]) -> Self {
        let (update_type, changes) = (MEMBER_UPDATED, [MEMBER_UPDATED]);
        let members = news.iter().map(MemberShape::from).collect();
        let data = MembersData { event_id, update_type, changes, chat: None, contact: None, members };
        Self { event: "umbler_update", seq, timestamp, data }
    }
}
