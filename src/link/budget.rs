//! How many requests may go out: never more than so many on one route within any five seconds, whatever went before.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use crate::umbler::api::Route;

/// The provider counts requests over five seconds. Half a second is added, because a request arrives later than it is sent, and
/// not every one by as much.
const WINDOW: Duration = Duration::from_millis(5_500);
/// How long half as many go out after the provider said that they were too many.
const HALVED_FOR: Duration = Duration::from_mins(1);

/// Requests that went out, by route.
#[derive(Debug)]
pub struct Budget {
    per_window: usize,
    routes: HashMap<Route, Sent>,
}

#[derive(Debug, Default)]
struct Sent {
    /// When the newest went out, the oldest first; no more than a window holds.
    at: VecDeque<Instant>,
    halved_until: Option<Instant>,
}

impl Budget {
    /// So many requests on each route within five seconds; at least 1.
    pub fn new(per_window: usize) -> Self {
        Self { per_window: per_window.max(1), routes: HashMap::new() }
    }

    /// Takes a request from the budget, or tells how long to wait for it.
    pub fn take(&mut self, route: Route, now: Instant) -> Result<(), Duration> {
        let sent = self.routes.entry(route).or_default();
        let is_halved = sent.halved_until.is_some_and(|until| now < until);
        let most = if is_halved { (self.per_window / 2).max(1) } else { self.per_window };
        while sent.at.front().is_some_and(|at| now.saturating_duration_since(*at) >= WINDOW) {
            sent.at.pop_front();
        }
        if sent.at.len() < most {
            sent.at.push_back(now);
            return Ok(());
        }
        // Right after a halving more may have been sent than are allowed now: all those beyond must leave the window first.
        let leaving = sent.at[sent.at.len() - most];
        Err((leaving + WINDOW).saturating_duration_since(now))
    }

    /// The provider says that these were too many: half as many for a minute.
    pub fn halve(&mut self, route: Route, now: Instant) {
        self.routes.entry(route).or_default().halved_until = Some(now + HALVED_FOR);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When so many requests go out that are sent as early as the budget lets them.
    fn sent(budget: &mut Budget, begun: Instant, count: usize) -> Vec<Instant> {
        let mut now = begun;
        let mut sent = Vec::new();
        while sent.len() < count {
            match budget.take(Route::Chats, now) {
                Ok(()) => sent.push(now),
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
        all.extend(sent(&mut budget, begun + Duration::from_millis(5_499), 200));
        assert_eq!(most_in_five_seconds(&all), 80);
        assert!(*all.last().unwrap() - begun < Duration::from_secs(20), "and it does not wait for nothing");
    }

    #[test]
    fn routes_have_budgets_of_their_own() {
        let now = Instant::now();
        let mut budget = Budget::new(1);
        assert_eq!(budget.take(Route::Chats, now), Ok(()));
        assert_eq!(budget.take(Route::Chats, now), Err(WINDOW));
        assert_eq!(budget.take(Route::Messages, now), Ok(()));
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
}
