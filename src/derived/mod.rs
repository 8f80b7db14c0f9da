//! What follows the journal behind, each on a thread of its own: the index of words and the facts behind the metrics, in files
//! that can be lost because they hold nothing that the journal does not hold, and alerts that are posted elsewhere.

pub mod follower;
pub mod own_file;
pub mod search;
pub mod analytics;
pub mod alert_posts;
