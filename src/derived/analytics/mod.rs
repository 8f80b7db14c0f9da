//! The facts behind the metrics. They are kept beside the journal and outside of its transactions, so they do
//! not slow down deliveries.
//!
//! # Contract
//!
//! 1. **Derived.** They are in a file of their own. If it is lost, damaged, or of another definition,
//!    calendar or epoch, it is built again from what the journal keeps for good.
//! 2. **In step.** The position is stored in the transaction of the facts, so what a reader sees is complete
//!    up to it.
//! 3. **Equal.** The rows are the same whether they were followed delivery by delivery or built at once.

pub mod file;
pub mod load;
pub mod rows;
pub mod segments;
pub mod seal;
pub mod spans;
pub mod intervals;
pub mod project;
pub mod follow;

pub use file::Progress;
pub use follow::FactStore;
