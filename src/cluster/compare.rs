//! The hubs of a cluster tell each other the digests of their newest blocks, so that one whose state differs is found while it
//! runs: a damaged disk, a fault of memory, a database that somebody altered.
//!
//! # Contract
//!
//! 1. Blocks are compared if they end at the same position and were made by the same rules.
//! 2. The fewer are wrong: a hub against whom more hubs agree halts. Of as many on both sides, those halt that do not have the
//!    duties of the cluster. While that is not known, nobody halts.
//! 3. A hub that halts leaves a mark beside its database. Its next start gets a copy of another hub's, and does not use its own.
//! 4. It ends by itself once another hub that is ready gives copies. If a start got none, it does so again only after [`ANEW_AGAIN`].

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::{Client, Subscriber};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use super::settings::ClusterSettings;
use super::state::ClusterState;
use crate::domain::Seq;
use crate::journal::blocks;
use crate::journal::digest::hex;
use crate::sqlite::files::beside;
use crate::sqlite::open::DatabaseReader;
use crate::sqlite::private;

/// How often a hub tells its digests and compares those of others.
pub const TELL_EVERY: Duration = Duration::from_secs(5);
/// A hub that told nothing for so long is not compared.
const SILENT_MAX: Duration = Duration::from_secs(16);
/// Blocks that are told: hubs may be so many thousand positions apart and still be compared.
const BLOCKS_TOLD: usize = 8;
const CACHE_KIB: i64 = 256;
/// How long a hub stays that has got no copy when it started, before it ends to try it again. It takes deliveries meanwhile.
pub const ANEW_AGAIN: Duration = Duration::from_mins(10);
/// Ending of the mark beside a database that differs from those of other hubs.
const MARK_ENDING: &str = ".diverged";

/// What a hub tells of its newest blocks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ToldBlocks {
    node: String,
    /// True for the hub that has the duties.
    owner: bool,
    /// By the positions at which they begin and end, each with its digest.
    blocks: Vec<(Seq, Seq, String)>,
    rules: u32,
}

/// How a hub's blocks compare with those of others.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    Same,
    /// The block that begins here differs from that of this hub.
    Differs {
        first: Seq,
        node: String,
    },
    /// The same, and it is this hub that must halt.
    Wrong {
        first: Seq,
        node: String,
    },
}

impl Verdict {
    /// Where the first block begins that differs.
    fn first(&self) -> Option<Seq> {
        match self {
            Self::Same => None,
            Self::Differs { first, .. } | Self::Wrong { first, .. } => Some(*first),
        }
    }
}

/// Tells the other hubs what this one stored, and compares what they tell.
pub struct Comparing {
    pub client: Client,
    pub settings: ClusterSettings,
    pub state: ClusterState,
    pub database: PathBuf,
    /// Used on threads that may wait for the disk: the cluster's own thread must not.
    reader: Arc<Mutex<DatabaseReader>>,
    /// What others told last, and when.
    others: HashMap<String, (Instant, ToldBlocks)>,
    /// From then on the hub ends for a copy, because its database is marked; `None` while it is not.
    ends_from: Option<Instant>,
}

impl Comparing {
    pub fn new(client: Client, settings: ClusterSettings, state: ClusterState, database: PathBuf) -> Self {
        let reader = Arc::new(Mutex::new(DatabaseReader::new(database.clone(), CACHE_KIB)));
        let ends_from = marked(&database).map(|_mark| Instant::now() + ANEW_AGAIN);
        Self { client, settings, state, database, reader, others: HashMap::new(), ends_from }
    }

    /// Tells the digests of this hub every few seconds and compares those of others, for ever.
    pub async fn run(mut self) {
        let subject = self.settings.compared_subject();
        let mut told = match self.client.subscribe(subject.clone()).await {
            Ok(told) => told,
            Err(error) => return log::error!("what hubs stored is not compared: {error}"),
        };
        let mut ticks = interval(TELL_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.hear_until(&mut ticks, &mut told).await;
            if !self.state.is_open() {
                self.end_for_copy();
                continue;
            }
            let own = match self.own().await {
                Ok(own) => own,
                Err(error) => {
                    log::warn!("the digests of blocks cannot be read: {error}");
                    continue;
                }
            };
            match serde_json::to_vec(&own) {
                Ok(text) => {
                    if let Err(error) = self.client.publish(subject.clone(), text.into()).await {
                        log::debug!("the digests of blocks are not told: {error}");
                    }
                }
                Err(error) => log::error!("the digests of blocks are not told: {error}"),
            }
            self.judge(&own).await;
        }
    }

    /// Notes what others tell until it is time to tell again.
    async fn hear_until(&mut self, ticks: &mut Interval, told: &mut Subscriber) {
        loop {
            let message = tokio::select! {
                _ = ticks.tick() => return,
                message = told.next() => message,
            };
            let Some(message) = message else {
                ticks.tick().await;
                return;
            };
            match serde_json::from_slice::<ToldBlocks>(&message.payload) {
                Ok(told) if told.node != self.settings.node => {
                    self.others.insert(told.node.clone(), (Instant::now(), told));
                }
                Ok(_own) => {}
                Err(error) => log::debug!("another hub told no digests: {error}"),
            }
        }
    }

    /// A database that is marked is of no use any more, so the hub ends as soon as its next start can get another.
    fn end_for_copy(&self) {
        if self.settings.secret.is_none() || self.ends_from.is_none_or(|from| Instant::now() < from) {
            return;
        }
        let peers = self.state.peers();
        if let Some(peer) = peers.iter().find(|peer| peer.is_ready() && peer.told.url.is_some()) {
            log::error!("this hub ends, so that its next start gets a copy of the database of {}", peer.node);
            self.state.trust().end_to_begin_anew();
        }
    }

    async fn own(&self) -> Result<ToldBlocks, String> {
        let reader = Arc::clone(&self.reader);
        let read = move || {
            let mut reader = reader.lock().unwrap_or_else(PoisonError::into_inner);
            let newest =
                reader.connection().and_then(|connection| blocks::newest_first(connection, BLOCKS_TOLD));
            if newest.is_err() {
                reader.close();
            }
            newest.map_err(|error| error.to_string())
        };
        let newest = spawn_blocking(read).await.map_err(|error| error.to_string())??;
        let rules = self.state.trust().rules();
        let of_rules = newest.into_iter().filter(|block| block.rules == rules);
        Ok(ToldBlocks {
            node: self.settings.node.clone(),
            owner: self.state.is_owner(),
            blocks: of_rules.map(|block| (block.first, block.last, hex(&block.digest))).collect(),
            rules,
        })
    }

    async fn judge(&mut self, own: &ToldBlocks) {
        self.others.retain(|_, (at, _)| at.elapsed() < SILENT_MAX);
        let others: Vec<&ToldBlocks> = self.others.values().map(|(_, told)| told).collect();
        let verdict = judge(own, &others);
        self.state.trust().note_diverged(verdict.first());
        match verdict {
            Verdict::Same => {}
            Verdict::Differs { first, node } => log::error!(
                "what {node} stored from position {first} on is not what this hub stored; one of them will halt"
            ),
            Verdict::Wrong { first, node } => {
                let why = format!(
                    "what this hub stored from position {first} on is not what {node} stored; its next start gets a copy of \
                     another hub's database"
                );
                let (database, said) = (self.database.clone(), why.clone());
                let marked = spawn_blocking(move || mark(&database, first, &said)).await;
                match marked.unwrap_or_else(|ended| Err(std::io::Error::other(ended))) {
                    Ok(()) => self.ends_from = Some(Instant::now()),
                    Err(error) => log::error!("the database is not marked as one that differs: {error}"),
                }
                self.state.halt().begin(why);
            }
        }
    }
}

/// Compares what a hub stored with what others did.
fn judge(own: &ToldBlocks, others: &[&ToldBlocks]) -> Verdict {
    let mut verdict = Verdict::Same;
    for (first, last, digest) in &own.blocks {
        // Digests of this block, each with the hubs that have it, and whether one of them has the duties.
        let mut sides: BTreeMap<&str, (usize, bool, &str)> = BTreeMap::new();
        let mut compared = 0;
        for other in others.iter().filter(|other| other.rules == own.rules) {
            let same = other.blocks.iter().find(|block| (block.0, block.1) == (*first, *last));
            if let Some((_, _, theirs)) = same {
                compared += 1;
                let side = sides.entry(theirs.as_str()).or_insert((0, false, other.node.as_str()));
                *side = (side.0 + 1, side.1 || other.owner, side.2);
            }
        }
        let (agree, is_owners, _) = sides.remove(&**digest).unwrap_or_default();
        let (agree, is_owners) = (agree + 1, is_owners || own.owner);
        let unknown = others.len() - compared;
        for (count, has_owner, node) in sides.into_values() {
            let is_outvoted = count > agree + unknown;
            let is_second = count == agree && unknown == 0 && has_owner && !is_owners;
            if is_outvoted || is_second {
                return Verdict::Wrong { first: *first, node: node.to_owned() };
            }
            verdict = Verdict::Differs { first: *first, node: node.to_owned() };
        }
    }
    verdict
}

fn mark_of(database: &Path) -> PathBuf {
    beside(database, MARK_ENDING)
}

/// Marks a database that differs from those of other hubs.
fn mark(database: &Path, first: Seq, why: &str) -> std::io::Result<()> {
    let mark = mark_of(database);
    std::fs::write(&mark, format!("{first} {why}"))?;
    private::tighten(&mark);
    std::fs::File::open(&mark)?.sync_all()
}

/// From which position on a database differs from those of other hubs, and how that was said; `None` if nobody found it to differ.
pub fn marked(database: &Path) -> Option<(Seq, String)> {
    let text = std::fs::read_to_string(mark_of(database)).ok()?;
    let (first, why) = text.split_once(' ')?;
    Some((Seq(first.parse().ok()?), why.to_owned()))
}

/// Removes the mark, because the database was replaced.
pub fn unmark(database: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(mark_of(database)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::rules::RULES;

    fn told(node: &str, owner: bool, blocks: &[(i64, i64, &str)]) -> ToldBlocks {
        let blocks = blocks
            .iter()
            .map(|(first, last, digest)| (Seq(*first), Seq(*last), (*digest).to_owned()))
            .collect();
        ToldBlocks { node: node.to_owned(), owner, blocks, rules: RULES }
    }

    fn is_wrong(own: &ToldBlocks, others: &[&ToldBlocks]) -> bool {
        matches!(judge(own, others), Verdict::Wrong { .. })
    }

    #[test]
    fn one_hub_against_two_is_wrong_and_of_two_the_one_without_the_duties() {
        let block = |digest| [(1, 1_000, "same"), (1_001, 1_400, digest)];
        let (one, two, odd) =
            (told("a", false, &block("x")), told("b", true, &block("x")), told("c", false, &block("y")));
        assert_eq!(judge(&one, &[&two]), Verdict::Same);
        assert!(is_wrong(&odd, &[&one, &two]));
        assert_eq!(judge(&one, &[&two, &odd]), Verdict::Differs { first: Seq(1_001), node: "c".to_owned() });
        assert!(is_wrong(&odd, &[&two]) && !is_wrong(&two, &[&odd]));
        let neither = judge(&odd, &[&one]);
        assert!(matches!(neither, Verdict::Differs { .. }), "nobody has the duties: {neither:?}");
        let owner = told("c", true, &block("y"));
        assert!(
            is_wrong(&owner, &[&one, &told("b", false, &block("x"))]),
            "more hubs count more than duties"
        );
    }

    #[test]
    fn hubs_are_compared_where_they_stand_at_the_same_position_under_the_same_rules() {
        let own = told("a", false, &[(1, 1_000, "x")]);
        let behind = told("b", true, &[(1, 999, "y")]);
        assert_eq!(judge(&own, &[&behind]), Verdict::Same);
        let newer = ToldBlocks { rules: RULES + 1, ..told("b", true, &[(1, 1_000, "y")]) };
        assert_eq!(judge(&own, &[&newer]), Verdict::Same);
        // A third one that stands elsewhere may agree with this one, so it is waited for.
        let other = told("c", true, &[(1, 1_000, "y")]);
        assert_eq!(judge(&own, &[&behind, &other]), Verdict::Differs { first: Seq(1), node: "c".to_owned() });
    }
}
