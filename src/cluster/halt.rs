//! Why a hub applies nothing more of the stream, and until when.
//!
//! # Contract
//!
//! 1. A hub that is halted takes nothing from the stream and publishes nothing: deliveries go into its inbox.
//! 2. One that stands at a record which it cannot store still publishes, because another hub may be able to. It goes on once the record
//!    is stored, or skipped and the hub started again.
//! 3. The first reason stays, but that of a record which is tried again gives way to any other.

use super::state::ClusterState;
use crate::domain::Seq;

/// Why a hub applies nothing more.
#[derive(Debug, Clone)]
pub(super) struct Halted {
    pub why: String,
    /// The record that it stands at, where that is the reason.
    at: Option<Seq>,
    /// That record can be read, and it is tried again and again to store it. Others may be able to, so it is published as before.
    is_tried: bool,
}

impl ClusterState {
    /// Nothing more is taken from the stream until a person has done something.
    pub fn halt(&self, why: String) {
        self.stop(Halted { why, at: None, is_tried: false });
    }

    /// Nothing more is taken from the stream until an operator has this record skipped.
    pub fn halt_at(&self, position: Seq, what: &str) {
        self.stop(Halted { why: ways_out(position, what), at: Some(position), is_tried: false });
    }

    /// Nothing more is applied until this record can be stored, or an operator has it skipped.
    pub fn stand_at(&self, position: Seq, what: &str) {
        if !self.is_halted() {
            self.stop(Halted { why: ways_out(position, what), at: Some(position), is_tried: true });
        }
    }

    fn stop(&self, halted: Halted) {
        log::error!("this hub applies nothing more of the stream: {}", halted.why);
        let mut known = self.halted();
        if known.as_ref().is_none_or(|known| known.is_tried) {
            *known = Some(halted);
        }
        self.count_halted(true);
    }

    /// True where this hub is halted, and does not even try.
    pub fn takes_nothing(&self) -> bool {
        self.halted().as_ref().is_some_and(|halted| !halted.is_tried)
    }

    /// True if what this hub stored can be trusted: it is not halted, or only at a record that it cannot read.
    pub fn gives_copies(&self) -> bool {
        self.halted().as_ref().is_none_or(|halted| halted.at.is_some() && !halted.is_tried)
    }

    /// The record that this hub stands at, where one halts it.
    pub fn halted_at(&self) -> Option<Seq> {
        self.halted().as_ref().and_then(|halted| halted.at)
    }

    /// Goes on behind a record that halted this hub.
    pub fn resume_behind(&self, position: Seq) {
        let mut halted = self.halted();
        if halted.as_ref().is_some_and(|halted| halted.at == Some(position)) {
            log::warn!("the record at position {position} is skipped, as an operator decided");
            *halted = None;
            self.count_halted(false);
        }
    }

    /// A record that could not be stored is stored.
    pub(super) fn note_stored(&self, position: i64) {
        let mut halted = self.halted();
        if halted.as_ref().is_some_and(|halted| halted.is_tried && halted.at <= Some(Seq(position))) {
            log::info!("the record that this hub stood at is stored");
            *halted = None;
            self.count_halted(false);
        }
    }

    pub fn is_halted(&self) -> bool {
        self.halted().is_some()
    }
}

/// What an operator is told of a record that a hub stands at.
fn ways_out(position: Seq, what: &str) -> String {
    format!(
        "the record at position {position} {what}; if another hub goes on behind it, see docs/cluster.md; if all stand at it, \
         umbler-hub cluster skip {position} has them pass over it"
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_hub_that_is_halted_is_not_open_whatever_is_found_of_the_stream() {
        let state = ClusterState::new("a", "hub");
        state.note_connected(true);
        state.halt_at(Seq(7), "cannot be read");
        // A look at the stream that began before ends after it.
        state.note_identified(true);
        assert!(!state.is_open() && state.gives_copies());
        state.resume_behind(Seq(7));
        assert!(state.is_open());
        state.halt("it differs".to_owned());
        state.note_identified(true);
        assert!(!state.is_open() && !state.gives_copies());
    }

    #[test]
    fn a_hub_that_cannot_store_a_record_goes_on_publishing_and_is_halted_until_it_is_stored() {
        let state = ClusterState::new("a", "hub");
        state.note_connected(true);
        state.note_identified(true);
        state.stand_at(Seq(7), "cannot be stored");
        assert!(state.is_open() && state.is_halted() && !state.gives_copies());
        assert_eq!(state.halted_at(), Some(Seq(7)));
        state.note_applied(6);
        assert!(state.is_halted());
        state.note_applied(7);
        assert!(!state.is_halted() && state.cut_off_for() == Duration::ZERO);
        state.stand_at(Seq(8), "cannot be stored");
        state.halt("it differs".to_owned());
        state.note_applied(8);
        assert!(state.is_halted() && !state.is_open(), "the weightier reason stays");
    }
}
