//! Answers to `subscribe_updates`: what comes next, and why not what was missed.

use serde::Serialize;
use utoipa::ToSchema;

use super::Updates;
use crate::domain::Seq;
use crate::hub::messages::Outgoing;
use crate::hub::sessions::Session;
use crate::hub::sessions::flow::{Flow, Unanswered};
use crate::protocol::RecoveryReason;
use crate::protocol::event::{ServerEvent, encode};
use crate::protocol::replay::ReplayShape;
use crate::telemetry::clock;

/// The content of `subscribed`.
#[derive(Serialize, ToSchema)]
pub struct Subscribed<'a> {
    /// The channels that were asked for.
    channels: &'a [String],
    /// The hub's newest position.
    seq: i64,
    /// The life of the journal.
    epoch: &'a str,
    /// A hash of what the token allows.
    scope: &'a str,
    /// The missed updates come next; where it is false, a snapshot is needed.
    recovered: bool,
    /// How many updates were missed.
    replayed: usize,
    /// Why the position was not recovered.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// The stretch of the past that comes next, where one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    replay: Option<ReplayShape>,
}

impl Updates {
    /// The missed updates come next.
    pub(super) fn answer_recovered(
        &self,
        session: &mut Session,
        unanswered: &Unanswered,
        since: Seq,
        missed: usize,
    ) {
        self.answer_subscribed(session, unanswered, Some(missed), None);
        self.metrics.recovered("recovered");
        session.flow = Flow::CatchingUp { after: since };
    }

    /// Updates come from now on; what was missed does not.
    pub(super) fn answer_unrecovered(
        &self,
        session: &mut Session,
        unanswered: &Unanswered,
        reason: RecoveryReason,
    ) {
        self.answer_subscribed(session, unanswered, None, Some(reason));
        self.metrics.recovered(reason.as_str());
        session.go_live();
    }

    /// A session that has a position already follows more from now on.
    pub fn answer_added(&self, session: &mut Session, unanswered: &Unanswered) {
        self.answer_subscribed(session, unanswered, None, None);
        session.go_live();
    }

    /// A stretch of the past comes next.
    pub fn answer_replay(&self, session: &mut Session, unanswered: &Unanswered, replay: ReplayShape) {
        let reason = Some(RecoveryReason::Replay);
        if let Some(frame) = self.frame(session, unanswered, None, reason, Some(replay)) {
            session.notify(frame);
        }
    }

    fn answer_subscribed(
        &self,
        session: &mut Session,
        unanswered: &Unanswered,
        missed: Option<usize>,
        reason: Option<RecoveryReason>,
    ) {
        if let Some(frame) = self.frame(session, unanswered, missed, reason, None) {
            let (epoch, recovered) = (self.epoch.clone(), missed.is_some());
            session.tell(Outgoing::Subscribed { frame, epoch, recovered });
        }
    }

    /// The answer, encoded; `None` where nobody is signed in.
    fn frame(
        &self,
        session: &Session,
        unanswered: &Unanswered,
        missed: Option<usize>,
        reason: Option<RecoveryReason>,
        replay: Option<ReplayShape>,
    ) -> Option<bytestring::ByteString> {
        let (_, scope) = session.scope()?;
        let subscribed = Subscribed {
            channels: &unanswered.channels,
            seq: self.newest.0,
            epoch: &self.epoch,
            scope: scope.hash(),
            recovered: missed.is_some(),
            replayed: missed.unwrap_or(0),
            reason: reason.map(RecoveryReason::as_str),
            replay,
        };
        let answered = unanswered.request_id.as_deref();
        Some(encode(ServerEvent::Subscribed, answered, clock::now(), &subscribed))
    }
}

impl Session {
    /// Lets updates come as they are committed, unless older ones come first.
    fn go_live(&mut self) {
        if matches!(self.flow, Flow::Off | Flow::Replayed) {
            self.flow = if self.follows_updates() { Flow::Live } else { Flow::Off };
        }
    }
}
