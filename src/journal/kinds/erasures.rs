//! Erasures of persons' data. The event holds ids only, so that every rebuild, and every backup that is restored,
//! erases again.

use super::{NewEvent, Outcome};
use crate::domain::{Audience, EventId, Seq};
use crate::journal::entry::Entry;
use crate::journal::erase;
use crate::journal::fault::StoreError;
use crate::journal::payload::ErasureRequest;
use crate::journal::store::SqliteStore;
use crate::protocol::alerts::SideUpdate;
use crate::protocol::erasure::{CONTACT_ERASED, ErasureData};

/// Erases a person's data, and tells every screen.
pub(in crate::journal) fn apply<'a>(
    store: &mut SqliteStore,
    seq: Seq,
    entry: &Entry,
    id: &EventId,
    request: &ErasureRequest,
) -> Result<Outcome<'a>, StoreError> {
    let erasing = erase::erase(store, request)?;
    erase::note(store, entry, seq, request)?;
    let data = ErasureData::new(id, &request.contact);
    let frame = serde_json::to_string(&SideUpdate::new(seq, entry.at, data))?;
    // Every screen is told: one may still show a contact that its token no longer sees.
    let audience = Audience { directory: true, ..Audience::default() };
    let event = NewEvent::new(CONTACT_ERASED, audience, frame.into());
    Ok(NewEvent { blanked: erasing.blanked, touched: erasing.touched, erased: Some(erasing.erased), ..event }
        .into())
}
