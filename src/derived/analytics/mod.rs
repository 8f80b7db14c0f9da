//! The facts behind the metrics, kept beside the journal and never part of its transaction: taking deliveries in stays
//! as fast as it is.
//!
//! # Contract
//!
//! 1. **Derived.** A file of its own beside the database. Lost, damaged, of another definition, calendar or epoch, it is
//!    built again from what the journal keeps for good.
//! 2. **In step.** The position stands in the transaction of the facts: what a reader sees is complete up to it.
//! 3. **Equal.** Followed delivery by delivery or built at once, the rows are the same.

pub mod file;
pub mod load;
pub mod rows;
pub mod segments;
pub mod seal;
pub mod spans;
pub mod lived;
pub mod project;
pub mod follow;

pub use file::Progress;
pub use follow::Facts;
