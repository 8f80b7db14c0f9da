//! Answers to `subscribe_updates`: which updates follow, or why the missed ones do not.

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
    /// The newest published position.
    seq: i64,
    /// Epoch of the journal.
    epoch: &'a str,
    /// Hash of the token's scope.
    scope: &'a str,
    /// True if the missed updates follow. If false, the client needs a snapshot.
    recovered: bool,
    /// How many updates were missed and follow.
    replayed: usize,
    /// Why the missed updates do not follow; missing if they do.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// The playback that follows; missing if none was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    replay: Option<ReplayShape>,
}

impl Updates {
    /// Answers that the missed updates follow.
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

    /// Answers that updates are sent from now on, but not those that were missed.
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

    /// Answers a session that has subscribed before and now follows more channels.
    pub fn answer_added(&self, session: &mut Session, unanswered: &Unanswered) {
        self.answer_subscribed(session, unanswered, None, None);
        session.go_live();
    }

    /// Answers that a playback follows.
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

    /// The encoded answer; `None` if nobody is signed in.
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
    /// Sends updates as they are committed, unless missed ones or a playback must come first.
    fn go_live(&mut self) {
        if matches!(self.flow, Flow::Off | Flow::Replayed) {
            self.flow = if self.follows_updates() { Flow::Live } else { Flow::Off };
        }
    }
}
