//! What screens are told when a person's data were erased.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{ContactId, EventId};

/// The type of the update.
pub const CONTACT_ERASED: &str = "contact_erased";

/// The content of the update after a person's data were erased. It tells an id and nothing else, and goes to every
/// screen: each removes the name, phone, picture, tags and texts that it shows of this contact.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ContactErased)]
pub struct ErasureData<'a> {
    /// `erasure:` and an id of its own.
    #[schema(value_type = String)]
    event_id: &'a EventId,
    /// The type of the update: `contact_erased`.
    #[serde(rename = "type")]
    update_type: &'static str,
    changes: [&'static str; 1],
    chat: Option<()>,
    contact: Option<()>,
    /// The contact whose data were erased.
    #[schema(value_type = String)]
    erased_contact_id: &'a ContactId,
}

impl<'a> ErasureData<'a> {
    pub fn new(event_id: &'a EventId, contact: &'a ContactId) -> Self {
        let (update_type, changes) = (CONTACT_ERASED, [CONTACT_ERASED]);
        Self { event_id, update_type, changes, chat: None, contact: None, erased_contact_id: contact }
    }
}
