//! Changes of the directory of agents. All changes of one record are one event, so a screen never shows half
//! of an import.

use super::{NewEvent, Outcome};
use crate::domain::{Audience, EventId, Member, Seq};
use crate::journal::append::Ack;
use crate::journal::directory::MEMBERS_MAX;
use crate::journal::entry::Entry;
use crate::journal::fault::StoreError;
use crate::journal::store::SqliteStore;
use crate::protocol::alerts::SideUpdate;
use crate::protocol::members::{MEMBER_UPDATED, MembersData};

/// Sets entries of the directory: all of them or none.
pub(in crate::journal) fn apply<'a>(
    store: &mut SqliteStore,
    seq: Seq,
    entry: &Entry,
    id: &EventId,
    members: &[Member],
) -> Result<Outcome<'a>, StoreError> {
    let (directory, connection) = store.directory()?;
    let changes = directory.changes(members, &entry.origin);
    if changes.is_empty() {
        return Ok(Outcome::NoEvent(Ack::duplicate(Some(id.clone()), None)));
    }
    if directory.known_after(&changes) > MEMBERS_MAX {
        let full = Some("the directory is full".to_owned());
        return Ok(Outcome::NoEvent(Ack::ignored(Some(id.clone())).because(full)));
    }
    directory.change(connection, &changes, &entry.origin, entry.at)?;
    let changes: Vec<Member> = changes.into_iter().cloned().collect();
    let data = MembersData::new(id, &changes);
    let frame = serde_json::to_string(&SideUpdate::new(seq, entry.at, data))?;
    let audience = Audience { directory: true, ..Audience::default() };
    Ok(NewEvent::new(MEMBER_UPDATED, audience, frame.into()).into())
}
