//! Which message is worked on next, and when. Pure: time comes in.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::domain::EventId;

/// Messages that are at work at the same time; more wait in the database.
pub const TASKS_MAX: usize = 2_000;
/// Of the workers, those that may look and follow at the same time: the others are for what is to go out.
pub const BESIDES_MAX: usize = 2;

/// What is done with a message next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutboxStep {
    /// It is handed to the provider.
    Send(Tries),
    /// It is looked for, for so long.
    Look { since: Instant, looks: u32 },
    /// It is asked how far it came, for the so-manieth time.
    Follow { asks: usize },
}

/// How often a message was tried without being sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tries {
    /// When it was tried first.
    pub begun: Option<Instant>,
    pub failures: u32,
    /// An attempt that was proposed, and whose outcome did not come in time: its number, and the id of its record.
    pub proposed: Option<(u32, EventId)>,
}

/// The next step of a message and when it is due; `None`: nothing more is to be done.
pub type NextStep = Option<(OutboxStep, Instant)>;

/// A message, and what is done with it when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxTask {
    pub id: String,
    pub chat: String,
    /// Its place among the messages of its chat.
    pub order: (Timestamp, String),
    pub step: OutboxStep,
    pub due: Instant,
}

/// All messages that the outbox works on, and what is due.
#[derive(Debug, Default)]
pub struct OutboxBoard {
    tasks: BTreeMap<String, OutboxTask>,
    /// Messages that somebody works on now.
    busy: BTreeSet<String>,
    /// The rows that a former life of the hub left were read.
    pub is_taken_up: bool,
    /// When the database was read last, and for which ring.
    refilled: Option<(Instant, u64)>,
}

impl OutboxBoard {
    /// True where it takes no more. Messages that are only followed make room for others.
    pub fn is_full(&self) -> bool {
        self.tasks.len() >= TASKS_MAX && self.least_urgent().is_none()
    }

    /// The message that is followed and is asked for last, if nobody works on it.
    fn least_urgent(&self) -> Option<String> {
        let is_followed = |task: &&OutboxTask| {
            matches!(task.step, OutboxStep::Follow { .. }) && !self.busy.contains(&task.id)
        };
        self.tasks.values().filter(is_followed).max_by_key(|task| task.due).map(|task| task.id.clone())
    }

    /// True, once, where somebody rang since the database was read last, or that is so long ago.
    pub fn is_to_refill(&mut self, ring: u64, now: Instant, every: Duration) -> bool {
        let is_fresh = self
            .refilled
            .is_some_and(|(at, heard)| ring <= heard && now.saturating_duration_since(at) < every);
        if !is_fresh {
            self.refilled = Some((now, self.refilled.map_or(ring, |(_, heard)| heard.max(ring))));
        }
        !is_fresh
    }

    /// Puts a message on the board, unless it is there. One that is followed and is to be sent again is sent. Where the board is
    /// full, one that is followed is given up for one that is sent or looked for.
    pub fn add(&mut self, task: OutboxTask) {
        let is_sent_again = |known: &OutboxTask| {
            matches!((&known.step, &task.step), (OutboxStep::Follow { .. }, OutboxStep::Send(_)))
        };
        let is_full = self.tasks.len() >= TASKS_MAX;
        let is_followed = matches!(task.step, OutboxStep::Follow { .. });
        match self.tasks.get_mut(&task.id) {
            Some(known) if is_sent_again(known) && !self.busy.contains(&task.id) => *known = task,
            Some(_) => {}
            None if is_full && is_followed => {}
            None if is_full => {
                if let Some(given_up) = self.least_urgent() {
                    self.tasks.remove(&given_up);
                    self.tasks.insert(task.id.clone(), task);
                }
            }
            None => drop(self.tasks.insert(task.id.clone(), task)),
        }
    }

    pub fn has(&self, id: &str) -> bool {
        self.tasks.contains_key(id)
    }

    /// Takes what is due, the most urgent first; or tells how long nothing is.
    pub fn take(&mut self, now: Instant) -> Result<OutboxTask, Option<Duration>> {
        let besides = self.busy.iter().filter(|id| !self.is_to_send(id)).count();
        let first_of_chats = self.first_of_chats();
        let mut next: Option<&OutboxTask> = None;
        let mut rest: Option<Duration> = None;
        for task in self.tasks.values().filter(|task| !self.busy.contains(&task.id)) {
            let waits = match task.step {
                OutboxStep::Send(_) => first_of_chats.get(&*task.chat) != Some(&&task.order),
                OutboxStep::Look { .. } | OutboxStep::Follow { .. } => besides >= BESIDES_MAX,
            };
            if waits {
                continue;
            }
            let left = task.due.saturating_duration_since(now);
            if left.is_zero() {
                if next.is_none_or(|known| urgency(task) < urgency(known)) {
                    next = Some(task);
                }
            } else {
                rest = Some(rest.map_or(left, |rest| rest.min(left)));
            }
        }
        let task = next.cloned().ok_or(rest)?;
        self.busy.insert(task.id.clone());
        Ok(task)
    }

    /// The worker is done with a message for now; `None`: nothing more is to be done with it.
    pub fn put_back(&mut self, id: &str, next: NextStep) {
        self.busy.remove(id);
        match (self.tasks.get_mut(id), next) {
            (Some(task), Some((step, due))) => (task.step, task.due) = (step, due),
            (Some(_), None) => drop(self.tasks.remove(id)),
            (None, _) => {}
        }
    }

    /// The step of a message panicked, so nothing is known of what it did. What it proposed is forgotten: an attempt that was recorded may
    /// have been sent.
    pub fn put_back_after_panic(&mut self, id: &str, due: Instant) {
        self.busy.remove(id);
        let Some(task) = self.tasks.get_mut(id) else { return };
        task.due = due;
        if let OutboxStep::Send(tries) = &mut task.step {
            tries.proposed = None;
        }
    }

    fn is_to_send(&self, id: &str) -> bool {
        self.tasks.get(id).is_some_and(|task| matches!(task.step, OutboxStep::Send(_)))
    }

    /// The message of each chat that is sent before its others.
    fn first_of_chats(&self) -> HashMap<&str, &(Timestamp, String)> {
        let mut first: HashMap<&str, &(Timestamp, String)> = HashMap::new();
        for task in self.tasks.values().filter(|task| matches!(task.step, OutboxStep::Send(_))) {
            let known = first.entry(&task.chat).or_insert(&task.order);
            *known = (*known).min(&task.order);
        }
        first
    }
}

/// What goes out comes before what is looked for, and that before what is followed.
fn urgency(task: &OutboxTask) -> (u8, &(Timestamp, String)) {
    let kind = match task.step {
        OutboxStep::Send(_) => 0,
        OutboxStep::Look { .. } => 1,
        OutboxStep::Follow { .. } => 2,
    };
    (kind, &task.order)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(id: &str, chat: &str, second: i64, step: OutboxStep, due: Instant) -> OutboxTask {
        let order = (Timestamp::from_second(second).unwrap(), id.to_owned());
        OutboxTask { id: id.to_owned(), chat: chat.to_owned(), order, step, due }
    }

    fn send() -> OutboxStep {
        OutboxStep::Send(Tries::default())
    }

    fn taken(board: &mut OutboxBoard, now: Instant) -> String {
        board.take(now).map(|task| task.id).unwrap_or_default()
    }

    #[test]
    fn messages_of_one_chat_go_out_in_their_order_and_chats_do_not_wait_for_each_other() {
        let now = Instant::now();
        let mut board = OutboxBoard::default();
        board.add(task("b", "x", 2, send(), now));
        board.add(task("a", "x", 1, send(), now));
        board.add(task("c", "y", 3, send(), now));
        assert_eq!(taken(&mut board, now), "a");
        assert_eq!(taken(&mut board, now), "c");
        assert_eq!(board.take(now), Err(None), "b waits for a");
        let later = now + Duration::from_secs(4);
        board.put_back("a", Some((send(), later)));
        assert_eq!(board.take(now), Err(Some(Duration::from_secs(4))), "and for its pause");
        assert_eq!(taken(&mut board, later), "a");
        board.put_back("a", Some((OutboxStep::Look { since: later, looks: 0 }, later)));
        assert_eq!(taken(&mut board, later), "b", "what is looked for holds up nothing");
        assert_eq!(taken(&mut board, later), "a");
    }

    #[test]
    fn what_is_looked_for_leaves_workers_for_what_is_to_go_out() {
        let now = Instant::now();
        let mut board = OutboxBoard::default();
        for id in ["a", "b", "c"] {
            board.add(task(id, id, 1, OutboxStep::Follow { asks: 0 }, now));
        }
        assert_eq!((taken(&mut board, now).as_str(), taken(&mut board, now).as_str()), ("a", "b"));
        assert_eq!(board.take(now), Err(None));
        board.add(task("d", "d", 9, send(), now));
        assert_eq!(taken(&mut board, now), "d");
        board.put_back("a", None);
        assert_eq!(taken(&mut board, now), "c");
    }

    #[test]
    fn a_message_that_is_followed_and_is_to_be_sent_again_is_sent_at_once() {
        let now = Instant::now();
        let mut board = OutboxBoard::default();
        board.add(task("a", "x", 1, OutboxStep::Follow { asks: 0 }, now + Duration::from_secs(30)));
        board.add(task("a", "x", 1, send(), now));
        assert!(matches!(board.take(now).map(|task| task.step), Ok(OutboxStep::Send(_))));
    }

    #[test]
    fn a_message_is_on_the_board_once_and_the_board_has_an_end() {
        let now = Instant::now();
        let mut board = OutboxBoard::default();
        board.add(task("a", "x", 1, OutboxStep::Look { since: now, looks: 3 }, now));
        board.add(task("a", "x", 1, send(), now));
        assert!(matches!(board.take(now).map(|task| task.step), Ok(OutboxStep::Look { looks: 3, .. })));
        for number in 0..TASKS_MAX {
            board.add(task(&format!("n{number}"), "y", 2, send(), now));
        }
        assert_eq!((board.tasks.len(), board.is_full()), (TASKS_MAX, true));
    }

    #[test]
    fn messages_that_are_only_followed_make_room_for_one_that_is_to_go_out() {
        let now = Instant::now();
        let mut board = OutboxBoard::default();
        for number in 0..TASKS_MAX {
            let due = now + Duration::from_secs(30);
            board.add(task(&format!("n{number}"), "y", 1, OutboxStep::Follow { asks: 0 }, due));
        }
        assert!(!board.is_full(), "what waits in the database is looked for");
        board.add(task("a", "x", 2, send(), now));
        assert_eq!((taken(&mut board, now).as_str(), board.tasks.len()), ("a", TASKS_MAX));
    }

    #[test]
    fn what_a_message_had_proposed_when_its_step_panicked_is_forgotten_and_it_keeps_its_place() {
        let now = Instant::now();
        let mut board = OutboxBoard::default();
        let proposed = Tries { failures: 2, proposed: Some((1, "outbox:1".into())), ..Tries::default() };
        board.add(task("a", "x", 1, OutboxStep::Send(proposed), now));
        board.add(task("b", "x", 2, send(), now));
        assert_eq!(taken(&mut board, now), "a");
        let later = now + Duration::from_secs(1);
        board.put_back_after_panic("a", later);
        assert_eq!(board.take(now), Err(Some(Duration::from_secs(1))), "b does not overtake it");
        let known = Tries { failures: 2, ..Tries::default() };
        assert_eq!(board.take(later).map(|task| task.step), Ok(OutboxStep::Send(known)));
    }
}
