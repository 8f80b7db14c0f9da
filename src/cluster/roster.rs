//! What the hubs of a cluster told of themselves, and which of them still count.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// A hub that has told nothing for so long counts as not ready.
pub const SILENT_MAX: Duration = Duration::from_secs(15);
/// A hub that has told nothing for so long is no longer listed.
pub const FORGOTTEN_AFTER: Duration = Duration::from_mins(1);

/// What a hub tells of itself. Hubs of another release may leave out or add some of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PeerTold {
    /// Where it gives copies of its database; `None` if it gives none.
    pub url: Option<String>,
    pub applied: i64,
    pub version: String,
    pub ready: bool,
    pub lag_seconds: u64,
    pub inbox: u64,
    pub duties: bool,
    pub sessions: u64,
    pub halted: Option<String>,
    /// The record that it stands at, where one halts it.
    pub halted_at: Option<i64>,
    /// It ends now, and is not waited for.
    pub leaving: bool,
    /// Names the run of the hub, so that two hubs with one name are told apart.
    pub boot: Option<String>,
    /// The revision of what this run told first: the smaller one began earlier.
    pub since: Option<u64>,
    /// The newest rules by which it can apply records.
    pub rules: u32,
}

/// Another hub of the cluster, as it told of itself last.
#[derive(Debug, Clone)]
pub struct Peer {
    pub node: String,
    pub told: PeerTold,
    /// Grows whenever it tells anything.
    pub revision: u64,
    /// When that was first seen here, so that no two clocks are compared.
    pub heard: Instant,
}

impl Peer {
    /// True if it was in step a short while ago.
    pub fn is_ready(&self) -> bool {
        self.told.ready && self.heard.elapsed() < SILENT_MAX
    }
}

/// The other hubs that were heard of lately.
#[derive(Debug, Default)]
pub struct Roster(Vec<Peer>);

impl Roster {
    /// Takes over what the hubs say now. One that says nothing stays for [`FORGOTTEN_AFTER`], one that leaves goes at
    /// once.
    pub fn note(&mut self, now_told: Vec<Peer>, now: Instant) {
        for peer in now_told {
            match self.0.iter_mut().find(|known| known.node == peer.node) {
                Some(known) if known.revision == peer.revision => {}
                Some(known) => *known = peer,
                None => self.0.push(peer),
            }
        }
        self.0
            .retain(|peer| !peer.told.leaving && now.saturating_duration_since(peer.heard) < FORGOTTEN_AFTER);
        self.0.sort_by(|one, other| one.node.cmp(&other.node));
    }

    pub fn peers(&self) -> &[Peer] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(node: &str, revision: u64, heard: Instant, leaving: bool) -> Peer {
        let told = PeerTold { ready: true, leaving, ..PeerTold::default() };
        Peer { node: node.to_owned(), told, revision, heard }
    }

    #[test]
    fn a_hub_that_is_silent_is_listed_for_a_minute_and_one_that_leaves_no_longer() {
        let (mut roster, begun) = (Roster::default(), Instant::now());
        let after = |seconds| begun + Duration::from_secs(seconds);
        let names = |roster: &Roster| {
            roster.peers().iter().map(|peer| peer.node.clone()).collect::<Vec<_>>().join(" ")
        };
        roster.note(vec![peer("c", 2, begun, false), peer("b", 1, begun, false)], begun);
        assert_eq!(names(&roster), "b c");
        // The same words again are not news.
        let again = vec![peer("b", 1, after(59), false), peer("c", 3, after(59), false)];
        roster.note(again, after(59));
        assert_eq!(names(&roster), "b c");
        roster.note(Vec::new(), after(60));
        assert_eq!(names(&roster), "c");
        roster.note(vec![peer("c", 4, after(61), true)], after(61));
        assert_eq!(names(&roster), "");
    }

    #[test]
    fn a_hub_of_an_older_release_tells_less_and_is_understood() {
        let told: PeerTold =
            serde_json::from_str(r#"{"url":null,"applied":7,"version":"0.1.0","x":1}"#).unwrap();
        assert_eq!((told.applied, told.ready), (7, false));
    }
}
