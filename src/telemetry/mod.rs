//! What the hub tells of itself: the clock it reads, the metrics it keeps, the state of its database.

pub mod clock;
pub mod integrity;
pub mod metrics;
pub mod priority;
