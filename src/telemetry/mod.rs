//! What the hub tells of itself: the clock it reads, how it logs errors, the metrics it keeps, the state of its database.

pub mod clock;
pub mod causes;
pub mod log_format;
pub mod integrity;
pub mod metrics;
pub mod freshness;
pub mod priority;
