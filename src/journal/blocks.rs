//! Digests of what was published, by blocks of [`BLOCK`] positions. All who apply the same records under the
//! same rules get the same digests. If digests differ, the first block that does tells from where on.
//!
//! The digest is chained over the events of a block, so that it can be continued after a restart. The digest
//! of each event covers the one before, the event's position, id and type, the update as it was first
//! published, and the audience.

use std::collections::BTreeSet;

use aws_lc_rs::digest::{Context, SHA256};
use rusqlite::{Connection, OptionalExtension, params};

use super::fault::StoreError;
use super::meta;
use super::rules::{self, RULES};
use crate::domain::Seq;

/// Positions in one block: few enough to locate a difference, and many enough to cost nothing.
pub const BLOCK: i64 = 1_000;
/// Stands for rules that nobody can apply again: updates of the block told what was erased since.
const NOT_REPEATABLE: u32 = 0;
/// Key in `meta` of the rules that made everything in the database. Missing if there were several.
const RULES_KEY: &str = "rules";
const DIGEST_BYTES: usize = 32;

/// The digest of a block, or of its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The first position. If an older hub made the events before it, this is not the first of its
    /// thousand.
    pub first: Seq,
    /// The newest position in the digest.
    pub last: Seq,
    /// SHA-256, chained over the events.
    pub digest: [u8; DIGEST_BYTES],
    /// Number of the rules that made the events.
    pub rules: u32,
}

/// The parts of an event that the digest covers.
pub(super) struct DigestedEvent<'a> {
    pub(super) seq: Seq,
    pub(super) event_id: &'a str,
    pub(super) update_type: &'a str,
    pub(super) frame: &'a str,
    /// As JSON.
    pub(super) audience: &'a str,
}

/// The blocks that the present batch has changed.
#[derive(Debug)]
pub(super) struct Blocks {
    rules: u32,
    /// The rules are those in force in a cluster, and may be raised at any position.
    follows_cluster: bool,
    /// The block of the newest event; `None` until it is read, or if there is none.
    current: Option<Block>,
    is_read: bool,
    /// Additional positions at which a block begins.
    starts: BTreeSet<Seq>,
    /// Blocks that the batch has finished.
    ended: Vec<Block>,
    is_moved: bool,
}

impl Blocks {
    /// For events that are made by these rules.
    pub(super) fn new(rules: u32) -> Self {
        Self {
            rules,
            follows_cluster: false,
            current: None,
            is_read: false,
            starts: BTreeSet::new(),
            ended: Vec::new(),
            is_moved: false,
        }
    }

    /// From now on events are made by the rules in force in the cluster.
    pub(super) fn follow_cluster(&mut self) {
        self.follows_cluster = true;
    }

    /// Begins blocks at the same positions as another history, so that they can be compared.
    pub(super) fn begin_at(&mut self, starts: impl Iterator<Item = Seq>) {
        self.starts = starts.collect();
    }

    /// The rules by which the next event is made.
    pub(super) fn rules(&mut self, connection: &Connection) -> rusqlite::Result<u32> {
        self.read(connection)?;
        Ok(self.rules)
    }

    fn read(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        if !std::mem::replace(&mut self.is_read, true) {
            self.current = newest(connection)?;
            if self.follows_cluster {
                self.rules = rules::in_force(connection)?.unwrap_or(self.rules);
            }
        }
        Ok(())
    }

    /// Adds an event. `before` is the newest position before it.
    pub(super) fn add(
        &mut self,
        connection: &Connection,
        before: Seq,
        event: &DigestedEvent<'_>,
    ) -> Result<(), StoreError> {
        self.read(connection)?;
        let begin = Seq(first_of(event.seq));
        let mut block = match self.current.take() {
            Some(block)
                if block.first >= begin && block.rules == self.rules && !self.starts.contains(&event.seq) =>
            {
                block
            }
            current => {
                // The block is complete only if no event of its thousand came before.
                let first = if before < begin { begin } else { event.seq };
                self.ended.extend(current.filter(|_| self.is_moved));
                Block { first, last: event.seq, digest: [0; DIGEST_BYTES], rules: self.rules }
            }
        };
        block.digest = chained(&block.digest, event);
        block.last = event.seq;
        self.current = Some(block);
        self.is_moved = true;
        Ok(())
    }

    /// Marks the blocks that contain any of these positions: their updates can no longer be made again.
    pub(super) fn mark(&mut self, connection: &Connection, touched: &[i64]) -> Result<(), StoreError> {
        if touched.is_empty() {
            return Ok(());
        }
        self.set_aside(connection)?;
        connection
            .prepare_cached(
                "UPDATE blocks SET rules = ?2 WHERE rules <> ?2 AND EXISTS (
                     SELECT 1 FROM json_each(?1) WHERE value BETWEEN blocks.first AND blocks.last)",
            )?
            .execute(params![serde_json::to_string(touched)?, NOT_REPEATABLE])?;
        Ok(())
    }

    /// Writes what there is. The newest block and the rules in force are read again: if either was changed, another block begins.
    pub(super) fn set_aside(&mut self, connection: &Connection) -> Result<(), StoreError> {
        self.flush(connection)?;
        (self.current, self.is_read) = (None, false);
        Ok(())
    }

    /// Writes the blocks that have changed.
    pub(super) fn flush(&mut self, connection: &Connection) -> Result<(), StoreError> {
        if !std::mem::take(&mut self.is_moved) {
            return Ok(());
        }
        let mut put = connection.prepare_cached(
            "INSERT INTO blocks (first, last, digest, rules) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (first) DO UPDATE SET last = ?2, digest = ?3, rules = ?4",
        )?;
        for block in self.ended.iter().chain(&self.current) {
            put.execute(params![block.first.0, block.last.0, block.digest, block.rules])?;
        }
        self.ended.clear();
        Ok(())
    }

    /// Drops what was not written, because the batch was rolled back.
    pub(super) fn forget(&mut self) {
        let (starts, follows_cluster) = (std::mem::take(&mut self.starts), self.follows_cluster);
        *self = Self { follows_cluster, starts, ..Self::new(self.rules) };
    }
}

/// The rules that made everything in the database; `None` if there were several, or those of an older
/// release.
pub(super) fn rules_of(connection: &Connection) -> rusqlite::Result<Option<u32>> {
    Ok(meta::get(connection, RULES_KEY)?.and_then(|value| value.parse().ok()))
}

/// Notes that everything in the database was made by the present rules.
pub(super) fn note_rules(connection: &Connection) -> rusqlite::Result<()> {
    meta::put(connection, RULES_KEY, &RULES.to_string())
}

/// True where the updates of a block cannot be made again.
pub(super) fn is_marked(block: &Block) -> bool {
    block.rules == NOT_REPEATABLE
}

/// The newest blocks, at most so many, the newest first.
pub fn newest_first(connection: &Connection, most: usize) -> rusqlite::Result<Vec<Block>> {
    let mut select = connection
        .prepare_cached("SELECT first, last, digest, rules FROM blocks ORDER BY first DESC LIMIT ?1")?;
    select.query_map([i64::try_from(most).unwrap_or(i64::MAX)], read)?.collect()
}

/// Loads all blocks, in order.
pub fn load(connection: &Connection) -> rusqlite::Result<Vec<Block>> {
    let mut select = connection.prepare("SELECT first, last, digest, rules FROM blocks ORDER BY first")?;
    select.query_map([], read)?.collect()
}

fn newest(connection: &Connection) -> rusqlite::Result<Option<Block>> {
    let mut select = connection
        .prepare_cached("SELECT first, last, digest, rules FROM blocks ORDER BY first DESC LIMIT 1")?;
    select.query_row([], read).optional()
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Block> {
    Ok(Block { first: Seq(row.get(0)?), last: Seq(row.get(1)?), digest: row.get(2)?, rules: row.get(3)? })
}

/// The first position of the thousand that contains a position.
fn first_of(seq: Seq) -> i64 {
    (seq.0 - 1).div_euclid(BLOCK) * BLOCK + 1
}

fn chained(before: &[u8], event: &DigestedEvent<'_>) -> [u8; DIGEST_BYTES] {
    let mut context = Context::new(&SHA256);
    context.update(before);
    context.update(&event.seq.0.to_le_bytes());
    for part in [event.event_id, event.update_type, event.frame, event.audience] {
        // Preceded by its length, so that the end of one part cannot be taken for the beginning of
        // the next.
        context.update(&(part.len() as u64).to_le_bytes());
        context.update(part.as_bytes());
    }
    let mut digest = [0; DIGEST_BYTES];
    digest.copy_from_slice(context.finish().as_ref());
    digest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::steps::migrate_to_latest;

    fn event(seq: i64, frame: &str) -> DigestedEvent<'_> {
        DigestedEvent { seq: Seq(seq), event_id: "e", update_type: "t", frame, audience: "{}" }
    }

    /// The blocks after events at these positions, in batches that end after `flush_after`.
    fn blocks_of(seqs: &[i64], flush_after: &[i64], altered: i64) -> Vec<Block> {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate_to_latest(&mut connection).unwrap();
        let mut blocks = Blocks::new(1);
        let mut before = Seq(0);
        for seq in seqs {
            let frame = if *seq == altered { "altered" } else { "frame" };
            blocks.add(&connection, before, &event(*seq, frame)).unwrap();
            before = Seq(*seq);
            if flush_after.contains(seq) {
                blocks.flush(&connection).unwrap();
                blocks.forget();
            }
        }
        blocks.flush(&connection).unwrap();
        load(&connection).unwrap()
    }

    #[test]
    fn batches_and_restarts_do_not_move_a_digest_and_an_altered_event_moves_its_own_block_only() {
        let seqs: Vec<i64> = (1..=2_500).filter(|seq| *seq != 1_001).collect();
        let whole = blocks_of(&seqs, &[], 0);
        let firsts: Vec<i64> = whole.iter().map(|block| block.first.0).collect();
        assert_eq!(firsts, [1, 1_001, 2_001], "a hole at the beginning of a block is no other block");
        assert_eq!(blocks_of(&seqs, &[1, 2, 999, 1_000, 1_002, 2_400], 0), whole);
        let altered = blocks_of(&seqs, &[], 1_500);
        let same: Vec<bool> = whole.iter().zip(&altered).map(|(one, other)| one == other).collect();
        assert_eq!(same, [true, false, true]);
    }

    #[test]
    fn rules_that_come_into_force_in_a_cluster_begin_another_block_at_that_position() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate_to_latest(&mut connection).unwrap();
        rules::begin(&connection, 1).unwrap();
        let mut blocks = Blocks::new(9);
        blocks.follow_cluster();
        let mut before = Seq(0);
        for seq in 1..=5 {
            if seq == 4 {
                rules::begin(&connection, 2).unwrap();
                blocks.set_aside(&connection).unwrap();
            }
            blocks.add(&connection, before, &event(seq, "frame")).unwrap();
            before = Seq(seq);
            if seq == 2 {
                // As after a commit, or a restart.
                blocks.flush(&connection).unwrap();
                blocks.forget();
            }
        }
        blocks.flush(&connection).unwrap();
        let stored: Vec<_> = load(&connection).unwrap();
        let stored: Vec<_> = stored.iter().map(|block| (block.first.0, block.last.0, block.rules)).collect();
        assert_eq!(stored, [(1, 3, 1), (4, 5, 2)]);
    }
}
