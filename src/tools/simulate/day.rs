//! A believable working day, step by step. It is pure: one seed and one start always give the same bytes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::cast::{FIRST, LAST};
use super::chat::{SimChat, SimKind, stamp};

/// Most chats that are open at the same time, for a team of this size.
const OPEN_MAX: usize = 40;
/// Most closed chats that may be reopened.
const KNOWN_MAX: usize = 400;

/// One delivery, ready to be posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulatedDelivery {
    /// When the provider emits it.
    pub at: Timestamp,
    pub body: Vec<u8>,
    /// The number of the attempt, for the `x-attempt` header.
    pub attempt: u32,
}

/// A delivery that comes later. Ordered by time, then by number, so that the heap is deterministic.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Later {
    due: Timestamp,
    number: u64,
    body: Vec<u8>,
    attempt: u32,
}

/// A simulated day, up to the present step.
pub struct Day {
    pub(super) random: StdRng,
    pub(super) chats: Vec<SimChat>,
    later: BinaryHeap<Reverse<Later>>,
    number: u64,
    /// Deliveries of the present moment. They are posted before the time advances.
    ready: std::collections::VecDeque<SimulatedDelivery>,
}

impl Day {
    /// A day with this seed. The same seed with another start has other ids.
    pub fn new(seed: u64, start: Timestamp) -> Self {
        let start_seconds = u64::from_ne_bytes(start.as_second().to_ne_bytes());
        Self {
            random: StdRng::seed_from_u64(seed ^ start_seconds.rotate_left(32)),
            chats: Vec::new(),
            later: BinaryHeap::new(),
            number: 0,
            ready: std::collections::VecDeque::new(),
        }
    }

    /// The next delivery, as of `now`.
    pub fn step(&mut self, now: Timestamp) -> SimulatedDelivery {
        loop {
            if let Some(delivery) = self.ready.pop_front() {
                return delivery;
            }
            if self.later.peek().is_some_and(|Reverse(later)| later.due <= now)
                && let Some(Reverse(Later { body, attempt, .. })) = self.later.pop()
            {
                return SimulatedDelivery { at: now, body, attempt };
            }
            self.act(now);
        }
    }

    /// The deliveries that were emitted together with the one that [`Self::step`] returned last. Without this, later steps return
    /// them before anything else.
    pub fn rest_of_moment(&mut self) -> Vec<SimulatedDelivery> {
        self.ready.drain(..).collect()
    }

    /// A new id: an `ObjectId` in base64url. Its first four bytes are the second in which it was made.
    pub(super) fn id(&mut self, at: Timestamp) -> String {
        let mut bytes = self.random.random::<[u8; 12]>();
        let second = u32::try_from(at.as_second()).unwrap_or_default();
        bytes[..4].copy_from_slice(&second.to_be_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        self.random.random_range(0..end.max(1))
    }

    /// True in `percent` of 100 cases.
    pub(super) fn chance(&mut self, percent: u32) -> bool {
        self.random.random_range(0..100) < percent
    }

    /// One item of a list; `fallback` where the list is empty.
    pub(super) fn one_of<T: Copy>(&mut self, list: &[T], fallback: T) -> T {
        list.choose(&mut self.random).copied().unwrap_or(fallback)
    }

    fn wrap(&mut self, event_type: &str, at: Timestamp, payload_type: &str, content: &Value) -> Vec<u8> {
        let event_id = self.id(at);
        let body = json!({
            "Type": event_type,
            "EventDate": stamp(at + SignedDuration::from_millis(1_100)),
            "Payload": { "Type": payload_type, "Content": content },
            "EventId": event_id,
        });
        body.to_string().into_bytes()
    }

    /// Posts the present state of a chat.
    pub(super) fn emit(&mut self, event_type: &str, at: Timestamp, content: &Value) {
        let body = self.wrap(event_type, at, "Chat", content);
        if self.chance(3) {
            // The answer to the first attempt was lost: the provider tries again.
            self.push_later(at + SignedDuration::from_secs(5), body.clone(), 2);
        }
        self.ready.push_back(SimulatedDelivery { at, body, attempt: 1 });
    }

    /// Posts later what a chat looked like at `emitted_at`.
    pub(super) fn emit_later(
        &mut self,
        due: Timestamp,
        emitted_at: Timestamp,
        event_type: &str,
        content: &Value,
    ) {
        let body = self.wrap(event_type, emitted_at, "Chat", content);
        self.push_later(due, body, 1);
    }

    fn push_later(&mut self, due: Timestamp, body: Vec<u8>, attempt: u32) {
        self.number += 1;
        self.later.push(Reverse(Later { due, number: self.number, body, attempt }));
    }

    /// Posts a delivery of a type that the hub does not know.
    fn emit_unknown(&mut self, at: Timestamp, chat: usize) {
        let id = self.id(at);
        let rating = self.random.random_range(1..=5);
        let content = json!({ "_t": "ContactRatingModel", "Rating": rating, "Chat": { "Id": self.chats[chat].id }, "Id": id });
        let body = self.wrap("ChatRatingReceived", at, "ContactRating", &content);
        self.ready.push_back(SimulatedDelivery { at, body, attempt: 1 });
    }

    /// Lets one of the possible events happen.
    fn act(&mut self, now: Timestamp) {
        let open: Vec<usize> = (0..self.chats.len()).filter(|at| self.chats[*at].open).collect();
        if open.len() < 3 || open.len() < OPEN_MAX && self.chance(12) {
            return self.open_chat(now);
        }
        let chat = self.one_of(&open, 0);
        if self.chats[chat].kind != SimKind::Direct {
            return if self.chance(8) { self.close(chat, now) } else { self.group_message(chat, now) };
        }
        match self.random.random_range(0..1_000) {
            0..300 => self.customer_writes(chat, now),
            300..560 => self.agent_writes(chat, now),
            560..640 => self.transfer(chat, now),
            640..680 => self.change_sector(chat, now),
            680..730 => self.change_tags(chat, now),
            730..745 => self.change_privacy(chat, now),
            745..785 => self.note(chat, now),
            785..815 => self.react(chat, now),
            815..835 => self.edit(chat, now),
            835..855 => self.automated(chat, now),
            855..870 => self.external(chat, now),
            870..890 => self.bot_writes(chat, now),
            890..896 => self.emit_unknown(now, chat),
            _ => self.close(chat, now),
        }
    }

    fn open_chat(&mut self, now: Timestamp) {
        let closed: Vec<usize> = (0..self.chats.len()).filter(|at| !self.chats[*at].open).collect();
        if self.chats.len() >= KNOWN_MAX || !closed.is_empty() && self.chance(25) {
            // A former customer comes back. Only the `Open` of a message delivery shows that the chat is open
            // again.
            let chat = self.one_of(&closed, 0);
            let known = &mut self.chats[chat];
            (known.open, known.closed_at, known.owner) = (true, None, None);
            return self.customer_writes(chat, now);
        }
        let fresh = self.fresh_chat(now);
        self.chats.push(fresh);
        let chat = self.chats.len() - 1;
        if self.chats[chat].kind != SimKind::Direct {
            return self.group_message(chat, now);
        }
        if self.chance(50) {
            let content = self.chats[chat].content();
            self.emit("NewChat", now, &content);
        }
        self.customer_writes(chat, now);
        if self.chance(60) {
            self.bot_writes(chat, now);
        }
    }

    fn fresh_chat(&mut self, now: Timestamp) -> SimChat {
        let kind = match self.random.random_range(0..100) {
            0..5 => SimKind::Group,
            5..8 => SimKind::Internal,
            _ => SimKind::Direct,
        };
        let (first, last) = (self.one_of(&FIRST, "Ana"), self.one_of(&LAST, "Exemplo"));
        let name = match kind {
            SimKind::Direct => format!("{first} {last}"),
            SimKind::Group => format!("Condomínio {last}"),
            SimKind::Internal => format!("Equipe {first}"),
        };
        let phone = format!("+551190{:07}", self.random.random_range(0..10_000_000));
        let (id, contact_id) = (self.id(now), self.id(now));
        let (channel, sector) = (self.below(3), self.below(4));
        SimChat {
            id,
            contact_id,
            name,
            phone,
            kind,
            channel,
            sector,
            owner: None,
            last_owner: None,
            tags: Vec::new(),
            contact_tags: Vec::new(),
            open: true,
            private: false,
            waiting_since: None,
            bot: None,
            created_at: now,
            closed_at: None,
            active_at: now,
            last_message: Value::Null,
        }
    }
}
