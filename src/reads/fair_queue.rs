//! Decides whose question is answered next. Each asker has a queue, and the queues are served in turn, so
//! whoever asks much delays only themselves.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Reader threads for each file: two may work for one user, and one is left for others.
pub const READERS: usize = 3;
/// Reader threads that may work for one asker at the same time. One is always left, so that long questions of
/// one asker do not hold up the others.
pub const READERS_PER_ASKER: usize = READERS - 1;
/// Questions that may wait for a reader.
pub const QUESTIONS_WAITING_MAX: usize = 1_024;
/// Questions of one asker that may wait for a reader: half of all, so that no single asker fills the queue.
pub const QUESTIONS_PER_ASKER_MAX: usize = QUESTIONS_WAITING_MAX / 2;

/// On whose behalf a question is asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Asker {
    /// The hub itself, on behalf of everybody.
    Hub,
    /// All screens of one scope, given by its hash. They share snapshots.
    Screens(Arc<str>),
    /// A user, given by the `sub` of their tokens.
    User(Arc<str>),
}

/// Jobs that wait, in one queue for each asker.
#[derive(Debug)]
pub(super) struct FairQueue<J> {
    lanes: HashMap<Asker, Lane<J>>,
    /// Every asker with a waiting job, once, in the order in which they are served.
    turns: VecDeque<Asker>,
    waiting: usize,
}

#[derive(Debug)]
struct Lane<J> {
    waiting: VecDeque<J>,
    at_work: usize,
}

impl<J> Default for FairQueue<J> {
    fn default() -> Self {
        Self { lanes: HashMap::new(), turns: VecDeque::new(), waiting: 0 }
    }
}

impl<J> FairQueue<J> {
    /// Adds a job. Returns `false` if too many are waiting, in total or for this asker.
    pub(super) fn push(&mut self, asker: Asker, job: J) -> bool {
        if self.waiting >= QUESTIONS_WAITING_MAX {
            return false;
        }
        let lane =
            self.lanes.entry(asker.clone()).or_insert_with(|| Lane { waiting: VecDeque::new(), at_work: 0 });
        if lane.waiting.len() >= QUESTIONS_PER_ASKER_MAX {
            return false;
        }
        if lane.waiting.is_empty() {
            self.turns.push_back(asker);
        }
        lane.waiting.push_back(job);
        self.waiting += 1;
        true
    }

    /// The next job, of the first asker in turn who has a reader to spare. Call [`done`](Self::done) when
    /// it is finished. `None` if no job may start.
    pub(super) fn next(&mut self) -> Option<(Asker, J)> {
        let may = |asker: &Asker| self.lanes.get(asker).is_some_and(|lane| lane.at_work < READERS_PER_ASKER);
        let turn = self.turns.iter().position(may)?;
        let asker = self.turns.remove(turn)?;
        let lane = self.lanes.get_mut(&asker)?;
        let job = lane.waiting.pop_front()?;
        lane.at_work += 1;
        self.waiting -= 1;
        if !lane.waiting.is_empty() {
            self.turns.push_back(asker.clone());
        }
        Some((asker, job))
    }

    /// Notes that a job of this asker is finished.
    pub(super) fn done(&mut self, asker: &Asker) {
        let Some(lane) = self.lanes.get_mut(asker) else { return };
        lane.at_work = lane.at_work.saturating_sub(1);
        if lane.at_work == 0 && lane.waiting.is_empty() {
            self.lanes.remove(asker);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str) -> Asker {
        Asker::User(name.into())
    }

    #[test]
    fn whoever_asks_once_is_next_however_much_another_asked_before() {
        let mut line = FairQueue::default();
        for number in 0..100 {
            assert!(line.push(user("busy"), number));
        }
        assert!(line.push(user("other"), 1_000));
        assert!(line.push(user("third"), 2_000));
        let mut turn = || {
            let (asker, job) = line.next().unwrap();
            line.done(&asker);
            job
        };
        assert_eq!([turn(), turn(), turn(), turn(), turn()], [0, 1_000, 2_000, 1, 2]);
    }

    #[test]
    fn one_asker_leaves_a_reader_to_others() {
        let mut line = FairQueue::default();
        for number in 0..READERS {
            assert!(line.push(user("busy"), number));
        }
        for number in 0..READERS_PER_ASKER {
            assert_eq!(line.next(), Some((user("busy"), number)));
        }
        assert_eq!(line.next(), None, "what is left of it waits");
        assert!(line.push(user("other"), 100));
        assert_eq!(line.next(), Some((user("other"), 100)));
        line.done(&user("busy"));
        assert_eq!(line.next(), Some((user("busy"), READERS_PER_ASKER)));
    }

    #[test]
    fn questions_that_wait_end_at_a_bound_for_each_asker_and_for_all() {
        let mut line = FairQueue::default();
        for _ in 0..QUESTIONS_PER_ASKER_MAX {
            assert!(line.push(user("busy"), ()));
        }
        assert!(!line.push(user("busy"), ()), "its own bound");
        for number in 0..QUESTIONS_WAITING_MAX - QUESTIONS_PER_ASKER_MAX {
            assert!(line.push(user(&number.to_string()), ()), "others are not concerned");
        }
        assert!(!line.push(user("one more"), ()), "everybody's bound");
        let (first, ()) = line.next().unwrap();
        assert!(line.push(user("one more"), ()), "one that is at work does not wait");
        line.done(&first);
    }

    #[test]
    fn nothing_is_remembered_of_who_has_no_question() {
        let mut line = FairQueue::default();
        assert!(line.push(user("once"), ()));
        let (asker, ()) = line.next().unwrap();
        line.done(&asker);
        assert!(line.lanes.is_empty() && line.turns.is_empty());
    }
}
