//! The hub shuts down in order: no new sessions, deliveries in flight are stored and shown, then each session
//! is told when to come back, so that they do not all come at once.

use std::time::Duration;

use actix::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::UmblerHub;
use super::messages::{Drain, Outgoing};
use super::sessions::Session;
use super::states::tell_leaving;
use crate::journal::Journal;
use crate::protocol::event::{ServerEvent, encode};
use crate::protocol::{AwayReason, CloseCode};
use crate::telemetry::clock;

/// How long deliveries in flight may take to become durable. After that the sessions are closed anyway.
pub const JOURNAL_CLOSE_MAX: Duration = Duration::from_secs(4);
/// When the first session is asked to come back. A restart takes about as long.
pub const RETURN_AFTER: Duration = Duration::from_secs(1);
/// Sessions are spread over at least this time.
pub const RETURN_SPREAD_MIN: Duration = Duration::from_secs(1);
/// Sessions are spread over at most this time, however many there are.
pub const RETURN_SPREAD_MAX: Duration = Duration::from_mins(1);
/// Sessions that are asked to come back in one second.
pub const RETURNS_PER_SECOND: u32 = 2_000;

/// Tells all sessions to come back later, and closes them.
#[derive(Message)]
#[rtype(result = "()")]
struct SayGoodbye;

/// The content of a `going_away` event.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GoingAway {
    /// Why this hub ends the session.
    reason: &'static str,
    /// When to come back, in milliseconds.
    retry_after_ms: u64,
}

impl Handler<Drain> for UmblerHub {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Drain, ctx: &mut Self::Context) -> Self::Result {
        self.draining = true;
        if let Some(member) = &self.settings.cluster {
            tell_leaving(&member.teller);
        }
        self.push_states(ctx);
        let journal = self.journal.take();
        let hub = ctx.address();
        Box::pin(async move {
            if let Some(journal) = journal {
                close(journal).await;
            }
            // After the journal, so that every screen has been sent the last update.
            if hub.send(SayGoodbye).await.is_err() {
                log::error!("the hub ended before its sessions were told to come back");
            }
        })
    }
}

/// Waits until the writer has stored everything and closed the database.
async fn close(journal: Journal) {
    let writer = journal.close();
    // Joining blocks, so it runs on a thread for blocking work.
    let joined = actix_rt::task::spawn_blocking(move || writer.join());
    match actix_rt::time::timeout(JOURNAL_CLOSE_MAX, joined).await {
        Ok(Ok(Ok(()))) => log::info!("the journal is closed"),
        Ok(_panicked) => log::error!("the journal's thread panicked"),
        Err(_elapsed) => log::error!("the journal is not closed yet; the sessions do not wait for it"),
    }
}

impl Handler<SayGoodbye> for UmblerHub {
    type Result = ();

    fn handle(&mut self, _: SayGoodbye, _: &mut Self::Context) {
        self.playback.stop_all(&mut self.sessions);
        let count = self.sessions.len();
        for (place, session) in self.sessions.iter().enumerate() {
            farewell(session, AwayReason::Drain, slot(place, count));
        }
        log::info!("{count} sessions were told to come back");
    }
}

/// Tells a session when to come back, and closes it.
pub fn farewell(session: &Session, reason: AwayReason, retry_after: Duration) {
    let retry_after_ms = u64::try_from(retry_after.as_millis()).unwrap_or(u64::MAX);
    let goodbye = GoingAway { reason: reason.as_str(), retry_after_ms };
    let goodbye = encode(ServerEvent::GoingAway, None, clock::now(), &goodbye);
    if session.behind || !session.queue(Outgoing::Notice(goodbye)) {
        log::debug!("a session is too far behind to be told when to come back");
    }
    session.close(CloseCode::Drain);
}

/// When a session comes back, evenly spread at a pace that a fresh hub takes in easily.
pub fn slot(place: usize, count: usize) -> Duration {
    let number = |count| u32::try_from(count).unwrap_or(u32::MAX);
    let spread = Duration::from_secs(1) * number(count) / RETURNS_PER_SECOND;
    let spread = spread.clamp(RETURN_SPREAD_MIN, RETURN_SPREAD_MAX);
    RETURN_AFTER + spread.mul_f64(f64::from(number(place)) / f64::from(number(count.max(1))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_come_back_spread_over_a_bounded_time() {
        for count in [1, 2, 100, 2_000, 20_000, 1_000_000] {
            let slots: Vec<Duration> = (0..count).map(|place| slot(place, count)).collect();
            assert!(slots.is_sorted());
            assert_eq!(slots[0], RETURN_AFTER);
            let spread = slots[count - 1].saturating_sub(slots[0]);
            assert!(spread < RETURN_SPREAD_MAX);
            // At most [`RETURNS_PER_SECOND`] come in one second, unless the bound on the whole
            // time forces more.
            let first_second =
                slots.iter().filter(|slot| **slot < RETURN_AFTER + Duration::from_secs(1)).count();
            let fair = usize::try_from(RETURNS_PER_SECOND).unwrap().max(count.div_ceil(60));
            assert!(first_second <= fair + 1, "{first_second} of {count}");
        }
        assert!(slot(9_999, 10_000) > RETURN_AFTER + Duration::from_millis(4_990));
    }
}
