//! The facts behind the metrics, kept beside the journal and never part of its transaction: taking deliveries in stays
//! as fast as it is.
//!
//! # Contract
//!
//! 1. **Derived.** A file of its own beside the database. Lost, damaged, of another definition, calendar or epoch, it is
//!    built anew from what the journal keeps for good.
//! 2. **In step.** The position stands in the transaction of the facts: what a reader sees is complete up to it.
//! 3. **Equal.** Followed delivery by delivery or built at once, the rows are the same.
//! 4. **Bounded.** A question waits for the newest position, at most [`handle::CATCH_UP_MAX`].

pub mod file;
pub mod load;
pub mod rows;
pub mod segments;
pub mod seal;
pub mod spans;
pub mod lived;
pub mod stab;
pub mod sums;
pub mod open_ids;
pub mod project;
pub mod handle;
pub mod ask;
pub mod scan;
pub mod table;
pub mod explain;
pub mod now;
pub mod by;
pub mod cells;
pub mod then;
pub mod trend;
pub mod board;
pub mod board_frame;

pub use ask::{Clock, Filter, Period, Progress};
pub use board::{MadeBoard, MakeBoard};
pub use by::{Dimension, LiveRow, LiveTable};
pub use explain::{Behind, Explain, ExplainNow, Explained};
pub use handle::MetricsHandle;
pub use now::{LiveField, LiveNow, LiveNumbers};
pub use open_ids::{OpenIds, OpenIdsThen};
pub use stab::Counts;
pub use sums::{SaidSince, SaidUntil, StoodThen, SumsThen};
pub use table::{Grouping, Key, TableRow, Tabulate, Tabulated};
pub use then::{ExplainThen, LiveThen, LivesThen, OpenThen, StoodOpen};
pub use trend::{Trend, Trended};

#[cfg(test)]
mod tests;
