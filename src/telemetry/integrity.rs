//! What is known about damage of the database: from the check in the background, and from errors met since.

use std::sync::{Arc, Mutex, PoisonError};

/// Shared by all who may find damage.
#[derive(Debug, Clone, Default)]
pub struct Integrity(Arc<Mutex<Found>>);

#[derive(Debug, Default)]
enum Found {
    /// The check has not finished, and no damage was found.
    #[default]
    Nothing,
    /// The check found every page and index sound.
    Sound,
    /// What is damaged, as the check says.
    Damage(String),
}

impl Integrity {
    /// The check finished without finding damage. Damage that was found meanwhile stays noted.
    pub fn note_sound(&self) {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*found, Found::Nothing) {
            *found = Found::Sound;
        }
    }

    /// Notes damage. The first finding stays, because later ones are mostly its consequences.
    pub fn note_damage(&self, what: String) {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(*found, Found::Damage(_)) {
            log::error!("the database is damaged; restore a backup: {what}");
            *found = Found::Damage(what);
        }
    }

    /// True once damage was found.
    pub fn is_damaged(&self) -> bool {
        matches!(*self.0.lock().unwrap_or_else(PoisonError::into_inner), Found::Damage(_))
    }

    /// The text that `/health` shows of it.
    pub fn describe(&self) -> String {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Found::Nothing => "checking".to_owned(),
            Found::Sound => "ok".to_owned(),
            Found::Damage(what) => format!("damaged: {what}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_that_was_met_outlives_a_check_that_found_none() {
        let integrity = Integrity::default();
        assert_eq!(integrity.describe(), "checking");
        integrity.note_damage("a page".to_owned());
        integrity.note_sound();
        integrity.note_damage("another page".to_owned());
        assert!(integrity.is_damaged());
        assert_eq!(integrity.describe(), "damaged: a page");
    }
}
