//! The intervals of a chat's life in which its state did not change. They answer how things stood at a moment
//! of the past.
//!
//! Two entries of one instant count as one: at a moment, all entries up to and including it have been applied.

use jiff::Timestamp;

use super::audience::Placement;
use super::history::{HistoryEntry, Standing};
use super::ids::RefId;

/// An interval in which the state of a chat did not change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateInterval {
    /// The first moment of the interval.
    pub from: Timestamp,
    /// The first moment after the interval; `None`: it lasts.
    pub until: Option<Timestamp>,
    pub open: bool,
    /// True for an open chat in the waiting list.
    pub waiting: bool,
    /// Tags of the chat, sorted.
    pub tags: Vec<RefId>,
    /// The placement of the chat; its members are sorted.
    pub place: Placement,
}

impl StateInterval {
    fn begun(from: Timestamp, standing: &Standing) -> Self {
        let sorted = |ids: &[RefId]| {
            let mut ids = ids.to_vec();
            ids.sort_unstable();
            ids.dedup();
            ids
        };
        let place = Placement { members: sorted(&standing.place.members), ..standing.place.clone() };
        let tags = sorted(&standing.tags);
        Self { from, until: None, open: standing.open, waiting: standing.is_waiting(), tags, place }
    }

    fn is_like(&self, other: &Self) -> bool {
        (self.open, self.waiting, &self.tags, &self.place)
            == (other.open, other.waiting, &other.tags, &other.place)
    }
}

/// The intervals that follow from the entries, which are in the chat's order. A chat whose creation is later
/// than its first entry has no interval before its creation.
pub fn intervals(entries: &[HistoryEntry], created_at: Option<Timestamp>) -> Vec<StateInterval> {
    let mut intervals: Vec<StateInterval> = Vec::new();
    let mut standing = Standing::default();
    let mut entries = entries.iter().peekable();
    while let Some(entry) = entries.next() {
        standing.hear(entry);
        let from = created_at.map_or(entry.at, |created| created.max(entry.at));
        let next = entries.peek().map(|next| created_at.map_or(next.at, |created| created.max(next.at)));
        if next == Some(from) {
            continue;
        }
        let begun = StateInterval::begun(from, &standing);
        match intervals.last_mut() {
            Some(last) if last.is_like(&begun) => {}
            last => {
                if let Some(last) = last {
                    last.until = Some(from);
                }
                intervals.push(begun);
            }
        }
    }
    intervals
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn moment(second: i64) -> Timestamp {
        Timestamp::from_second(1_772_445_600 + second).unwrap()
    }

    fn entry() -> impl Strategy<Value = HistoryEntry> {
        let id = || prop_oneof![Just(RefId::from("a")), Just(RefId::from("b"))];
        let said = || proptest::option::of(any::<bool>());
        (
            (0..12_i64, said(), said(), said(), said()),
            (
                proptest::option::of(proptest::option::of(id())),
                proptest::option::of(proptest::option::of(id())),
                proptest::option::of(proptest::collection::vec(id(), 0..3)),
                proptest::option::of(proptest::collection::vec(id(), 0..3)),
            ),
        )
            .prop_map(
                |((second, open, waiting, private, bot_running), (owner, sector, tags, members))| {
                    HistoryEntry {
                        at: moment(second),
                        event_id: "e".into(),
                        organization: None,
                        open,
                        waiting,
                        private,
                        owner,
                        sector,
                        channel: None,
                        tags,
                        members,
                        bot_running,
                        closed_at: None,
                    }
                },
            )
    }

    proptest! {
        #[test]
        fn at_every_moment_one_stretch_says_what_the_entries_up_to_it_say(
            mut entries in proptest::collection::vec(entry(), 0..12),
            created in proptest::option::of(0..12_i64),
        ) {
            entries.sort_by_key(|entry| entry.at);
            let created = created.map(moment);
            let intervals = intervals(&entries, created);
            for second in -1..13 {
                let at = moment(second);
                let heard: Vec<HistoryEntry> = entries.iter().filter(|entry| entry.at <= at).cloned().collect();
                let known = created.is_none_or(|created| created <= at);
                let expected = Standing::after(&heard).filter(|_| known);
                let holds = |interval: &&StateInterval| {
                    interval.from <= at && interval.until.is_none_or(|until| at < until)
                };
                let found: Vec<&StateInterval> = intervals.iter().filter(holds).collect();
                prop_assert_eq!(found.len(), usize::from(expected.is_some()));
                let Some((found, expected)) = found.first().zip(expected) else { continue };
                prop_assert!(found.is_like(&StateInterval::begun(at, &expected)));
            }
            for pair in intervals.windows(2) {
                prop_assert_eq!(pair[0].until, Some(pair[1].from));
                prop_assert!(pair[0].from < pair[1].from && !pair[0].is_like(&pair[1]));
            }
        }
    }
}
