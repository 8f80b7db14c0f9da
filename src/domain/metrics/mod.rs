//! The metrics of a support team, as pure rules over one chat's timeline and messages. `docs/metrics.md`
//! defines them.

pub mod metric;
pub mod history;
pub mod cycles;
pub mod facts;
pub mod live;
pub mod spread;
#[cfg(test)]
mod tests;

pub use facts::{Fact, facts};
pub use history::{History, Said, Speaker, StateEntry};
pub use live::{Live, live};
pub use metric::Metric;
pub use spread::Spread;

/// Version of the rules. When it changes, all facts are computed again.
pub const DEFINITION: u32 = 3;
