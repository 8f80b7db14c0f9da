//! What every room needs of SQLite: opening files, locking them, keeping them private, and telling kinds of
//! faults apart.

pub mod files;
pub mod watch;
pub mod private;
pub mod lock;
pub mod fault;
pub mod open;
pub mod checkpoint;

pub use fault::{DbError, kind_of};
