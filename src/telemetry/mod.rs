//! What the hub tells of itself: the clock it reads, the metrics it keeps.

pub mod clock;
pub mod metrics;
