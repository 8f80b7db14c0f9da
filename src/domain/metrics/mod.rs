//! The metrics of a support team, as pure rules over one chat's timeline and messages. What each means is written in
//! `docs/metrics.md`.

pub mod metric;
pub mod history;
pub mod cycles;
pub mod facts;
pub mod live;
pub mod spread;
#[cfg(test)]
mod tests;

pub use facts::{Fact, facts};
pub use history::{Entry, History, Said, Speaker};
pub use live::{Live, live};
pub use metric::Metric;
pub use spread::Spread;

/// The version of the rules: another number, and history is computed anew.
pub const DEFINITION: u32 = 2;
