//! The directory of agents on the wire: an entry, and the update that tells its changes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::{EventId, Member, Seq};

/// The type of an update that tells changes of the directory.
pub const MEMBER_UPDATED: &str = "member_updated";

/// An agent as the directory has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Member)]
pub struct MemberShape {
    /// The provider's id.
    pub id: String,
    /// The name; `null`: not in the directory any more.
    pub name: Option<String>,
    /// The picture's address.
    pub photo_url: Option<String>,
    /// The sector that the agent belongs to.
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

/// Agents who are called otherwise from here on: an update like the others, so that it is recovered and counted like
/// them.
#[derive(Debug, Serialize)]
pub struct MembersUpdate<'a> {
    event: &'static str,
    seq: Seq,
    timestamp: Timestamp,
    data: MembersData<'a>,
}

/// What changed in the directory; a whole import is one update.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MemberUpdated)]
pub struct MembersData<'a> {
    /// `directory:` and an id of its own.
    #[schema(value_type = String)]
    event_id: &'a EventId,
    /// `member_updated`.
    #[serde(rename = "type")]
    update_type: &'static str,
    changes: [&'static str; 1],
    chat: Option<()>,
    contact: Option<()>,
    /// The entries that changed, as they are now.
    members: Vec<MemberShape>,
}

impl<'a> MembersUpdate<'a> {
    /// Changes at their position; `timestamp` is when the hub received them.
    pub fn new(seq: Seq, timestamp: Timestamp, event_id: &'a EventId, news: &[Member]) -> Self {
        let (update_type, changes) = (MEMBER_UPDATED, [MEMBER_UPDATED]);
        let members = news.iter().map(MemberShape::from).collect();
        let data = MembersData { event_id, update_type, changes, chat: None, contact: None, members };
        Self { event: "umbler_update", seq, timestamp, data }
    }
}
