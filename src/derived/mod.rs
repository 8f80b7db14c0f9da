//! What follows the journal: the index of words, and the facts behind the metrics. Each lies in a file of its own that can
//! be lost, because it holds nothing that the journal does not hold.

pub mod follower;
pub mod own_file;
pub mod search;
pub mod analytics;
pub mod alert_posts;
