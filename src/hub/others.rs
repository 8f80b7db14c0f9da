//! What the other hubs of a cluster tell this one beside records: who is present there, and how many sessions a
//! revocation has ended there.

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use actix::prelude::*;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::UmblerHub;
use super::states::elsewhere::PresenceTold;
use crate::auth::{Identity, Revocation, Scope};
use crate::cluster::telling::{HeardFromHub, Topic};
use crate::domain::ChatId;
use crate::reads::{Asker, GetPlacement};

/// How long the answer to a revocation waits for the other hubs. A hub that is behind ends its sessions later.
pub const REPORTS_WAIT_MAX: Duration = Duration::from_secs(1);
/// Reports that are kept. One may come before this hub has applied its revocation.
const REPORTS_MAX: usize = 256;

/// A hub has put a revocation in force.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct RevokedTold {
    in_force: Revocation,
    sessions_closed: usize,
}

struct Report {
    node: String,
    told: RevokedTold,
    heard: Instant,
}

/// Somebody waits until so many hubs have reported.
struct Awaited {
    in_force: Revocation,
    hubs: usize,
    complete: oneshot::Sender<()>,
}

/// What other hubs reported of revocations a short while ago.
#[derive(Default)]
pub struct Reports {
    heard: VecDeque<Report>,
    awaited: Vec<Awaited>,
}

impl Reports {
    fn note(&mut self, node: String, told: RevokedTold, now: Instant) {
        if self.heard.len() == REPORTS_MAX {
            self.heard.pop_front();
        }
        self.heard.push_back(Report { node, told, heard: now });
        self.settle(now);
    }

    /// Resolves once so many hubs have reported this revocation.
    fn wait(&mut self, in_force: &Revocation, hubs: usize, now: Instant) -> oneshot::Receiver<()> {
        let (complete, completed) = oneshot::channel();
        self.awaited.push(Awaited { in_force: in_force.clone(), hubs, complete });
        self.settle(now);
        completed
    }

    fn settle(&mut self, now: Instant) {
        for awaited in std::mem::take(&mut self.awaited) {
            if self.of(&awaited.in_force, now).0 >= awaited.hubs {
                if awaited.complete.send(()).is_err() {
                    log::debug!("a revocation was reported after its sender had stopped waiting");
                }
            } else if !awaited.complete.is_closed() {
                self.awaited.push(awaited);
            }
        }
    }

    /// How many hubs have reported this revocation, and how many sessions they have ended.
    fn of(&self, in_force: &Revocation, now: Instant) -> (usize, usize) {
        let is_new = |report: &&Report| now.saturating_duration_since(report.heard) < 2 * REPORTS_WAIT_MAX;
        let reports = self.heard.iter().filter(is_new).filter(|report| report.told.in_force == *in_force);
        let (mut nodes, mut closed) = (BTreeSet::new(), 0);
        for report in reports {
            nodes.insert(&report.node);
            closed += report.told.sessions_closed;
        }
        (nodes.len(), closed)
    }
}

impl Handler<HeardFromHub> for UmblerHub {
    type Result = ();

    fn handle(&mut self, heard: HeardFromHub, ctx: &mut Self::Context) {
        let HeardFromHub { node, topic, payload } = heard;
        let understood = match topic {
            Topic::Presence => {
                serde_json::from_slice(&payload).map(|told| self.hear_presence(&node, told, ctx))
            }
            Topic::Revoked => serde_json::from_slice(&payload)
                .map(|told: RevokedTold| self.reports.note(node.clone(), told, Instant::now())),
        };
        if let Err(error) = understood {
            log::debug!("{node} told something that this release does not know: {error}");
        }
    }
}

impl UmblerHub {
    fn hear_presence(&mut self, node: &str, told: PresenceTold, ctx: &mut Context<Self>) {
        let unknown = self.presence.hear(node, told, self.ticks.count());
        if !unknown.is_empty() {
            self.place_chats(unknown, ctx);
        }
        self.push_states(ctx);
    }

    /// Looks up where chats are that are open at other hubs. One that this hub does not know yet is looked up again when
    /// it is told the next time.
    fn place_chats(&mut self, chats: BTreeSet<ChatId>, ctx: &mut Context<Self>) {
        for _ in &chats {
            self.presence.begin_lookup();
        }
        let history = self.history.clone();
        let found = async move {
            let mut found = Vec::new();
            for chat in chats {
                let scope = Scope::of(&Identity::anonymous()).into();
                let ask = GetPlacement { chat: chat.to_string(), scope };
                found.push((chat, history.ask(Asker::Hub, ask).await));
            }
            found
        };
        ctx.spawn(found.into_actor(self).map(|found, hub, ctx| {
            for (chat, place) in found {
                let moved = hub.presence.end_lookup(&chat);
                if let Some(place) = moved.or_else(|| place.ok().flatten()) {
                    hub.presence.place(chat, place);
                }
            }
            hub.push_states(ctx);
        }));
    }

    /// Tells the hub at which a user was revoked how many of their sessions were ended here.
    pub(super) fn report_revoked(&self, in_force: &Revocation, sessions_closed: usize) {
        let Some(member) = &self.settings.cluster else { return };
        let told = RevokedTold { in_force: in_force.clone(), sessions_closed };
        match serde_json::to_vec(&told) {
            Ok(text) => member.teller.tell(Topic::Revoked, text),
            Err(error) => log::error!("a revocation cannot be reported: {error}"),
        }
    }

    /// Waits for the reports of the other hubs that are ready. Returns how many sessions they have ended.
    pub(super) fn gather_reports(&mut self, in_force: Revocation) -> ResponseActFuture<Self, usize> {
        let Some(member) = &self.settings.cluster else { return Box::pin(fut::ready(0)) };
        let hubs = member.state.peers().iter().filter(|peer| peer.is_ready()).count();
        let complete = self.reports.wait(&in_force, hubs, Instant::now());
        let waited = tokio::time::timeout(REPORTS_WAIT_MAX, complete).into_actor(self);
        Box::pin(waited.map(move |_complete, hub, _| hub.reports.of(&in_force, Instant::now()).1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revocation(user: &str) -> Revocation {
        let moment = jiff::Timestamp::UNIX_EPOCH;
        Revocation { user: user.into(), issued_before: moment, revoked_at: moment, revoked_by: "root".into() }
    }

    fn told(user: &str, sessions_closed: usize) -> RevokedTold {
        RevokedTold { in_force: revocation(user), sessions_closed }
    }

    #[test]
    fn a_revocation_is_complete_once_every_hub_has_reported_it() {
        let (mut reports, now) = (Reports::default(), Instant::now());
        // This one is faster than the hub that asks.
        reports.note("b".to_owned(), told("ana", 2), now);
        let mut complete = reports.wait(&revocation("ana"), 2, now);
        reports.note("c".to_owned(), told("bia", 7), now);
        assert!(complete.try_recv().is_err());
        reports.note("c".to_owned(), told("ana", 1), now);
        assert!(complete.try_recv().is_ok());
        assert_eq!(reports.of(&revocation("ana"), now), (2, 3));
        assert_eq!(reports.of(&revocation("ana"), now + 2 * REPORTS_WAIT_MAX), (0, 0), "of another time");
        assert!(reports.wait(&revocation("eva"), 0, now).try_recv().is_ok(), "there are no others");
    }

    #[test]
    fn so_many_reports_are_kept_and_no_more() {
        let (mut reports, now) = (Reports::default(), Instant::now());
        for _ in 0..=REPORTS_MAX {
            reports.note("b".to_owned(), told("ana", 1), now);
        }
        assert_eq!(reports.of(&revocation("ana"), now), (1, REPORTS_MAX));
    }
}
