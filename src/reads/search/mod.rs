//! Questions to the search index.
//!
//! # Contract
//!
//! 1. **Honest.** An answer says up to which position the index had followed the journal
//!    ([`IndexProgress`](crate::derived::search::IndexProgress)). A search waits for that at most [`index::SEARCH_WAIT`].
//! 2. Matches are checked in the database, where scope, masks and newer texts decide.

pub mod index;
mod wanted;
mod highlight;
mod find;
#[cfg(test)]
mod tests;

pub use find::{Kinds, Search};
pub use index::SearchReads;
pub use wanted::Wanted;
