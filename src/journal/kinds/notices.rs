//! Notices to the screens of one user. Nothing but the journal is changed.

use bytestring::ByteString;
use jiff::Timestamp;

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

/// The update with a notice, as it is made when the notice is applied.
pub(in crate::journal) fn encode_notice(
    seq: Seq,
    at: Timestamp,
    id: &EventId,
    notice: &Notice,
) -> Result<ByteString, StoreError> {
    update::encode_notice(seq, at, id, notice)
}
