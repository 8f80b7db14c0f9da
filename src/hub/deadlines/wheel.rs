//! The clocks of open chats, and when the next deadline passes. Plain data: the present time is a parameter.
//!
//! # Contract
//!
//! 1. A chat costs memory for its clocks, its active alerts, and one entry in the order of due times.
//! 2. An alert is active when the journal says so. A change is requested until the journal has made it.

use std::collections::{BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};

use crate::domain::settings::{LimitTable, Thresholds};
use crate::domain::{AlertKind, ChatId, Clocks, Deadline};
use crate::journal::{AlertKey, AlertRequest};

/// How long after its deadline a chat may still raise an alert if the hub learns of it only then. An import
/// of old chats must not fill the screens.
pub const LATE_MAX: SignedDuration = SignedDuration::from_hours(24);

/// Changes of alerts in one request to the journal. Deliveries must not wait behind thousands of them.
pub const CHANGES_MAX: usize = 64;

/// All chats that have deadlines or active alerts.
pub struct Wheel {
    limits: LimitTable,
    chats: HashMap<ChatId, Watched>,
    due: BTreeSet<(Timestamp, ChatId)>,
    /// Chats whose active alerts are not those that they should have.
    unsettled: BTreeSet<ChatId>,
}

#[derive(Default)]
struct Watched {
    clocks: Option<Clocks>,
    standing: Vec<(AlertKind, Timestamp)>,
    turns_at: Option<Timestamp>,
}

impl Watched {
    fn stands(&self, kind: AlertKind, since: Timestamp) -> bool {
        self.standing.contains(&(kind, since))
    }
}

impl Wheel {
    /// A wheel with these thresholds and no chats.
    pub fn new(thresholds: &Thresholds) -> Self {
        Self {
            limits: LimitTable::new(thresholds),
            chats: HashMap::new(),
            due: BTreeSet::new(),
            unsettled: BTreeSet::new(),
        }
    }

    /// Takes over the clocks of a chat.
    pub fn learn(&mut self, clocks: Clocks, now: Timestamp) {
        if !clocks.runs && !self.chats.contains_key(&clocks.chat) {
            return;
        }
        let id = clocks.chat.clone();
        self.chats.entry(id.clone()).or_default().clocks = Some(clocks);
        self.settle(&id, now);
    }

    /// The journal says that an alert is active.
    pub fn raised(&mut self, alert: &AlertKey, now: Timestamp) {
        let watched = self.chats.entry(alert.chat.clone()).or_default();
        if !watched.stands(alert.kind, alert.since) {
            watched.standing.push((alert.kind, alert.since));
        }
        self.settle(&alert.chat, now);
    }

    /// The journal says that an alert is no longer active.
    pub fn cleared(&mut self, alert: &AlertKey, now: Timestamp) {
        if let Some(watched) = self.chats.get_mut(&alert.chat) {
            watched.standing.retain(|standing| *standing != (alert.kind, alert.since));
            self.settle(&alert.chat, now);
        }
    }

    pub fn take_thresholds(&mut self, thresholds: &Thresholds, now: Timestamp) {
        self.limits = LimitTable::new(thresholds);
        let all: Vec<ChatId> = self.chats.keys().cloned().collect();
        for id in &all {
            self.settle(id, now);
        }
    }

    /// Handles the chats whose time has come.
    pub fn turn(&mut self, now: Timestamp) {
        while let Some((at, id)) = self.due.first().cloned()
            && at <= now
        {
            self.settle(&id, now);
        }
    }

    /// When the next chat is due.
    pub fn turns_at(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }

    /// The next changes to ask of the journal, about [`CHANGES_MAX`] at a time. Each is returned once,
    /// unless it is [`put_back`](Self::put_back).
    pub fn take_changes(&mut self, now: Timestamp) -> Vec<AlertRequest> {
        let mut changes = Vec::new();
        while changes.len() < CHANGES_MAX
            && let Some(id) = self.unsettled.pop_first()
        {
            changes.extend(self.changes_of(&id, now));
        }
        changes
    }

    /// Notes that the journal refused these changes, so that they are requested again.
    pub fn put_back(&mut self, changes: &[AlertRequest]) {
        for change in changes {
            match change {
                AlertRequest::Raise { alert, .. } | AlertRequest::Clear(alert) => {
                    self.unsettled.insert(alert.chat.clone());
                }
                AlertRequest::Acknowledge { .. } => {}
            }
        }
    }

    fn deadlines(&self, watched: &Watched) -> impl Iterator<Item = Deadline> + use<> {
        let clocks = watched.clocks.as_ref();
        let deadlines: Vec<Deadline> = clocks
            .map(|clocks| clocks.deadlines(self.limits.of(clocks.sector.as_ref())).collect())
            .unwrap_or_default();
        deadlines.into_iter()
    }

    /// Notes when a chat is due next, and whether its alerts must change now.
    fn settle(&mut self, id: &ChatId, now: Timestamp) {
        let Some(watched) = self.chats.get(id) else { return };
        let turns_at = self.deadlines(watched).filter_map(|deadline| deadline.turns_after(now)).min();
        let is_settled = self.changes_of(id, now).is_empty();
        let is_over =
            watched.standing.is_empty() && watched.clocks.as_ref().is_none_or(|clocks| !clocks.runs);
        if let Some(at) = watched.turns_at {
            self.due.remove(&(at, id.clone()));
        }
        if is_settled {
            self.unsettled.remove(id);
        } else {
            self.unsettled.insert(id.clone());
        }
        if is_over {
            self.chats.remove(id);
            return;
        }
        if let Some(watched) = self.chats.get_mut(id) {
            watched.turns_at = turns_at;
        }
        self.due.extend(turns_at.map(|at| (at, id.clone())));
    }

    /// The changes that a chat's alerts need. Those to clear come first.
    fn changes_of(&self, id: &ChatId, now: Timestamp) -> Vec<AlertRequest> {
        let Some(watched) = self.chats.get(id) else { return Vec::new() };
        let key = |kind, since| AlertKey { kind, chat: id.clone(), since };
        let should: Vec<Deadline> =
            self.deadlines(watched).filter(|deadline| deadline.stands_at(now)).collect();
        let is_wanted = |kind, since| should.iter().any(|due| due.kind == kind && due.since == since);
        let gone = watched.standing.iter().filter(|(kind, since)| !is_wanted(*kind, *since));
        let mut changes: Vec<AlertRequest> =
            gone.map(|(kind, since)| AlertRequest::Clear(key(*kind, *since))).collect();
        let new = should.iter().filter(|deadline| {
            !watched.stands(deadline.kind, deadline.since) && now.duration_since(deadline.due_at) <= LATE_MAX
        });
        changes.extend(new.map(|deadline| AlertRequest::Raise {
            alert: key(deadline.kind, deadline.since),
            due_at: deadline.due_at,
        }));
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    fn waiting(chat: &str, since: Option<i64>) -> Clocks {
        Clocks {
            chat: chat.into(),
            sector: None,
            runs: true,
            waiting_since: since.map(at),
            unanswered_since: None,
            quiet_since: None,
            window_since: None,
        }
    }

    /// Takes the changes and confirms each as the journal would. Returns them as text.
    fn goes_through(wheel: &mut Wheel, now: i64) -> Vec<String> {
        let mut asked = Vec::new();
        for change in wheel.take_changes(at(now)) {
            let (word, alert) = match change {
                AlertRequest::Raise { alert, .. } => ("+", alert),
                AlertRequest::Clear(alert) => ("-", alert),
                AlertRequest::Acknowledge { .. } => unreachable!("only users do"),
            };
            asked.push(format!("{word}{}:{}", alert.kind.as_str(), alert.chat));
            if word == "+" { wheel.raised(&alert, at(now)) } else { wheel.cleared(&alert, at(now)) }
        }
        asked
    }

    #[test]
    fn an_alert_is_asked_for_at_its_second_once_and_taken_back_when_answered() {
        let mut wheel = Wheel::new(&Thresholds::default());
        wheel.learn(waiting("a", Some(0)), at(0));
        wheel.learn(waiting("b", Some(100)), at(100));
        assert_eq!(wheel.turns_at(), Some(at(300)));
        wheel.turn(at(299));
        assert_eq!(goes_through(&mut wheel, 299), [""; 0]);
        wheel.turn(at(300));
        assert_eq!(goes_through(&mut wheel, 300), ["+waiting_warn:a"]);
        assert_eq!(goes_through(&mut wheel, 301), [""; 0]);
        assert_eq!(wheel.turns_at(), Some(at(400)));
        wheel.learn(waiting("a", None), at(350));
        assert_eq!(goes_through(&mut wheel, 350), ["-waiting_warn:a"]);
        // A wait that begins again is another alert.
        wheel.learn(waiting("a", Some(360)), at(700));
        assert_eq!(goes_through(&mut wheel, 700), ["+waiting_warn:a"]);
    }

    #[test]
    fn a_closed_chat_leaves_nothing_behind() {
        let mut wheel = Wheel::new(&Thresholds::default());
        wheel.learn(waiting("a", Some(0)), at(1_000));
        assert_eq!(goes_through(&mut wheel, 1_000), ["+waiting_warn:a", "+waiting:a"]);
        wheel.learn(Clocks { runs: false, ..waiting("a", None) }, at(1_001));
        assert_eq!(goes_through(&mut wheel, 1_001), ["-waiting_warn:a", "-waiting:a"]);
        assert!(wheel.chats.is_empty() && wheel.due.is_empty() && wheel.unsettled.is_empty());
        wheel.learn(Clocks { runs: false, ..waiting("b", None) }, at(1_002));
        assert!(wheel.chats.is_empty(), "one that was never open here");
    }

    #[test]
    fn what_was_over_for_a_day_raises_nothing_and_what_stands_stays() {
        let mut wheel = Wheel::new(&Thresholds::default());
        let day = LATE_MAX.as_secs();
        wheel.learn(waiting("old", Some(0)), at(300 + day + 1));
        assert_eq!(goes_through(&mut wheel, 300 + day + 1), ["+waiting:old"], "the warning is too old");
        wheel.learn(waiting("old", Some(0)), at(10 * day));
        assert_eq!(goes_through(&mut wheel, 10 * day), [""; 0]);
        assert_eq!(wheel.chats.len(), 1);
    }

    #[test]
    fn other_thresholds_raise_and_clear_at_once() {
        let mut wheel = Wheel::new(&Thresholds::default());
        wheel.learn(waiting("a", Some(0)), at(100));
        assert_eq!(goes_through(&mut wheel, 100), [""; 0]);
        let mut thresholds = Thresholds::default();
        thresholds.default.insert("waitingSeconds".into(), Some(50));
        thresholds.default.insert("waitingWarnSeconds".into(), None);
        wheel.take_thresholds(&thresholds, at(100));
        assert_eq!(goes_through(&mut wheel, 100), ["+waiting:a"]);
        wheel.take_thresholds(&Thresholds::default(), at(101));
        assert_eq!(goes_through(&mut wheel, 101), ["-waiting:a"]);
    }

    proptest::proptest! {
        #[test]
        fn whatever_happens_what_stands_is_what_the_clocks_say(
            steps in proptest::collection::vec((0..4_usize, proptest::option::of(0..900_i64), proptest::bool::ANY, 0..400_i64), 1..40)
        ) {
            let (mut wheel, mut now) = (Wheel::new(&Thresholds::default()), 0);
            let mut latest: Vec<Option<Clocks>> = vec![None; 4];
            for (place, since, runs, later) in steps {
                let quiet_since = since.map(|since| at(since / 2));
                let clocks = Clocks { runs, quiet_since, ..waiting(&place.to_string(), since) };
                latest[place] = Some(clocks.clone());
                wheel.learn(clocks, at(now));
                now += later;
                // The wheel is turned only when it said so.
                if wheel.turns_at().is_some_and(|turn| turn <= at(now)) {
                    wheel.turn(at(now));
                }
                while !goes_through(&mut wheel, now).is_empty() {}
                for clocks in latest.iter().flatten() {
                    let deadlines = clocks.deadlines(wheel.limits.of(None));
                    let mut should: Vec<_> =
                        deadlines.filter(|due| due.stands_at(at(now))).map(|due| (due.kind, due.since)).collect();
                    let watched = wheel.chats.get(&clocks.chat);
                    let mut stands = watched.map(|watched| watched.standing.clone()).unwrap_or_default();
                    should.sort_unstable();
                    stands.sort_unstable();
                    proptest::prop_assert_eq!(stands, should);
                    proptest::prop_assert_eq!(watched.is_some(), clocks.runs);
                }
                proptest::prop_assert_eq!(wheel.due.len(), wheel.chats.values().filter(|chat| chat.turns_at.is_some()).count());
            }
        }
    }

    #[test]
    fn a_request_to_the_journal_is_bounded_and_what_it_refuses_is_asked_for_again() {
        let mut wheel = Wheel::new(&Thresholds::default());
        for number in 0..200 {
            wheel.learn(waiting(&format!("{number:03}"), Some(0)), at(300));
        }
        let first = wheel.take_changes(at(300));
        assert_eq!(first.len(), CHANGES_MAX);
        wheel.put_back(&first);
        let mut all = 0;
        while let asked @ 1.. = goes_through(&mut wheel, 300).len() {
            all += asked;
        }
        assert_eq!(all, 200);
    }
}
