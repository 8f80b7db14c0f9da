//! Questions to the index of words.
//!
//! # Contract
//!
//! 1. **Honest.** An answer says up to which position the index had everything
//!    ([`Reached`](crate::derived::search::Reached)), and waits for a position at most [`index::SEARCH_WAIT`].
//! 2. What is found is looked at again in the database: a scope, a mask or a newer text decides there.

pub mod index;
mod wanted;
mod highlight;
mod find;
#[cfg(test)]
mod tests;

pub use find::{Found, Kinds, Search};
pub use index::SearchReads;
pub use wanted::Wanted;
