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

use super::socket_queue::SocketQueue;
use crate::hub::{Dispatch, Outbox, SlotId};

/// Sockets that are written to before the worker does its other work: less than half a millisecond.
const SOCKETS_AT_ONCE: usize = 64;

/// The sockets of one worker.
#[derive(Default)]
pub struct WorkerSockets {
    slots: RefCell<Slots>,
    /// Started with the first session, because before that the worker has no actix system.
    fan_out: OnceCell<Arc<Recipient<Dispatch>>>,
}

#[derive(Default)]
struct Slots {
    sockets: Vec<Option<(u32, Rc<SocketQueue>)>>,
    free: Vec<u32>,
    /// Number of sockets added so far. Tells apart those that used the same slot.
    generation: u32,
}

impl Slots {
    fn get(&self, id: SlotId) -> Option<&Rc<SocketQueue>> {
        let (generation, queue) = self.sockets.get(id.slot as usize)?.as_ref()?;
        (*generation == id.generation).then_some(queue)
    }
}

impl WorkerSockets {
    /// Adds a socket, and returns how the hub reaches it.
    pub fn add(self: &Rc<Self>, queue: Rc<SocketQueue>) -> (SlotId, Outbox) {
        let mut slots = self.slots.borrow_mut();
        slots.generation = slots.generation.wrapping_add(1);
        let entry = Some((slots.generation, queue));
        let slot = if let Some(slot) = slots.free.pop() {
            slots.sockets[slot as usize] = entry;
            slot
        } else {
            slots.sockets.push(entry);
            // No worker has that many connections.
            u32::try_from(slots.sockets.len() - 1).unwrap_or(u32::MAX)
        };
        let id = SlotId { slot, generation: slots.generation };
        let start = || {
            let fan_out = WorkerFanOut::create(|ctx| {
                // Unlimited, because the backlog of each session bounds what the hub sends it. Set at once: the
                // hub may send to many sockets before this actor has its first turn.
                ctx.set_mailbox_capacity(0);
                WorkerFanOut { sockets: Rc::clone(self), due: VecDeque::new() }
            });
            Arc::new(fan_out.recipient())
        };
        (id, Outbox::Worker { worker: Arc::clone(self.fan_out.get_or_init(start)), slot: id })
    }

    /// Removes a socket. What is still on its way to it is dropped.
    pub fn remove(&self, id: SlotId) {
        let mut slots = self.slots.borrow_mut();
        if slots.get(id).is_some() {
            slots.sockets[id.slot as usize] = None;
            slots.free.push(id.slot);
        }
    }
}

/// Receives what the hub sends to the sessions of one worker.
struct WorkerFanOut {
    sockets: Rc<WorkerSockets>,
    /// Sockets that have something to write.
    due: VecDeque<Rc<SocketQueue>>,
}

impl Actor for WorkerFanOut {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.spawn(WriteOut);
    }
}

impl Handler<Dispatch> for WorkerFanOut {
    type Result = ();

    fn handle(&mut self, dispatch: Dispatch, _: &mut Self::Context) {
        let slots = self.sockets.slots.borrow();
        for queue in dispatch.slots.iter().filter_map(|id| slots.get(*id)) {
            if queue.take(&dispatch.deliver) {
                self.due.push_back(Rc::clone(queue));
            }
        }
    }
}

/// Writes what is due whenever the actor has taken all messages, so that what came together goes out together.
struct WriteOut;

impl ActorFuture<WorkerFanOut> for WriteOut {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        fan_out: &mut WorkerFanOut,
        _: &mut Context<WorkerFanOut>,
        cx: &mut task::Context<'_>,
    ) -> Poll<()> {
        for _ in 0..SOCKETS_AT_ONCE {
            let Some(queue) = fan_out.due.pop_front() else { return Poll::Pending };
            queue.write_out();
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_rt::test]
    async fn what_was_meant_for_an_earlier_socket_in_a_slot_finds_nobody() {
        let sockets = Rc::<WorkerSockets>::default();
        let (first, _) = sockets.add(Rc::default());
        let (other, _) = sockets.add(Rc::default());
        sockets.remove(first);
        let (second, _) = sockets.add(Rc::default());
        assert_eq!((second.slot, other.slot == second.slot), (first.slot, false), "slots are used again");
        let slots = sockets.slots.borrow();
        assert!(slots.get(first).is_none());
        assert!(slots.get(second).is_some() && slots.get(other).is_some());
        drop(slots);
        sockets.remove(first);
        assert!(sockets.slots.borrow().get(second).is_some(), "whoever left long ago takes nobody along");
    }
}
