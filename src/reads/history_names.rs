//! The present names of sectors, lines and tags. The timeline keeps only their ids.

use std::collections::HashMap;

use rusqlite::{OptionalExtension, Transaction};

use super::ReadError;
use crate::journal::names::{CHANNEL, SECTOR, TAG};
use crate::protocol::shapes::NamedShape;

/// Names that were looked up before; `None` for ids without a name.
#[derive(Default)]
pub(super) struct NameCache(HashMap<(&'static str, String), Option<String>>);

impl NameCache {
    pub(super) fn name_sector(
        &mut self,
        tx: &Transaction<'_>,
        sector: &mut NamedShape,
    ) -> Result<(), ReadError> {
        sector.name = self.of(tx, SECTOR, &sector.id)?;
        Ok(())
    }

    pub(super) fn name_tag(&mut self, tx: &Transaction<'_>, tag: &mut NamedShape) -> Result<(), ReadError> {
        tag.name = self.of(tx, TAG, &tag.id)?;
        Ok(())
    }

    pub(super) fn channel(&mut self, tx: &Transaction<'_>, id: &str) -> Result<Option<String>, ReadError> {
        self.of(tx, CHANNEL, id)
    }

    fn of(
        &mut self,
        tx: &Transaction<'_>,
        what: &'static str,
        id: &str,
    ) -> Result<Option<String>, ReadError> {
        let key = (what, id.to_owned());
        if let Some(known) = self.0.get(&key) {
            return Ok(known.clone());
        }
        let mut select =
            tx.prepare_cached("SELECT coalesce(given, name) FROM names WHERE what = ?1 AND id = ?2")?;
        let name: Option<Option<String>> = select.query_row([what, id], |row| row.get(0)).optional()?;
        Ok(self.0.entry(key).or_insert(name.flatten()).clone())
    }
}
