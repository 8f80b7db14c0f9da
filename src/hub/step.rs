//! Whether this hub is in step with its cluster. If it is not, screens are told; if another hub is, they are sent there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::UmblerHub;
use super::drain::{farewell, slot};
use super::messages::SessionId;
use super::states::elsewhere::WHOLE_TICKS;
use crate::cluster::Membership;
use crate::protocol::AwayReason;

/// How long a hub is out of step before screens are told.
pub const TOLD_AFTER: Duration = Duration::from_secs(3);
/// How long it must be in step again before they are told that, so that the word does not flicker.
pub const WELL_FOR: Duration = Duration::from_secs(2);
/// A hub that is out of step for less than this counts as in step: records are always on their way.
const ON_THE_WAY: Duration = Duration::from_secs(1);

/// What screens are told of the hub and its cluster.
#[derive(Debug, Default)]
pub struct InStep {
    is_behind: bool,
    /// Since when the hub has been in step; `None` while it is not.
    well_since: Option<Instant>,
}

impl InStep {
    pub fn is_behind(&self) -> bool {
        self.is_behind
    }

    /// Takes note of how long the hub has been out of step.
    pub fn note(&mut self, out_of_step_for: Duration, now: Instant) {
        let is_well = out_of_step_for < ON_THE_WAY;
        self.well_since = is_well.then(|| self.well_since.unwrap_or(now));
        if out_of_step_for >= TOLD_AFTER {
            self.is_behind = true;
        } else if self.well_since.is_some_and(|since| now - since >= WELL_FOR) {
            self.is_behind = false;
        }
    }
}

impl UmblerHub {
    /// Looks how this hub fares in its cluster.
    pub(super) fn keep_step(&mut self) {
        let Some(Membership { state: cluster, teller }) = &self.settings.cluster else { return };
        if self.ticks.count().is_multiple_of(WHOLE_TICKS) && !self.draining {
            self.presence.tell_whole(teller);
        }
        cluster.note_sessions(self.sessions.len());
        self.step.note(cluster.out_of_step_for(), Instant::now());
        if cluster.sends_screens_away() && !self.draining {
            self.send_all_away();
        }
    }

    /// Sends every session to another hub, spread over time.
    fn send_all_away(&mut self) {
        let ids: Vec<SessionId> = self.sessions.iter().map(|session| Arc::clone(&session.id)).collect();
        for (place, id) in ids.iter().enumerate() {
            if let Some(session) = self.sessions.get(id) {
                farewell(session, AwayReason::Behind, slot(place, ids.len()));
            }
            // It must not be sent away again, and not be sent anything else.
            self.let_go(id);
        }
        if !ids.is_empty() {
            log::warn!("{} sessions were sent to another hub: this one is cut off from NATS", ids.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn screens_are_told_once_it_lasts_and_until_it_is_over_for_good() {
        let (mut step, begun) = (InStep::default(), Instant::now());
        let mut note = |out_of_step_ms, at_seconds| {
            step.note(Duration::from_millis(out_of_step_ms), begun + Duration::from_secs(at_seconds));
            step.is_behind()
        };
        assert!(!note(2_900, 3), "a short absence is not told");
        assert!(note(3_000, 4));
        assert!(note(0, 5) && note(1_000, 6), "it is out of step again");
        assert!(note(500, 7) && note(0, 8));
        assert!(!note(900, 9));
        assert!(!note(2_000, 10), "and stays well");
    }
}
