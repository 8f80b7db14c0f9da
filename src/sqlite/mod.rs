//! What every room needs of SQLite: its files, who may use and read them, and which faults an error stands for.

pub mod files;
pub mod watch;
pub mod private;
pub mod lock;
pub mod fault;
pub mod open;
pub mod checkpoint;

pub use fault::{DbError, kind_of};
