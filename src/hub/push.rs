//! What the hub does for its parts. They decide and return what they need; here it is asked of the readers,
//! the journal or a timer, and the answer is passed back to them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::prelude::*;
use futures_util::future::join_all;
use jiff::Timestamp;
use tokio::sync::watch;

use super::UmblerHub;
use super::deadlines::RETRY_AFTER;
use super::messages::{Drained, SessionId};
use super::playback::PlaybackNext;
use super::sessions::Session;
use super::sessions::flow::Unanswered;
use super::snapshots::SnapshotJob;
use super::states::boards::BoardsNext;
use super::states::stats::StatsPush;
use super::updates::Needs;
use crate::derived::analytics::Progress;
use crate::journal::{Ack, AckStatus, AlertRequest, IngestError, Origin, Payload, Record, Recorded, own_id};
use crate::protocol::{Channel, HubState, ReplayRequest, ResyncReason};
use crate::reads::{Asker, ScopedStats};
use crate::telemetry::clock;

// Updates.

impl UmblerHub {
    pub(super) fn see_to(&mut self, needs: Needs, ctx: &mut Context<Self>) {
        match needs {
            Needs::Nothing => {}
            Needs::OlderUpdates => self.read_older(ctx),
        }
    }

    fn read_older(&mut self, ctx: &mut Context<Self>) {
        let Some(read) = self.updates.next_read(&self.sessions) else { return };
        let after = read.after;
        let answer = self.history.ask(Asker::Hub, read).into_actor(self);
        ctx.spawn(answer.map(move |answer, hub, ctx| {
            hub.updates.take_read(&mut hub.sessions, after, answer);
            hub.read_older(ctx);
        }));
    }

    /// Continues with a session that has read everything that was queued for it.
    pub(super) fn note_drained(&mut self, id: &SessionId, ctx: &mut Context<Self>) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        // Something may have been queued since. Then the session reports again when that was read.
        if !session.backlog.is_empty() && !session.await_empty() {
            return;
        }
        session.behind_ticks = 0;
        session.behind = false;
        if std::mem::take(&mut session.lost_answer) {
            session.require_resync(ResyncReason::TooSlow);
        }
        let needs = self.updates.advance(session);
        self.boards.owe_to(session);
        self.see_to(needs, ctx);
        self.push_boards(ctx);
        let next = self.playback.screen_has_read(&mut self.sessions, id, Instant::now());
        self.play_on(id, next, ctx);
    }
}

impl Handler<Drained> for UmblerHub {
    type Result = ();

    fn handle(&mut self, drained: Drained, ctx: &mut Self::Context) {
        self.note_drained(&drained.session, ctx);
    }
}

// Playback.

impl UmblerHub {
    /// On whose behalf questions of this session are asked.
    pub(super) fn asker_at(&self, id: &SessionId) -> Asker {
        let who = self.sessions.get(id).and_then(Session::who);
        who.map_or(Asker::Hub, |who| Asker::User(Arc::clone(&who.user)))
    }

    /// Starts a playback for a session, once its range was looked up on disk. Where it is refused, or a later request took its
    /// place, `playback` has answered already.
    pub(super) fn open_replay(
        &mut self,
        id: &SessionId,
        unanswered: Unanswered,
        channels: &[Channel],
        asked: &ReplayRequest,
        ctx: &mut Context<Self>,
    ) {
        let user = self.asker_at(id);
        let opening = self.playback.open(&mut self.sessions, &self.users, id, unanswered, channels, asked);
        let Some(opening) = opening else { return };
        let (number, id) = (opening.number, Arc::clone(id));
        let found = opening.find(self.history.clone(), user).into_actor(self);
        ctx.spawn(found.map(move |found, hub, ctx| {
            let ready = hub.playback.take_found(&mut hub.sessions, &id, number, found);
            let (Some(ready), Some(session)) = (ready, hub.sessions.get_mut(&id)) else { return };
            // The playback replaces everything that the session followed, including another
            // playback.
            session.stop_flow();
            hub.updates.answer_replay(session, &ready.unanswered, ready.shape);
            // `None`: all channels.
            let gone = hub.sessions.unfollow(&id, None);
            hub.boards.unfollow(&id, &gone);
            hub.playback.begin(&mut hub.sessions, &id, ready.playing);
            let next = hub.playback.play(&mut hub.sessions, &id, Instant::now());
            hub.play_on(&id, next, ctx);
        }));
    }

    fn play_on(&self, id: &SessionId, next: PlaybackNext, ctx: &mut Context<Self>) {
        let id = Arc::clone(id);
        match next {
            PlaybackNext::Nothing => {}
            PlaybackNext::Wait(wait, number) => {
                ctx.run_later(wait, move |hub, ctx| {
                    let next = hub.playback.waited(&mut hub.sessions, &id, number, Instant::now());
                    hub.play_on(&id, next, ctx);
                });
            }
            PlaybackNext::Read(read, number) => {
                let part = self.history.ask(self.asker_at(&id), read).into_actor(self);
                ctx.spawn(part.map(move |part, hub, ctx| {
                    let next = hub.playback.take_part(&mut hub.sessions, &id, number, part, Instant::now());
                    hub.play_on(&id, next, ctx);
                }));
            }
        }
    }
}

// States.

impl UmblerHub {
    /// Sends changes of the hub's status, of presence and of the counters to their followers, now or when
    /// they are due.
    pub(super) fn push_states(&mut self, ctx: &mut Context<Self>) {
        let now = Instant::now();
        let condition = match (self.draining, &self.fault) {
            (true, _) => (HubState::Draining, None),
            (false, Some(fault)) => (HubState::Unwritable, Some(fault.kind)),
            (false, None) if self.step.is_behind() => (HubState::Behind, None),
            (false, None) => (HubState::Ok, None),
        };
        let (stats, zone) = (&self.stats, &self.settings.zone);
        let teller = self.settings.cluster.as_ref().map(|member| &member.teller).filter(|_| !self.draining);
        let due = [
            self.status.flush(&mut self.sessions, condition, now),
            self.presence.flush(&mut self.sessions, now),
            self.stats_push.flush(&mut self.sessions, || super::shape(stats, zone), now),
            teller.and_then(|teller| self.presence.tell_changes(teller, now)),
        ];
        self.count_next(ctx);
        if let Some(at) = due.into_iter().flatten().min() {
            self.states_timer.set(at, ctx, |hub, ctx| {
                hub.states_timer.fired();
                hub.push_states(ctx);
            });
        }
    }

    /// Has the readers compute the counters of the next limited scope, then rests for as long as that
    /// took.
    pub(super) fn count_next(&mut self, ctx: &mut Context<Self>) {
        let Some(scope) = self.stats_push.begin_count() else { return };
        let begun = Instant::now();
        let zone = self.settings.zone.clone();
        let ask = ScopedStats { now: clock::now(), zone, scope: Arc::clone(&scope) };
        let answer = self.history.ask(Asker::Hub, ask).into_actor(self);
        ctx.spawn(answer.map(move |answer, hub, ctx| {
            match answer {
                Ok(stats) => StatsPush::hand_out(&mut hub.sessions, &scope, &stats),
                Err(error) => log::warn!("a scope's counters were not counted: {error}"),
            }
            ctx.run_later(begun.elapsed(), |hub, ctx| {
                hub.stats_push.end_count();
                hub.count_next(ctx);
            });
        }));
    }

    /// Makes the next board that is due, or sets the timer for it.
    pub(super) fn push_boards(&mut self, ctx: &mut Context<Self>) {
        if let Some(steps) = self.boards.begin_listening() {
            self.hear_next_step(steps, ctx);
        }
        match self.boards.next(&self.sessions, clock::now(), Instant::now()) {
            BoardsNext::Nothing => {}
            BoardsNext::At(at) => self.boards_timer.set(at, ctx, |hub, ctx| {
                hub.boards_timer.fired();
                hub.push_boards(ctx);
            }),
            BoardsNext::Make(job) => {
                let done = job.run(self.history.clone(), self.updates.newest()).into_actor(self);
                ctx.spawn(done.map(|done, hub, ctx| {
                    let took = done.took;
                    hub.boards.take(&mut hub.sessions, done);
                    ctx.run_later(took, |hub, ctx| {
                        hub.boards.rested();
                        hub.push_boards(ctx);
                    });
                }));
            }
        }
    }

    fn hear_next_step(&self, mut steps: watch::Receiver<Progress>, ctx: &mut Context<Self>) {
        let heard = async move { steps.changed().await.map(|()| steps) };
        ctx.spawn(heard.into_actor(self).map(|heard, hub, ctx| {
            let Ok(mut steps) = heard else {
                return log::warn!("the thread that keeps the metrics has ended");
            };
            let progress = *steps.borrow_and_update();
            if hub.boards.note_progress(progress) {
                hub.push_boards(ctx);
                hub.hear_next_step(steps, ctx);
            }
        }));
    }
}

// Snapshots.

impl UmblerHub {
    pub(super) fn make_snapshot(&self, make: SnapshotJob, ctx: &mut Context<Self>) {
        let SnapshotJob { key, scope, day } = make;
        let query = SnapshotJob::query(&key, &scope, self.settings.zone.clone());
        let asker = Asker::Screens(scope.hash().into());
        let answer = self.history.ask(asker, query).into_actor(self);
        ctx.spawn(answer.map(move |answer, hub, ctx| {
            let again = hub.snapshots.take(&mut hub.sessions, SnapshotJob { key, scope, day }, answer);
            if let Some(make) = again {
                hub.make_snapshot(make, ctx);
            }
        }));
    }
}

// Deadlines.

impl UmblerHub {
    /// Takes over what a commit says about clocks, alerts and thresholds.
    pub(super) fn follow_deadlines(&mut self, events: &[Arc<Recorded>], ctx: &mut Context<Self>) {
        if self.deadlines.learn(events, clock::now())
            && let Some(wake) = &self.settings.alert_wake
        {
            wake.wake();
        }
        self.settle_alerts(ctx);
    }

    /// Asks the journal to raise the alerts that are due, and to clear those that no longer hold.
    pub(super) fn settle_alerts(&mut self, ctx: &mut Context<Self>) {
        let now = clock::now();
        if let Some(at) = self.deadlines.turn(now) {
            let wait = Duration::try_from(at.duration_since(now)).unwrap_or_default();
            self.deadlines_timer.set(Instant::now() + wait, ctx, |hub, ctx| {
                hub.deadlines_timer.fired();
                hub.settle_alerts(ctx);
            });
        }
        if self.journal.is_none() || self.fault.is_some() || !self.settings.duties.are_mine() {
            return;
        }
        let changes = self.deadlines.take_changes(now);
        if changes.is_empty() {
            return;
        }
        let outcomes: Vec<_> = changes.iter().map(|change| self.append_alert(change, now)).collect();
        ctx.spawn(join_all(outcomes).into_actor(self).map(move |outcomes, hub, ctx| {
            // What came too late as well: this hub may have the duties again before another one does it.
            let is_refused = |outcome: &Result<Ack, IngestError>| {
                outcome.as_ref().map_or(true, |ack| ack.status == AckStatus::Outdated)
            };
            let refused = changes.into_iter().zip(outcomes).filter(|(_, outcome)| is_refused(outcome));
            let refused: Vec<AlertRequest> = refused.map(|(change, _)| change).collect();
            if refused.is_empty() {
                hub.deadlines.rested();
                return hub.settle_alerts(ctx);
            }
            hub.deadlines.put_back(&refused);
            ctx.run_later(RETRY_AFTER, |hub, ctx| {
                hub.deadlines.rested();
                hub.settle_alerts(ctx);
            });
        }));
    }

    /// Appends a change of an alert to the journal.
    fn append_alert(
        &self,
        change: &AlertRequest,
        now: Timestamp,
    ) -> impl Future<Output = Result<Ack, IngestError>> + use<> {
        let payload = Payload::Alert(change.clone());
        let record = Record::new(payload, Some(own_id("alert")), Origin::Hub, now);
        let appended = record.map(|record| self.append(record));
        async move {
            match appended {
                Ok(outcome) => outcome.await,
                Err(error) => {
                    log::error!("a change of an alert cannot be recorded: {error}");
                    Err(IngestError::Unwritable)
                }
            }
        }
    }
}
