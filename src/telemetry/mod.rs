//! What the hub says about itself: the clock it reads, how it logs errors, its metrics, and the state of its
//! database.

pub mod clock;
pub mod causes;
pub mod log_format;
pub mod integrity;
mod maker;
pub mod metrics;
pub mod freshness;
pub mod by_minute;
pub mod backups;
pub mod priority;
