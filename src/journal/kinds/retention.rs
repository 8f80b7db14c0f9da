//! Steps of deleting what is too old. They are no events: nothing that happened changes.

use super::Outcome;
use crate::journal::append::Ack;
use crate::journal::fault::StoreError;
use crate::journal::payload::RetentionStep;
use crate::journal::retain::{self, Retaining};
use crate::journal::store::SqliteStore;

/// Does a step. Returns what screens need to know of it.
pub(in crate::journal) fn apply(
    store: &mut SqliteStore,
    step: RetentionStep,
) -> Result<(Outcome<'static>, Retaining), StoreError> {
    let retaining = retain::apply(store.connection(), step)?;
    store.forget_retention();
    let ack = Ack { rows: Some(retaining.rows), ..Ack::duplicate(None, None) };
    Ok((Outcome::NoEvent(ack), retaining))
}
