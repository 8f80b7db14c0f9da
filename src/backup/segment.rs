//! A segment: records of consecutive positions in the one format of records, and beside them those that have no position.
//! Pure.
//!
//! # Contract
//!
//! 1. It begins with its format. A reader that does not know the format refuses it.
//! 2. Every record has a check sum of its own, and the compressed whole has another, so altered or cut bytes are refused.
//! 3. A format that was released is never changed, only followed by another.

use std::io::{self, Read, Write};

use crate::domain::Seq;
use crate::journal::entry::{Entry, EntryError};
use crate::journal::records::StoredRecord;

const FORMAT: &[u8] = b"umbler-hub segment 1\n";
/// Higher levels gain little: the content of records is compressed already.
const ZSTD_LEVEL: i32 = 1;
/// The largest segment that is unpacked: its records, of which the last may be as large as a delivery, and their texts.
pub const SEGMENT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Why bytes are no segment.
#[derive(Debug, thiserror::Error)]
pub enum SegmentError {
    #[error("it cannot be unpacked")]
    Packed(#[from] io::Error),
    #[error("its format is not known to this version")]
    Format,
    #[error("it was cut short")]
    Short,
    #[error("the record at position {seq} cannot be used")]
    Entry { seq: Seq, source: EntryError },
}

/// Packs records. Those without a position have position 0.
pub fn pack(records: &[StoredRecord]) -> io::Result<Vec<u8>> {
    let mut packed = zstd::stream::write::Encoder::new(Vec::new(), ZSTD_LEVEL)?;
    packed.include_checksum(true)?;
    packed.write_all(FORMAT)?;
    for StoredRecord { seq, entry, reason } in records {
        packed.write_all(&seq.0.to_le_bytes())?;
        for part in [reason.as_deref().unwrap_or_default().as_bytes(), &entry.encode()] {
            packed.write_all(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes())?;
            packed.write_all(part)?;
        }
    }
    packed.finish()
}

/// Reads what [`pack`] made.
pub fn unpack(packed: &[u8]) -> Result<Vec<StoredRecord>, SegmentError> {
    let mut bytes = Vec::new();
    zstd::stream::read::Decoder::new(packed)?.take(SEGMENT_BYTES_MAX).read_to_end(&mut bytes)?;
    let mut rest = bytes.strip_prefix(FORMAT).ok_or(SegmentError::Format)?;
    let mut records = Vec::new();
    while !rest.is_empty() {
        let (seq, after) = rest.split_first_chunk().ok_or(SegmentError::Short)?;
        let seq = Seq(i64::from_le_bytes(*seq));
        let (reason, after) = part(after)?;
        let (entry, after) = part(after)?;
        let entry = Entry::decode(entry).map_err(|source| SegmentError::Entry { seq, source })?;
        let reason = (!reason.is_empty()).then(|| String::from_utf8_lossy(reason).into_owned());
        records.push(StoredRecord { seq, entry, reason });
        rest = after;
    }
    Ok(records)
}

fn part(bytes: &[u8]) -> Result<(&[u8], &[u8]), SegmentError> {
    let (length, rest) = bytes.split_first_chunk().ok_or(SegmentError::Short)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
    rest.split_at_checked(length).ok_or(SegmentError::Short)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Origin;
    use crate::journal::entry::Kind;

    fn records() -> Vec<StoredRecord> {
        let record = |seq, kind, reason: Option<&str>| StoredRecord {
            seq: Seq(seq),
            entry: Entry {
                kind,
                id: (seq > 0).then(|| format!("event-{seq}").into()),
                at: "2026-03-02T13:00:00Z".parse().unwrap(),
                origin: Origin::Provider,
                attempt: None,
                fence: None,
                body: vec![7; 40],
            },
            reason: reason.map(str::to_owned),
        };
        vec![
            record(0, Kind::Revocation, None),
            record(7, Kind::Delivery, None),
            record(9, Kind::Delivery, Some("no chat")),
        ]
    }

    #[test]
    fn a_segment_that_was_packed_is_read_back() {
        assert_eq!(unpack(&pack(&records()).unwrap()).unwrap(), records());
        assert_eq!(unpack(&pack(&[]).unwrap()).unwrap(), []);
    }

    #[test]
    fn a_segment_that_was_altered_or_cut_is_refused() {
        let whole = pack(&records()).unwrap();
        for at in 0..whole.len() {
            assert!(unpack(&whole[..at]).is_err(), "cut at {at}");
            let mut altered = whole.clone();
            altered[at] ^= 0x10;
            // A bit of the frame's head may say nothing; what is read must then be what was written.
            if let Ok(read) = unpack(&altered) {
                assert_eq!(read, records(), "byte {at}");
            }
        }
    }

    #[test]
    fn a_segment_of_a_newer_hub_is_refused() {
        let newer = zstd::encode_all(&b"umbler-hub segment 2\n"[..], 1).unwrap();
        assert!(matches!(unpack(&newer), Err(SegmentError::Format)));
    }
}
