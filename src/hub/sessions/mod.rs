//! Who is connected, and who follows what. Plain data; the hub does the sending.

pub mod backlog;
pub mod flow;
pub mod outbox;
pub mod users;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

use bytestring::ByteString;

use super::messages::{Outbox, SessionId, SessionUser};
use crate::auth::Scope;
use crate::journal::Recorded;
use crate::protocol::{Channel, HEARTBEAT_SECONDS};
use backlog::Backlog;
use flow::Flow;

/// Channels that one session may follow.
pub const CHANNELS_PER_SESSION_MAX: usize = 200;

pub struct Session {
    pub id: SessionId,
    pub outbox: Outbox,
    pub backlog: Arc<Backlog>,
    pub address: IpAddr,
    /// `None` until the session is signed in.
    who: Option<SessionUser>,
    /// Index of its scope in `Sessions::scopes`.
    scope_slot: usize,
    pub flow: Flow,
    /// The session's queue overflowed. It is sent nothing until it has read the rest.
    pub behind: bool,
    /// An answer or a notice did not fit into the queue.
    pub lost_answer: bool,
    /// The session has subscribed before. `since` is allowed only the first time.
    pub subscribed_once: bool,
    /// In which second of the heartbeat's period the session is sent its heartbeat.
    pub beat: u64,
    /// Ticks since `behind` was set.
    pub behind_ticks: u32,
    /// Number of the hub's status that it was last sent.
    pub status_sent: u64,
    channels: BTreeSet<Channel>,
}

impl Session {
    /// A session that follows nothing.
    pub fn new(id: SessionId, outbox: Outbox, backlog: Arc<Backlog>, address: IpAddr) -> Self {
        Self {
            id,
            outbox,
            backlog,
            address,
            who: None,
            scope_slot: 0,
            flow: Flow::Off,
            behind: false,
            lost_answer: false,
            subscribed_once: false,
            beat: 0,
            behind_ticks: 0,
            status_sent: 0,
            channels: BTreeSet::new(),
        }
    }

    pub fn channels(&self) -> &BTreeSet<Channel> {
        &self.channels
    }

    /// True if the session follows every update.
    pub fn follows_all(&self) -> bool {
        self.channels.contains(&Channel::Updates)
    }

    /// True if the session follows a channel that has updates.
    pub fn follows_updates(&self) -> bool {
        !self.channels.iter().all(Channel::is_state)
    }

    /// The user; `None` until the session is signed in.
    pub fn who(&self) -> Option<&SessionUser> {
        self.who.as_ref()
    }

    /// The session's scope with its index among the scopes in use; `None` until the session is signed in.
    pub fn scope(&self) -> Option<(usize, &Arc<Scope>)> {
        self.who.as_ref().map(|who| (self.scope_slot, &who.scope))
    }

    /// True if the session's scope has this hash.
    pub fn is_seen_by(&self, scope: &str) -> bool {
        self.who.as_ref().is_some_and(|who| who.scope.hash() == scope)
    }

    /// The event as the session sees it; `None` if it does not follow or may not see it.
    pub fn would_get(&self, event: &Recorded) -> Option<ByteString> {
        let (_, scope) = self.scope()?;
        if event.is_on(&self.channels) { event.seen_by(scope) } else { None }
    }
}

#[derive(Default)]
pub struct Sessions {
    // Dense, because the fan-out walks all of it for every commit.
    dense: Vec<Session>,
    index: HashMap<SessionId, usize>,
    /// Which sessions follow each channel.
    followers: HashMap<Channel, HashSet<SessionId>>,
    by_address: HashMap<IpAddr, usize>,
    /// Scopes in use, with the number of their sessions. `None` is a free slot.
    scopes: Vec<Option<(Arc<Scope>, usize)>>,
    joined: u64,
}

impl Sessions {
    pub fn len(&self) -> usize {
        self.dense.len()
    }

    /// Number of sessions from this address.
    pub fn count_at_address(&self, address: IpAddr) -> usize {
        self.by_address.get(&address).copied().unwrap_or(0)
    }

    /// Adds a session. Heartbeats of sessions that connect together are spread over the heartbeat's
    /// period.
    pub fn join(&mut self, mut session: Session) {
        self.joined += 1;
        session.beat = self.joined % HEARTBEAT_SECONDS;
        *self.by_address.entry(session.address).or_default() += 1;
        self.index.insert(Arc::clone(&session.id), self.dense.len());
        self.dense.push(session);
    }

    /// Removes a session. Returns false if it was not known.
    pub fn leave(&mut self, id: &SessionId) -> bool {
        let Some(at) = self.index.remove(id) else { return false };
        let session = self.dense.swap_remove(at);
        if let Some(moved) = self.dense.get(at) {
            self.index.insert(Arc::clone(&moved.id), at);
        }
        for channel in &session.channels {
            self.forget_follower(channel, id);
        }
        if session.who.is_some() {
            self.release_scope(session.scope_slot);
        }
        if let Some(count) = self.by_address.get_mut(&session.address) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&session.address);
            }
        }
        true
    }

    /// Notes the user of a session. Returns true if it had another scope before.
    pub fn sign_in(&mut self, id: &SessionId, mut who: SessionUser) -> bool {
        let Some(at) = self.index.get(id).copied() else { return false };
        let slot = self.use_scope(&mut who.scope);
        let Some(session) = self.dense.get_mut(at) else { return false };
        let before = session.who.replace(who).map(|_| std::mem::replace(&mut session.scope_slot, slot));
        session.scope_slot = slot;
        if let Some(before) = before {
            self.release_scope(before);
        }
        before.is_some_and(|before| before != slot)
    }

    /// The index of a scope in use. Equal scopes are stored once.
    fn use_scope(&mut self, scope: &mut Arc<Scope>) -> usize {
        let known =
            self.scopes.iter().position(|known| known.as_ref().is_some_and(|(known, _)| known == scope));
        if let Some(slot) = known {
            if let Some(Some((known, count))) = self.scopes.get_mut(slot) {
                *count += 1;
                *scope = Arc::clone(known);
            }
            return slot;
        }
        let entry = Some((Arc::clone(scope), 1));
        if let Some(free) = self.scopes.iter().position(Option::is_none) {
            self.scopes[free] = entry;
            return free;
        }
        self.scopes.push(entry);
        self.scopes.len() - 1
    }

    fn release_scope(&mut self, slot: usize) {
        let Some(place) = self.scopes.get_mut(slot) else { return };
        if let Some((_, count)) = place {
            *count -= 1;
            if *count == 0 {
                *place = None;
            }
        }
    }

    /// Number of slots for scopes, used or free.
    pub fn scope_count(&self) -> usize {
        self.scopes.len()
    }

    pub fn get(&self, id: &SessionId) -> Option<&Session> {
        self.index.get(id).and_then(|at| self.dense.get(*at))
    }

    pub fn get_mut(&mut self, id: &SessionId) -> Option<&mut Session> {
        self.index.get(id).and_then(|at| self.dense.get_mut(*at))
    }

    pub fn iter(&self) -> impl Iterator<Item = &Session> {
        self.dense.iter()
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Session> {
        self.dense.iter_mut()
    }

    /// Adds channels. Returns false, and adds none, if that would exceed the limit.
    pub fn follow(&mut self, id: &SessionId, channels: &[Channel]) -> bool {
        let Some(at) = self.index.get(id).copied() else { return false };
        let Some(session) = self.dense.get_mut(at) else { return false };
        let added = channels.iter().filter(|channel| !session.channels.contains(channel)).count();
        if session.channels.len() + added > CHANNELS_PER_SESSION_MAX {
            return false;
        }
        session.subscribed_once = true;
        session.channels.extend(channels.iter().cloned());
        for channel in channels {
            self.followers.entry(channel.clone()).or_default().insert(Arc::clone(id));
        }
        true
    }

    /// Removes channels, or all if `None`. Returns those that were followed.
    pub fn unfollow(&mut self, id: &SessionId, channels: Option<&[Channel]>) -> Vec<Channel> {
        let Some(session) = self.get_mut(id) else { return Vec::new() };
        let gone: Vec<Channel> = match channels {
            None => std::mem::take(&mut session.channels).into_iter().collect(),
            Some(channels) => {
                let known = channels.iter().filter(|channel| session.channels.remove(*channel));
                known.cloned().collect()
            }
        };
        for channel in &gone {
            self.forget_follower(channel, id);
        }
        gone
    }

    fn forget_follower(&mut self, channel: &Channel, id: &SessionId) {
        if let Some(followers) = self.followers.get_mut(channel) {
            followers.remove(id);
            if followers.is_empty() {
                self.followers.remove(channel);
            }
        }
    }

    pub fn followers(&self, channel: &Channel) -> Vec<SessionId> {
        self.followers.get(channel).into_iter().flatten().cloned().collect()
    }

    pub fn nobody_follows(&self, channel: &Channel) -> bool {
        !self.followers.contains_key(channel)
    }

    /// The sessions that follow an event of a batch through one of the event's own channels.
    pub fn selections(&self, events: &[Arc<Recorded>]) -> HashSet<SessionId> {
        if !self.any_selective() {
            return HashSet::new();
        }
        let channels = events.iter().flat_map(|event| event.channels());
        channels.filter_map(|channel| self.followers.get(&channel)).flatten().cloned().collect()
    }

    /// True if any session follows a single chat, contact or the like, so that selections are worth
    /// computing.
    fn any_selective(&self) -> bool {
        self.followers.keys().any(|channel| *channel != Channel::Updates && !channel.is_state())
    }
}
