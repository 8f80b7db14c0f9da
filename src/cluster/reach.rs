//! A client that comes from another hub names a position which this hub may not have reached yet. Here that is waited
//! for.

use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::timeout;

use super::state::ClusterState;
use crate::domain::Seq;

/// How long it is waited for. A hub that is further behind is not ready soon after.
pub const POSITION_WAIT_MAX: Duration = Duration::from_secs(2);

/// Where a position can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// This hub has it.
    Here,
    /// The stream has it, or may have it: another hub can go on from there.
    Elsewhere,
    /// The stream does not have it.
    Nowhere,
}

/// Waits until this hub has published the position, for at most [`POSITION_WAIT_MAX`]. False if it has not by then.
pub async fn is_published(mut newest: watch::Receiver<Seq>, position: i64) -> bool {
    matches!(timeout(POSITION_WAIT_MAX, newest.wait_for(|newest| newest.0 >= position)).await, Ok(Ok(_)))
}

/// The same, and where the position can be found otherwise.
pub async fn reach(newest: watch::Receiver<Seq>, position: i64, cluster: &ClusterState) -> Reached {
    let asked = Instant::now();
    if is_published(newest, position).await {
        Reached::Here
    } else if cluster.may_have(position, asked) {
        Reached::Elsewhere
    } else {
        Reached::Nowhere
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_position_is_nowhere_only_if_the_stream_was_seen_to_end_before_it() {
        let cluster = ClusterState::new("a", "hub");
        let (publish, newest) = watch::channel(Seq(5));
        assert_eq!(reach(newest.clone(), 5, &cluster).await, Reached::Here);
        assert_eq!(reach(newest.clone(), 6, &cluster).await, Reached::Elsewhere, "nothing is known");
        cluster.note_newest(6);
        cluster.note_looked(Instant::now() + Duration::from_mins(1));
        assert_eq!(reach(newest.clone(), 6, &cluster).await, Reached::Elsewhere);
        assert_eq!(reach(newest.clone(), 7, &cluster).await, Reached::Nowhere);
        publish.send_replace(Seq(7));
        assert_eq!(reach(newest, 7, &cluster).await, Reached::Here);
    }
}
