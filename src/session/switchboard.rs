//! The actor through which the hub reaches all sessions of one worker. It gets one message for a commit, and
//! writes to the sockets one after the other, some at a time.

use std::cell::{OnceCell, RefCell};
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task;
use std::task::Poll;

use actix::fut::ActorFuture;
use actix::prelude::*;

use super::line::Line;
use crate::hub::{Dispatch, Outbox, SlotId};

/// Sockets that are written to before the worker does its other work: less than half a millisecond.
const LINES_AT_ONCE: usize = 64;

/// The sockets of one worker.
#[derive(Default)]
pub struct Lines {
    places: RefCell<Places>,
    /// Started with the first session, because before that the worker has no actix system.
    switchboard: OnceCell<Arc<Recipient<Dispatch>>>,
}

#[derive(Default)]
struct Places {
    lines: Vec<Option<(u32, Rc<Line>)>>,
    free: Vec<u32>,
    /// Number of sockets added so far. Tells apart those that used the same slot.
    generation: u32,
}

impl Places {
    fn get(&self, id: SlotId) -> Option<&Rc<Line>> {
        let (generation, line) = self.lines.get(id.slot as usize)?.as_ref()?;
        (*generation == id.generation).then_some(line)
    }
}

impl Lines {
    /// Adds a socket, and returns how the hub reaches it.
    pub fn add(self: &Rc<Self>, line: Rc<Line>) -> (SlotId, Outbox) {
        let mut places = self.places.borrow_mut();
        places.generation = places.generation.wrapping_add(1);
        let entry = Some((places.generation, line));
        let slot = if let Some(slot) = places.free.pop() {
            places.lines[slot as usize] = entry;
            slot
        } else {
            places.lines.push(entry);
            // No worker has that many connections.
            u32::try_from(places.lines.len() - 1).unwrap_or(u32::MAX)
        };
        let id = SlotId { slot, generation: places.generation };
        let start = || {
            let switchboard = Switchboard::create(|ctx| {
                // Unlimited, because the backlog of each session bounds what the hub sends it. Set at once: the
                // hub may send to many sockets before this actor has its first turn.
                ctx.set_mailbox_capacity(0);
                Switchboard { lines: Rc::clone(self), due: VecDeque::new() }
            });
            Arc::new(switchboard.recipient())
        };
        (id, Outbox::Worker { worker: Arc::clone(self.switchboard.get_or_init(start)), slot: id })
    }

    /// Removes a socket. What is still on its way to it is dropped.
    pub fn remove(&self, id: SlotId) {
        let mut places = self.places.borrow_mut();
        if places.get(id).is_some() {
            places.lines[id.slot as usize] = None;
            places.free.push(id.slot);
        }
    }
}

/// Receives what the hub sends to the sessions of one worker.
struct Switchboard {
    lines: Rc<Lines>,
    /// Sockets that have something to write.
    due: VecDeque<Rc<Line>>,
}

impl Actor for Switchboard {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.spawn(WriteOut);
    }
}

impl Handler<Dispatch> for Switchboard {
    type Result = ();

    fn handle(&mut self, dispatch: Dispatch, _: &mut Self::Context) {
        let places = self.lines.places.borrow();
        for line in dispatch.slots.iter().filter_map(|id| places.get(*id)) {
            if line.take(&dispatch.deliver) {
                self.due.push_back(Rc::clone(line));
            }
        }
    }
}

/// Writes what is due whenever the actor has taken all messages, so that what came together goes out together.
struct WriteOut;

impl ActorFuture<Switchboard> for WriteOut {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        switchboard: &mut Switchboard,
        _: &mut Context<Switchboard>,
        cx: &mut task::Context<'_>,
    ) -> Poll<()> {
        for _ in 0..LINES_AT_ONCE {
            let Some(line) = switchboard.due.pop_front() else { return Poll::Pending };
            line.write_out();
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_rt::test]
    async fn what_was_meant_for_an_earlier_line_at_a_place_finds_nobody() {
        let lines = Rc::<Lines>::default();
        let (first, _) = lines.add(Rc::default());
        let (other, _) = lines.add(Rc::default());
        lines.remove(first);
        let (second, _) = lines.add(Rc::default());
        assert_eq!((second.slot, other.slot == second.slot), (first.slot, false), "places are used again");
        let places = lines.places.borrow();
        assert!(places.get(first).is_none());
        assert!(places.get(second).is_some() && places.get(other).is_some());
        drop(places);
        lines.remove(first);
        assert!(lines.places.borrow().get(second).is_some(), "whoever left long ago takes nobody along");
    }
}
