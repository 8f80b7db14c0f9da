//! What the hub does once a second: heartbeats, help for sessions that are behind, and the change of the day.

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;

use super::UmblerHub;
use super::messages::SessionId;
use crate::domain::stats::day_of;
use crate::hub::sessions::flow::Flow;
use crate::journal::Journal;
use crate::protocol::{CloseCode, HEARTBEAT_SECONDS};
use crate::telemetry::clock;

const TICK: Duration = Duration::from_secs(1);
/// Ticks after which a session is closed if it has not read what it was sent.
pub const BEHIND_TICKS_MAX: u32 = 20;
/// Ticks between two times that idle users are forgotten.
const FORGET_TICKS: u64 = 60;

#[derive(Default)]
pub struct Ticks {
    count: u64,
    /// Beginning of the day at the last tick.
    today: Option<jiff::Timestamp>,
    /// The duties of the cluster were this hub's at the last tick.
    on_duty: bool,
}

impl Ticks {
    /// Ticks since the hub started.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// True if the duties of the cluster have become this hub's since the last tick.
    fn begins_duties(&mut self, on_duty: bool) -> bool {
        !std::mem::replace(&mut self.on_duty, on_duty) && on_duty
    }

    /// True if another day has begun since the last tick.
    fn turns_the_day(&mut self, today: jiff::Timestamp) -> bool {
        self.today.replace(today).is_some_and(|known| known != today)
    }
}

impl UmblerHub {
    pub(super) fn start_ticks(ctx: &mut Context<Self>) {
        ctx.run_interval(TICK, Self::tick);
    }

    fn tick(&mut self, ctx: &mut Context<Self>) {
        self.ticks.count += 1;
        self.keep_step();
        self.look_at_journal();
        self.beat();
        for id in self.find_drained() {
            self.note_drained(&id, ctx);
        }
        self.updates.forget_unneeded(&self.sessions);
        self.turn_the_day();
        self.boards.owe_to_all(&self.sessions);
        self.push_boards(ctx);
        self.status.tell(&mut self.sessions);
        self.presence.expire(self.ticks.count);
        self.push_states(ctx);
        if self.ticks.begins_duties(self.settings.duties.are_mine()) {
            self.settle_alerts(ctx);
        }
        if self.ticks.count.is_multiple_of(FORGET_TICKS) {
            self.users.forget_idle();
        }
    }

    /// A journal whose thread is gone cannot report that itself, and refuses everything.
    fn look_at_journal(&mut self) {
        if let Some(fault) = self.journal.as_ref().and_then(Journal::fault)
            && self.fault.as_ref() != Some(&fault)
        {
            log::error!("the journal cannot write: {}", fault.detail);
            self.fault = Some(fault);
        }
    }

    /// Sends heartbeats to the sessions whose turn it is. A session that catches up is told how far it
    /// got, not the newest position: a client that has counted as many updates as the heartbeat says
    /// resumes from its position later.
    fn beat(&mut self) {
        let turn = self.ticks.count % HEARTBEAT_SECONDS;
        let newest = self.updates.newest();
        for session in self.sessions.iter_mut().filter(|session| session.beat == turn) {
            session.beat(session.flow.reached(newest));
        }
    }

    /// The sessions that have read what they had. Usually a session reports that itself; here those are
    /// found whose report was lost. A session that reads nothing for long is closed.
    fn find_drained(&mut self) -> Vec<SessionId> {
        let mut drained = Vec::new();
        for session in self.sessions.iter_mut() {
            let catches_up = matches!(session.flow, Flow::CatchingUp { .. });
            if !session.behind && !catches_up && !self.playback.waits_for_screen(&session.id) {
                continue;
            }
            session.behind_ticks += 1;
            if session.behind && session.behind_ticks == 1 {
                self.metrics.session_behind();
            }
            if session.backlog.is_empty() {
                drained.push(Arc::clone(&session.id));
            } else if session.behind_ticks == BEHIND_TICKS_MAX {
                session.close(CloseCode::TooSlow);
            }
        }
        drained
    }

    /// At midnight, `messagesToday` changes without a delivery.
    fn turn_the_day(&mut self) {
        let (today, _) = day_of(clock::now(), &self.settings.zone);
        if self.ticks.turns_the_day(today) {
            self.stats.forget_old();
            self.snapshots.forget();
            self.stats_push.change();
        }
    }
}
