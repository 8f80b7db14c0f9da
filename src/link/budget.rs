//! Limits the requests to each route: never more than the budget within any five seconds (a sliding window).

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::umbler::api::Route;

/// The provider counts the requests that arrived within five seconds. When a request arrived is not known here, only that it was
/// before its answer. So it counts from then on, however long it was on its way, and a tenth of a second longer, for clocks that run
/// a little faster.
const WINDOW: Duration = Duration::from_millis(5_100);
/// How soon to look again while all requests that count are still without an answer.
const UNANSWERED_EVERY: Duration = Duration::from_millis(50);
/// How long the budget is halved after the provider answered 429.
const HALVED_FOR: Duration = Duration::from_mins(1);

/// The budget of each route, and the requests that were sent.
#[derive(Debug)]
pub struct Budget {
    per_window: usize,
    routes: HashMap<Route, Sent>,
}

#[derive(Debug, Default)]
struct Sent {
    /// Requests without an answer yet.
    unanswered: usize,
    /// When the requests of the last window were answered, oldest first. Never longer than the budget.
    at: VecDeque<Instant>,
    halved_until: Option<Instant>,
}

impl Budget {
    /// A budget of `per_window` requests for each route; 0 counts as 1.
    pub fn new(per_window: usize) -> Self {
        Self { per_window: per_window.max(1), routes: HashMap::new() }
    }

    /// Counts a request that may be sent now, until it is [`answered`](Self::answered), or returns how long to wait before trying again.
    pub fn take(&mut self, route: Route, now: Instant) -> Result<(), Duration> {
        let sent = self.routes.entry(route).or_default();
        let is_halved = sent.halved_until.is_some_and(|until| now < until);
        let most = if is_halved { (self.per_window / 2).max(1) } else { self.per_window };
        while sent.at.front().is_some_and(|at| now.saturating_duration_since(*at) >= WINDOW) {
            sent.at.pop_front();
        }
        let Some(too_many) = (sent.at.len() + sent.unanswered).checked_sub(most) else {
            sent.unanswered += 1;
            return Ok(());
        };
        // After a halving the window may hold more requests than are allowed now: wait until enough of them have left it.
        let leaving = sent.at.get(too_many);
        Err(leaving.map_or(UNANSWERED_EVERY, |leaving| (*leaving + WINDOW).saturating_duration_since(now)))
    }

    /// A request has its answer, or none is waited for any more.
    pub fn answered(&mut self, route: Route, now: Instant) {
        let sent = self.routes.entry(route).or_default();
        sent.unanswered = sent.unanswered.saturating_sub(1);
        sent.at.push_back(now);
    }

    /// How long work that can wait has to wait, so that with it no more than a quarter of the budget goes out; `None`: not at all.
    pub fn wait_for_quarter(&self, route: Route, now: Instant) -> Option<Duration> {
        let sent = self.routes.get(&route)?;
        let most = (self.per_window / 4).max(1);
        let too_many = (sent.at.len() + sent.unanswered).checked_sub(most)?;
        let Some(leaving) = sent.at.get(too_many) else { return Some(UNANSWERED_EVERY) };
        Some((*leaving + WINDOW).saturating_duration_since(now)).filter(|wait| !wait.is_zero())
    }

    /// Halves a route's budget for a minute, after the provider answered 429.
    pub fn halve(&mut self, route: Route, now: Instant) {
        self.routes.entry(route).or_default().halved_until = Some(now + HALVED_FOR);
    }
}

/// A budget that all threads of the link share, because the provider counts the requests of all of them.
#[derive(Debug, Clone)]
pub struct SharedBudget(Arc<Mutex<Budget>>);

impl SharedBudget {
    /// As [`Budget::new`].
    pub fn new(per_window: usize) -> Self {
        Self(Arc::new(Mutex::new(Budget::new(per_window))))
    }

    /// Counts a request that may be sent now, or returns how long to wait before trying again.
    pub fn take(&self, route: Route) -> Result<Turn<'_>, Duration> {
        self.lock().take(route, Instant::now())?;
        Ok(Turn { budget: self, route })
    }

    /// As [`Budget::wait_for_quarter`], now.
    pub fn wait_for_quarter(&self, route: Route) -> Option<Duration> {
        self.lock().wait_for_quarter(route, Instant::now())
    }

    /// As [`Budget::halve`], now.
    pub fn halve(&self, route: Route) {
        self.lock().halve(route, Instant::now());
    }

    fn lock(&self) -> MutexGuard<'_, Budget> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that may be sent. It is dropped with the answer, or when none is waited for any more.
#[derive(Debug)]
pub struct Turn<'a> {
    budget: &'a SharedBudget,
    route: Route,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.budget.lock().answered(self.route, Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The times at which `count` requests are sent, each as early as the budget allows and answered at once.
    fn sent(budget: &mut Budget, begun: Instant, count: usize) -> Vec<Instant> {
        let mut now = begun;
        let mut sent = Vec::new();
        while sent.len() < count {
            match budget.take(Route::Chats, now) {
                Ok(()) => {
                    budget.answered(Route::Chats, now);
                    sent.push(now);
                }
                Err(wait) => {
                    assert!(!wait.is_zero());
                    now += wait;
                }
            }
        }
        sent
    }

    fn most_in_five_seconds(sent: &[Instant]) -> usize {
        let within = |from: &Instant| {
            sent.iter().filter(|at| *at >= from && **at < *from + Duration::from_secs(5)).count()
        };
        sent.iter().map(within).max().unwrap_or_default()
    }

    #[test]
    fn no_five_seconds_see_more_requests_than_the_budget() {
        let begun = Instant::now();
        let mut budget = Budget::new(80);
        // A burst at the end of one window and another at the beginning of the next are within five seconds.
        let mut all = sent(&mut budget, begun, 40);
        all.extend(sent(&mut budget, begun + Duration::from_millis(5_099), 200));
        assert_eq!(most_in_five_seconds(&all), 80);
        assert!(
            *all.last().unwrap() - begun < Duration::from_secs(20),
            "it does not wait longer than needed"
        );
    }

    #[test]
    fn routes_have_budgets_of_their_own() {
        let now = Instant::now();
        let mut budget = Budget::new(1);
        assert_eq!(budget.take(Route::Chats, now), Ok(()));
        budget.answered(Route::Chats, now);
        assert_eq!(budget.take(Route::Chats, now), Err(WINDOW));
        assert_eq!(budget.take(Route::Messages, now), Ok(()));
    }

    #[test]
    fn a_request_counts_until_five_seconds_after_its_answer_because_it_may_have_arrived_just_before() {
        let begun = Instant::now();
        let mut budget = Budget::new(2);
        assert_eq!((budget.take(Route::Chats, begun), budget.take(Route::Chats, begun)), (Ok(()), Ok(())));
        let later = begun + Duration::from_secs(9);
        assert_eq!(budget.take(Route::Chats, later), Err(UNANSWERED_EVERY), "both may arrive now");
        assert_eq!(budget.wait_for_quarter(Route::Chats, later), Some(UNANSWERED_EVERY));
        budget.answered(Route::Chats, later);
        assert_eq!(budget.take(Route::Chats, later), Err(WINDOW));
        assert_eq!(budget.take(Route::Chats, later + WINDOW), Ok(()));
    }

    #[test]
    fn too_many_halve_the_budget_for_a_minute() {
        let begun = Instant::now();
        let mut budget = Budget::new(80);
        budget.halve(Route::Chats, begun);
        let halved = sent(&mut budget, begun, 200);
        assert_eq!(most_in_five_seconds(&halved), 40);
        let later = sent(&mut budget, begun + HALVED_FOR + WINDOW, 80);
        assert_eq!(most_in_five_seconds(&later), 80);
    }

    #[test]
    fn work_that_can_wait_takes_a_quarter_and_what_cannot_takes_all() {
        let begun = Instant::now();
        let mut budget = Budget::new(80);
        assert_eq!(budget.wait_for_quarter(Route::Chats, begun), None);
        sent(&mut budget, begun, 19);
        assert_eq!(budget.wait_for_quarter(Route::Chats, begun), None);
        sent(&mut budget, begun, 1);
        assert_eq!(budget.wait_for_quarter(Route::Chats, begun), Some(WINDOW));
        assert_eq!(budget.wait_for_quarter(Route::Messages, begun), None, "of another route");
        assert_eq!(budget.take(Route::Chats, begun), Ok(()), "a comparison does not wait for it");
        assert_eq!(budget.wait_for_quarter(Route::Chats, begun + WINDOW), None);
    }
}
