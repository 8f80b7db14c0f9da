//! Notices to the screens of one user. Nothing but the journal is changed.

use super::{NewEvent, Outcome, update};
use crate::domain::{Audience, EventId, Seq};
use crate::journal::entry::Entry;
use crate::journal::fault::StoreError;
use crate::journal::payload::Notice;
use crate::protocol::update::NOTIFICATION;

/// Makes the update with the notice.
pub(in crate::journal) fn apply<'a>(
    seq: Seq,
    entry: &Entry,
    id: &EventId,
    notice: &Notice,
) -> Result<Outcome<'a>, StoreError> {
    let audience = Audience { user: Some(notice.user.clone()), ..Audience::default() };
    Ok(NewEvent::new(NOTIFICATION, audience, update::encode_notice(seq, entry.at, id, notice)?).into())
}
