//! The actor through which the hub reaches all sessions of one worker: one message for a commit, and the lines are
//! written one after the other, some at a time.

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

use super::line::Line;
use crate::hub::{Dispatch, LineId, Outbox, Outgoing};
use crate::telemetry::metrics::Metrics;

/// Lines that are written before the worker looks after its other work: less than half a millisecond.
const LINES_AT_ONCE: usize = 64;

/// The lines of one worker.
#[derive(Default)]
pub struct Lines {
    places: RefCell<Places>,
    /// Started with the first session: before that the worker has no system yet.
    switchboard: OnceCell<Arc<Recipient<Dispatch>>>,
}

#[derive(Default)]
struct Places {
    lines: Vec<Option<(u32, Rc<Line>)>>,
    free: Vec<u32>,
    /// Lines so far.
    serial: u32,
}

impl Places {
    fn get(&self, id: LineId) -> Option<&Rc<Line>> {
        let (serial, line) = self.lines.get(id.place as usize)?.as_ref()?;
        (*serial == id.serial).then_some(line)
    }
}

impl Lines {
    /// Adds a line, and tells how the hub reaches it.
    pub fn add(self: &Rc<Self>, line: Rc<Line>, metrics: &Metrics) -> (LineId, Outbox) {
        let mut places = self.places.borrow_mut();
        places.serial = places.serial.wrapping_add(1);
        let entry = Some((places.serial, line));
        let place = if let Some(place) = places.free.pop() {
            places.lines[place as usize] = entry;
            place
        } else {
            places.lines.push(entry);
            // No worker holds as many connections.
            u32::try_from(places.lines.len() - 1).unwrap_or(u32::MAX)
        };
        let id = LineId { place, serial: places.serial };
        let start = || {
            let switchboard = Switchboard::create(|ctx| {
                // The backlog of each session bounds what the hub sends it. From the beginning: the hub may send to many
                // lines before this actor has its first turn.
                ctx.set_mailbox_capacity(0);
                Switchboard {
                    lines: Rc::clone(self),
                    due: VecDeque::new(),
                    written: 0,
                    measured: VecDeque::new(),
                    metrics: metrics.clone(),
                }
            });
            Arc::new(switchboard.recipient())
        };
        (id, Outbox::Line { worker: Arc::clone(self.switchboard.get_or_init(start)), line: id })
    }

    /// Takes a line away; what is still on its way to it is for nobody.
    pub fn remove(&self, id: LineId) {
        let mut places = self.places.borrow_mut();
        if places.get(id).is_some() {
            places.lines[id.place as usize] = None;
            places.free.push(id.place);
        }
    }
}

/// Takes what the hub sends to the sessions of one worker.
struct Switchboard {
    lines: Rc<Lines>,
    /// Lines that have something to write.
    due: VecDeque<Rc<Line>>,
    /// Lines that were taken out of `due` so far.
    written: u64,
    /// Commits on their way to lines that are due, the oldest first.
    measured: VecDeque<Measured>,
    metrics: Metrics,
}

/// Updates of one commit whose way to the sockets is measured.
struct Measured {
    durable_at: Instant,
    updates: usize,
    /// They are out when so many lines are written.
    out_at: u64,
}

impl Switchboard {
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
        for line in dispatch.lines.iter().filter_map(|id| places.get(*id)) {
            if line.take(&dispatch.deliver) {
                self.due.push_back(Rc::clone(line));
            }
        }
        drop(places);
        self.measure(&dispatch.deliver.frames);
    }
}

/// Writes what is due, each time the actor has taken all messages: what came together goes out together.
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
            let Some(line) = switchboard.due.pop_front() else {
                switchboard.count_measured();
                return Poll::Pending;
            };
            line.write_out();
            switchboard.written += 1;
        }
        switchboard.count_measured();
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_rt::test]
    async fn what_was_meant_for_an_earlier_line_at_a_place_finds_nobody() {
        let (lines, metrics) = (Rc::<Lines>::default(), Metrics::new().unwrap());
        let (first, _) = lines.add(Rc::default(), &metrics);
        let (other, _) = lines.add(Rc::default(), &metrics);
        lines.remove(first);
        let (second, _) = lines.add(Rc::default(), &metrics);
        assert_eq!(
            (second.place, other.place == second.place),
            (first.place, false),
            "places are used again"
        );
        let places = lines.places.borrow();
        assert!(places.get(first).is_none());
        assert!(places.get(second).is_some() && places.get(other).is_some());
        drop(places);
        lines.remove(first);
        assert!(lines.places.borrow().get(second).is_some(), "whoever left long ago takes nobody along");
    }
}
