//! Digests of what was told, by blocks of [`BLOCK`] positions. Whoever applies the same records under the same rules comes to
//! the same digests; where they differ, the first block that does says from where on.
//!
//! The digest is chained over the events of the block, so that it can go on after a restart: each event's is made of the one
//! before, of its position, id and type, of the update as it was first told, and of whom it concerns.

use std::collections::BTreeSet;

use aws_lc_rs::digest::{Context, SHA256};
use rusqlite::{Connection, OptionalExtension, params};

use super::fault::StoreError;
use super::meta;
use crate::domain::Seq;

/// Positions of a block: few enough to say where two histories part, and many enough to cost nothing.
pub const BLOCK: i64 = 1_000;
/// The number of the rules by which records are applied. It goes up with every change of what a record does to the stored
/// state or to its update, so that what different rules made is not taken for damage. A recorded stream in the tests notices a
/// change that was forgotten here.
pub const RULES: u32 = 1;
/// The key in `meta` of the rules that made everything in the database; there is none where they were several.
const RULES_KEY: &str = "rules";
/// Bytes of a SHA-256.
const DIGEST_BYTES: usize = 32;

/// The digest of a block, or of its part up to now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The first position. A block begins later than its thousand where an older hub made the events before.
    pub first: Seq,
    /// The newest position in the digest.
    pub last: Seq,
    /// SHA-256, chained.
    pub digest: [u8; DIGEST_BYTES],
    /// The rules that made the events.
    pub rules: u32,
}

/// What of an event goes into the digest.
pub(super) struct Told<'a> {
    pub(super) seq: Seq,
    pub(super) event_id: &'a str,
    pub(super) update_type: &'a str,
    pub(super) frame: &'a str,
    /// In JSON.
    pub(super) audience: &'a str,
}

/// The blocks that the present batch moved.
#[derive(Debug)]
pub(super) struct Blocks {
    rules: u32,
    /// The block of the newest event, once it was read; `None` where there is none.
    current: Option<Block>,
    is_read: bool,
    /// Positions at which a block begins, wherever its thousand does.
    starts: BTreeSet<Seq>,
    /// Blocks that ended within the batch.
    ended: Vec<Block>,
    is_moved: bool,
}

impl Blocks {
    /// For events that are made by these rules.
    pub(super) fn new(rules: u32) -> Self {
        Self {
            rules,
            current: None,
            is_read: false,
            starts: BTreeSet::new(),
            ended: Vec::new(),
            is_moved: false,
        }
    }

    /// Begins blocks where another history began them, to be compared with it.
    pub(super) fn begin_at(&mut self, starts: impl Iterator<Item = Seq>) {
        self.starts = starts.collect();
    }

    /// Adds an event; `before` is the newest position before it.
    pub(super) fn add(
        &mut self,
        connection: &Connection,
        before: Seq,
        told: &Told<'_>,
    ) -> Result<(), StoreError> {
        if !std::mem::replace(&mut self.is_read, true) {
            self.current = newest(connection)?;
        }
        let begin = Seq(first_of(told.seq));
        let mut block = match self.current.take() {
            Some(block)
                if block.first >= begin && block.rules == self.rules && !self.starts.contains(&told.seq) =>
            {
                block
            }
            current => {
                // Whole only where nothing of its thousand came before.
                let first = if before < begin { begin } else { told.seq };
                self.ended.extend(current.filter(|_| self.is_moved));
                Block { first, last: told.seq, digest: [0; DIGEST_BYTES], rules: self.rules }
            }
        };
        block.digest = chained(&block.digest, told);
        block.last = told.seq;
        self.current = Some(block);
        self.is_moved = true;
        Ok(())
    }

    /// Writes the blocks that moved.
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

    /// Forgets what was not written: its batch was rolled back.
    pub(super) fn forget(&mut self) {
        *self = Self { starts: std::mem::take(&mut self.starts), ..Self::new(self.rules) };
    }
}

/// The rules that made everything in the database; `None` where they were several, or those of an older release.
pub(super) fn rules_of(connection: &Connection) -> rusqlite::Result<Option<u32>> {
    Ok(meta::get(connection, RULES_KEY)?.and_then(|value| value.parse().ok()))
}

/// Notes that everything in the database is made by the present rules.
pub(super) fn note_rules(connection: &Connection) -> rusqlite::Result<()> {
    meta::put(connection, RULES_KEY, &RULES.to_string())
}

/// All blocks, in order.
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

/// The first position of the thousand that a position is in.
fn first_of(seq: Seq) -> i64 {
    (seq.0 - 1).div_euclid(BLOCK) * BLOCK + 1
}

fn chained(before: &[u8], told: &Told<'_>) -> [u8; DIGEST_BYTES] {
    let mut context = Context::new(&SHA256);
    context.update(before);
    context.update(&told.seq.0.to_le_bytes());
    for part in [told.event_id, told.update_type, told.frame, told.audience] {
        // With its length: what ends one part must not begin the next.
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

    fn told(seq: i64, frame: &str) -> Told<'_> {
        Told { seq: Seq(seq), event_id: "e", update_type: "t", frame, audience: "{}" }
    }

    /// Digests after events at these positions, in batches that end after the given ones.
    fn blocks_of(seqs: &[i64], flush_after: &[i64], altered: i64) -> Vec<Block> {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate_to_latest(&mut connection).unwrap();
        let mut blocks = Blocks::new(1);
        let mut before = Seq(0);
        for seq in seqs {
            let frame = if *seq == altered { "altered" } else { "frame" };
            blocks.add(&connection, before, &told(*seq, frame)).unwrap();
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
}
