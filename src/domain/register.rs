//! Values that end in one state whatever the order in which deliveries come.
//!
//! Times are stored as nanoseconds since 1970, so that the provider's seven fractional digits survive.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::EventId;

/// Where a delivery stands among all deliveries of a chat: by `EventDate`, then by `EventId` (contract, section
/// 4).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EventKey {
    /// The `EventDate` of the delivery.
    #[serde(with = "nanos", rename = "t")]
    pub at: Timestamp,
    /// Orders deliveries that were emitted at the same instant.
    #[serde(rename = "e")]
    pub event: EventId,
}

/// A value that the newest delivery sets.
///
/// It is empty until a delivery says something of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Register<T>(Option<Said<T>>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Said<T> {
    #[serde(rename = "v")]
    value: T,
    #[serde(flatten)]
    key: EventKey,
}

impl<T> Default for Register<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Register<T> {
    /// Takes `value` if the delivery said one and is newer than the delivery that set the register.
    pub fn hear(&mut self, value: Option<T>, key: &EventKey) {
        let Some(value) = value else { return };
        if self.0.as_ref().is_none_or(|said| said.key < *key) {
            self.0 = Some(Said { value, key: key.clone() });
        }
    }

    /// Takes `value` if the delivery said one and is older than the delivery that set the register. For what
    /// never changes, so that the many repetitions of a message write nothing.
    pub fn hear_first(&mut self, value: Option<T>, key: &EventKey) {
        let Some(value) = value else { return };
        if self.0.as_ref().is_none_or(|said| *key < said.key) {
            self.0 = Some(Said { value, key: key.clone() });
        }
    }

    /// Changes the value, and keeps which delivery set it.
    pub fn alter(&mut self, change: impl FnOnce(&mut T)) {
        if let Some(said) = &mut self.0 {
            change(&mut said.value);
        }
    }

    /// The value that the deciding delivery gave; `None` while there is none.
    pub fn get(&self) -> Option<&T> {
        self.0.as_ref().map(|said| &said.value)
    }

    /// True while no delivery said anything; such registers are not stored.
    pub fn is_unheard(&self) -> bool {
        self.0.is_none()
    }
}

impl<T> Register<Option<T>> {
    /// The known value; `None` where it was said to be nothing, or was not said at all.
    pub fn flat(&self) -> Option<&T> {
        self.get().and_then(Option::as_ref)
    }
}

/// Keeps the earlier of the two, where there is one.
pub fn keep_earliest<T: Ord>(known: &mut Option<T>, heard: Option<T>) {
    if let Some(heard) = heard
        && known.as_ref().is_none_or(|known| heard < *known)
    {
        *known = Some(heard);
    }
}

/// Keeps the later of the two, where there is one.
pub fn keep_latest<T: Ord>(known: &mut Option<T>, heard: Option<T>) {
    if let Some(heard) = heard
        && known.as_ref().is_none_or(|known| heard > *known)
    {
        *known = Some(heard);
    }
}

/// Nanoseconds since 1970, limited to the years 1677 and 2262.
pub fn to_nanos(at: Timestamp) -> i64 {
    let nanos = at.as_nanosecond();
    i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX })
}

pub fn from_nanos(nanos: i64) -> Timestamp {
    // Every number of nanoseconds lies within jiff's range, so the fallback is never used.
    Timestamp::from_nanosecond(i128::from(nanos)).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Serde adapter that stores a required time as nanoseconds since 1970.
pub mod nanos {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(super::to_nanos(*at))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        i64::deserialize(deserializer).map(super::from_nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(second: i64, event: &str) -> EventKey {
        EventKey { at: Timestamp::from_second(second).unwrap(), event: event.into() }
    }

    #[test]
    fn the_newest_delivery_wins_whatever_the_order() {
        let mut in_order = Register::default();
        in_order.hear(Some(1), &key(1, "a"));
        in_order.hear(Some(2), &key(2, "a"));
        let mut late = Register::default();
        late.hear(Some(2), &key(2, "a"));
        late.hear(Some(1), &key(1, "a"));
        assert_eq!(in_order, late);
        assert_eq!(late.get(), Some(&2));
    }

    #[test]
    fn the_event_id_breaks_ties_and_silence_changes_nothing() {
        let mut register = Register::default();
        register.hear(Some(2), &key(1, "b"));
        register.hear(Some(1), &key(1, "a"));
        register.hear(None, &key(9, "z"));
        assert_eq!(register.get(), Some(&2));
    }
}
