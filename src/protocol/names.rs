//! Names of sectors, lines and tags on the wire: an entry, and the update that reports changes.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::EventId;

/// The type of the update that reports changed names.
pub const NAMES_UPDATED: &str = "names_updated";

/// What a sector, a line or a tag is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = GivenName)]
pub struct NameShape {
    /// What the name is of: `sector`, `channel` (a line) or `tag`.
    #[schema(value_type = String, pattern = "^(sector|channel|tag)$")]
    pub what: &'static str,
    /// The provider's id.
    pub id: String,
    /// The name; null where neither the provider nor an admin says one.
    pub name: Option<String>,
    /// Who named it: `admin`, whose name counts everywhere, or `provider`; null where there is no name.
    pub origin: Option<&'static str>,
}

impl NameShape {
    /// `name` is the name at the provider, `given` the one that an admin set, which wins.
    pub fn new(what: &'static str, id: String, name: Option<String>, given: Option<String>) -> Self {
        let origin = match (&given, &name) {
            (Some(_), _) => Some("admin"),
            (None, Some(_)) => Some("provider"),
            (None, None) => None,
        };
        Self { what, id, name: given.or(name), origin }
    }
}

/// The content of the update after names changed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = NamesUpdated)]
pub struct NamesData<'a> {
    /// An id that the hub made; it begins with `directory:`.
    #[schema(value_type = String)]
    event_id: &'a EventId,
    /// The type of the update: `names_updated`.
    #[serde(rename = "type")]
    update_type: &'static str,
    changes: [&'static str; 1],
    chat: Option<()>,
    contact: Option<()>,
    /// What is called otherwise now. The names are left out, because not everybody may see them: `GET /api/umbler/names` tells them.
    names: Vec<NamedThing>,
}

/// A sector, a line or a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NamedThing {
    /// `sector`, `channel` (a line) or `tag`.
    #[schema(value_type = String, pattern = "^(sector|channel|tag)$")]
    pub what: &'static str,
    /// The provider's id.
    pub id: String,
}

impl<'a> NamesData<'a> {
    pub fn new(event_id: &'a EventId, names: Vec<NamedThing>) -> Self {
        let (update_type, changes) = (NAMES_UPDATED, [NAMES_UPDATED]);
        Self { event_id, update_type, changes, chat: None, contact: None, names }
    }
}
