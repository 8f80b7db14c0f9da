//! Who is connected and who follows what: plain data, so that the hub only has to send.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

use actix::Recipient;

use super::backlog::Backlog;
use super::messages::{Deliver, SessionId};
use crate::journal::{Recorded, Route};
use crate::protocol::{Channel, HEARTBEAT_SECONDS};

/// Channels that one session may follow.
pub const CHANNELS_PER_SESSION_MAX: usize = 200;

/// One connected socket.
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Where its frames go.
    pub outbox: Recipient<Deliver>,
    /// What is queued for it.
    pub backlog: Arc<Backlog>,
    /// The client's address.
    pub address: IpAddr,
    /// Signed in, or not in need of it.
    pub signed_in: bool,
    /// It has asked for channels before: `since` belongs to the first time.
    pub subscribed_once: bool,
    /// The second of the heartbeat's round in which it gets its own.
    pub beat: u64,
    /// Ticks since it fell behind.
    pub behind_ticks: u32,
    channels: BTreeSet<Channel>,
}

impl Session {
    /// A session that follows nothing yet.
    pub fn new(id: SessionId, outbox: Recipient<Deliver>, backlog: Arc<Backlog>, address: IpAddr) -> Self {
        Self {
            id,
            outbox,
            backlog,
            address,
            signed_in: false,
            subscribed_once: false,
            beat: 0,
            behind_ticks: 0,
            channels: BTreeSet::new(),
        }
    }

    /// What it follows.
    pub fn channels(&self) -> &BTreeSet<Channel> {
        &self.channels
    }

    /// It follows every update.
    pub fn follows_all(&self) -> bool {
        self.channels.contains(&Channel::Updates)
    }
}

/// All connected sockets.
#[derive(Default)]
pub struct Sessions {
    // Dense, because the fan-out walks all of it for every commit.
    dense: Vec<Session>,
    index: HashMap<SessionId, usize>,
    /// Followers of single chats, contacts, sectors and so on.
    followers: HashMap<Channel, HashSet<SessionId>>,
    by_address: HashMap<IpAddr, usize>,
    joined: u64,
}

impl Sessions {
    /// How many are connected.
    pub fn len(&self) -> usize {
        self.dense.len()
    }

    /// True where nobody is connected.
    pub fn is_empty(&self) -> bool {
        self.dense.is_empty()
    }

    /// How many are signed in.
    pub fn signed_in(&self) -> usize {
        self.dense.iter().filter(|session| session.signed_in).count()
    }

    /// How many come from this address.
    pub fn from_address(&self, address: IpAddr) -> usize {
        self.by_address.get(&address).copied().unwrap_or(0)
    }

    /// Takes a socket in; heartbeats of sockets that come together are spread over the round.
    pub fn join(&mut self, mut session: Session) {
        self.joined += 1;
        session.beat = self.joined % HEARTBEAT_SECONDS;
        *self.by_address.entry(session.address).or_default() += 1;
        self.index.insert(Arc::clone(&session.id), self.dense.len());
        self.dense.push(session);
    }

    /// Lets a socket go; false where it was not known.
    pub fn leave(&mut self, id: &SessionId) -> bool {
        let Some(at) = self.index.remove(id) else { return false };
        let session = self.dense.swap_remove(at);
        if let Some(moved) = self.dense.get(at) {
            self.index.insert(Arc::clone(&moved.id), at);
        }
        for channel in &session.channels {
            self.forget_follower(channel, id);
        }
        if let Some(count) = self.by_address.get_mut(&session.address) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&session.address);
            }
        }
        true
    }

    /// One session.
    pub fn get(&self, id: &SessionId) -> Option<&Session> {
        self.index.get(id).and_then(|at| self.dense.get(*at))
    }

    /// One session, to be changed.
    pub fn get_mut(&mut self, id: &SessionId) -> Option<&mut Session> {
        self.index.get(id).and_then(|at| self.dense.get_mut(*at))
    }

    /// Every session.
    pub fn iter(&self) -> impl Iterator<Item = &Session> {
        self.dense.iter()
    }

    /// Every session, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Session> {
        self.dense.iter_mut()
    }

    /// Adds channels; false, and nothing changes, where that would break the bound.
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

    /// Takes channels away, all where none are named; tells which were followed.
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

    /// The sessions that follow a channel.
    pub fn followers(&self, channel: &Channel) -> impl Iterator<Item = &Session> {
        self.followers.get(channel).into_iter().flatten().filter_map(|id| self.get(id))
    }

    /// True where nobody follows a channel.
    pub fn nobody_follows(&self, channel: &Channel) -> bool {
        !self.followers.contains_key(channel)
    }

    /// Which events of a batch each session gets that does not follow everything: each event once, in order.
    pub fn selections(&self, events: &[Recorded]) -> HashMap<SessionId, Vec<usize>> {
        let mut selections: HashMap<SessionId, Vec<usize>> = HashMap::new();
        for (at, event) in events.iter().enumerate() {
            let followers = channels_of(&event.route).filter_map(|channel| self.followers.get(&channel));
            for id in followers.flatten() {
                let selection = selections.entry(Arc::clone(id)).or_default();
                if selection.last() != Some(&at) {
                    selection.push(at);
                }
            }
        }
        selections
    }

    /// True where somebody follows single things, so that selections are worth computing.
    pub fn any_selective(&self) -> bool {
        self.followers.keys().any(|channel| {
            !matches!(channel, Channel::Updates | Channel::Stats | Channel::Presence | Channel::User(_))
        })
    }
}

/// The channels on which an update goes out, besides `updates`.
fn channels_of(route: &Route) -> impl Iterator<Item = Channel> {
    let chat = route.chat.iter().map(|id| Channel::Chat(id.clone()));
    let contacts = route.contacts.iter().map(|id| Channel::Contact(id.clone()));
    let sectors = route.sectors.iter().map(|id| Channel::Sector(id.to_string()));
    let members = route.members.iter().map(|id| Channel::Member(id.to_string()));
    let lines = route.channels.iter().map(|id| Channel::Line(id.to_string()));
    let tags = route.tags.iter().map(|id| Channel::Tag(id.to_string()));
    chat.chain(contacts).chain(sectors).chain(members).chain(lines).chain(tags)
}
