//! Names of sectors, lines and tags, as the provider lists them or as an admin set them. All names of one record are one event.

use super::{NewEvent, Outcome};
use crate::domain::{Audience, EventId, EventKey, GivenName, Seq};
use crate::journal::append::Ack;
use crate::journal::entry::{Entry, Origin};
use crate::journal::fault::StoreError;
use crate::journal::store::SqliteStore;
use crate::protocol::alerts::SideUpdate;
use crate::protocol::names::{NAMES_UPDATED, NamedThing, NamesData};

/// Sets names. The provider's names count from the moment of the record on, as those of deliveries do; an admin's name wins over them.
pub(in crate::journal) fn apply<'a>(
    store: &mut SqliteStore,
    seq: Seq,
    entry: &Entry,
    id: &EventId,
    given: &[GivenName],
) -> Result<Outcome<'a>, StoreError> {
    let is_admin = matches!(entry.origin, Origin::User(_));
    let named_by = EventKey { at: entry.at, event: id.clone() };
    let mut changed = Vec::new();
    for name in given {
        let (names, connection) = store.names();
        let is_changed = if is_admin {
            names.give(connection, name, seq)?
        } else {
            names.list(connection, name, &named_by, seq)?
        };
        if is_changed {
            changed.push(NamedThing { what: name.what.as_str(), id: name.id.to_string() });
        }
    }
    if changed.is_empty() {
        return Ok(Outcome::NoEvent(Ack::duplicate(Some(id.clone()), None)));
    }
    let data = NamesData::new(id, changed);
    let frame = serde_json::to_string(&SideUpdate::new(seq, entry.at, data))?;
    let audience = Audience { directory: true, ..Audience::default() };
    Ok(NewEvent::new(NAMES_UPDATED, audience, frame.into()).into())
}
