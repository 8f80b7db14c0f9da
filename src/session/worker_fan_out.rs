//! The actor through which the hub reaches all sessions of one worker. It gets one message for a commit, and
//! writes to the sockets one after the other, some at a time.

use std::cell::{OnceCell, RefCell};
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task;
use std::task::Poll;
use std::time::Instant;

use actix::fut::ActorFuture;
use actix::prelude::*;

use super::socket_queue::SocketQueue;
use crate::hub::{Dispatch, Outbox, Outgoing, SlotId};
use crate::telemetry::metrics::Metrics;

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
    pub fn add(self: &Rc<Self>, queue: Rc<SocketQueue>, metrics: &Metrics) -> (SlotId, Outbox) {
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
                WorkerFanOut {
                    sockets: Rc::clone(self),
                    due: VecDeque::new(),
                    written: 0,
                    measured: VecDeque::new(),
                    metrics: metrics.clone(),
                }
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
    /// Sockets that were taken out of `due` so far.
    written: u64,
    /// Commits on their way to sockets that are due, the oldest first.
    measured: VecDeque<Measured>,
    metrics: Metrics,
}

/// Updates of one commit whose way to the sockets is measured.
struct Measured {
    durable_at: Instant,
    updates: usize,
    /// They are out when so many sockets are written to.
    out_at: u64,
}

impl WorkerFanOut {
    /// Measures updates that were just queued. Other sessions of the worker may get the same commit in another view: it
    /// is measured once, up to the last of them.
    fn measure(&mut self, frames: &Outgoing) {
        let Outgoing::Updates(batch) = frames else { return };
        let Some(durable_at) = batch.durable_at().filter(|_| !self.due.is_empty()) else { return };
        let (updates, out_at) = (batch.frames().len(), self.written + self.due.len() as u64);
        match self.measured.back_mut().filter(|last| last.durable_at == durable_at) {
            Some(last) => {
                last.updates = last.updates.max(updates);
                last.out_at = out_at;
            }
            None => self.measured.push_back(Measured { durable_at, updates, out_at }),
        }
    }

    fn count_measured(&mut self) {
        while let Some(out) = self.measured.pop_front_if(|measured| measured.out_at <= self.written) {
            self.metrics.freshness().pushed(out.updates, out.durable_at.elapsed());
        }
    }
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
        drop(slots);
        self.measure(&dispatch.deliver.frames);
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
            let Some(queue) = fan_out.due.pop_front() else {
                fan_out.count_measured();
                return Poll::Pending;
            };
            queue.write_out();
            fan_out.written += 1;
        }
        fan_out.count_measured();
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_rt::test]
    async fn what_was_meant_for_an_earlier_socket_in_a_slot_finds_nobody() {
        let (sockets, metrics) = (Rc::<WorkerSockets>::default(), Metrics::new().unwrap());
        let (first, _) = sockets.add(Rc::default(), &metrics);
        let (other, _) = sockets.add(Rc::default(), &metrics);
        sockets.remove(first);
        let (second, _) = sockets.add(Rc::default(), &metrics);
        assert_eq!((second.slot, other.slot == second.slot), (first.slot, false), "slots are used again");
        let slots = sockets.slots.borrow();
        assert!(slots.get(first).is_none());
        assert!(slots.get(second).is_some() && slots.get(other).is_some());
        drop(slots);
        sockets.remove(first);
        assert!(sockets.slots.borrow().get(second).is_some(), "whoever left long ago takes nobody along");
    }
}
