//! The format of a record. It is the same in a stream, in an inbox and in a segment of a backup. In the
//! database its parts are columns of `journal` and `raw_deliveries`.
//!
//! # Contract
//!
//! 1. An encoded record begins with its format. A reader that does not know the format or the kind refuses
//!    it.
//! 2. It ends with a check sum over everything before, so altered bytes are refused and never applied.
//! 3. A format that was released is never changed, only followed by another.

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;

use crate::domain::register::{from_nanos, to_nanos};
use crate::domain::{EventId, Seq};

const FORMAT: u8 = 1;
/// The format of a record with a [fence](Entry::fence), which follows the attempt.
const FORMAT_FENCED: u8 = 2;
/// Length of the check sum: the first bytes of a SHA-256.
pub const SUM_BYTES: usize = 8;
/// Compression level of stored records. Higher levels gain little and cost much.
pub const ZSTD_LEVEL: i32 = 1;

/// What a record is about. The numbers are stored in databases and streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// A post of the provider, whether it is understood or not.
    Delivery = 0,
    /// A notice to one user.
    Notice = 1,
    /// Changes of the directory of agents.
    Members = 2,
    Settings = 3,
    /// A change of one alert.
    Alert = 4,
    /// A revocation of a user's tokens.
    Revocation = 5,
    /// The position up to which alerts were posted to the alert webhook.
    AlertsPosted = 6,
    /// How far what the provider knows is known here.
    Link = 7,
    /// What is wrong with the link to the provider's API.
    LinkAlerts = 8,
    /// A message that is to go out, to be sent again, or to be dropped.
    Outbox = 9,
    /// A message that goes out is handed to the provider next.
    OutboxAttempt = 10,
    /// What became of a message that was handed to the provider.
    OutboxResult = 11,
    /// A delivery of which only a part is kept, because the rest was erased or is too old.
    Reduced = 12,
    /// The erasure of a person's data.
    Erasure = 13,
    /// A step of deleting what is older than the operator wants to keep.
    Retention = 14,
    /// What was on one day.
    DailyReport = 15,
    /// The position up to which daily reports were mailed.
    ReportsMailed = 16,
    /// How many deliveries were repeated or ignored so far.
    DeliveryCounts = 17,
    /// Names of sectors, lines and tags.
    Names = 18,
    /// A hub of a cluster has taken the duties that only one has.
    Duty = 19,
    /// Other rules of applying records are in force in a cluster.
    Rules = 20,
}

impl Kind {
    pub const ALL: [Self; 21] = [
        Self::Delivery,
        Self::Notice,
        Self::Members,
        Self::Settings,
        Self::Alert,
        Self::Revocation,
        Self::AlertsPosted,
        Self::Link,
        Self::LinkAlerts,
        Self::Outbox,
        Self::OutboxAttempt,
        Self::OutboxResult,
        Self::Reduced,
        Self::Erasure,
        Self::Retention,
        Self::DailyReport,
        Self::ReportsMailed,
        Self::DeliveryCounts,
        Self::Names,
        Self::Duty,
        Self::Rules,
    ];

    /// The name by which subjects of a stream tell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivery => "delivery",
            Self::Notice => "notice",
            Self::Members => "members",
            Self::Settings => "settings",
            Self::Alert => "alert",
            Self::Revocation => "revocation",
            Self::AlertsPosted => "alerts_posted",
            Self::Link => "link",
            Self::LinkAlerts => "link_alerts",
            Self::Outbox => "outbox",
            Self::OutboxAttempt => "outbox_attempt",
            Self::OutboxResult => "outbox_result",
            Self::Reduced => "reduced",
            Self::Erasure => "erasure",
            Self::Retention => "retention",
            Self::DailyReport => "daily_report",
            Self::ReportsMailed => "reports_mailed",
            Self::DeliveryCounts => "delivery_counts",
            Self::Names => "names",
            Self::Duty => "duty",
            Self::Rules => "rules",
        }
    }

    /// True for what the hub proposes because it has the duties. What it reports as a fact, such as a delivery that it found at the
    /// provider, holds whoever found it.
    pub fn is_of_duties(self) -> bool {
        match self {
            Self::Alert
            | Self::AlertsPosted
            | Self::Link
            | Self::LinkAlerts
            | Self::OutboxAttempt
            | Self::OutboxResult
            | Self::Erasure
            | Self::Retention
            | Self::DailyReport
            | Self::ReportsMailed
            | Self::Rules => true,
            Self::Delivery
            | Self::Notice
            | Self::Members
            | Self::Settings
            | Self::Revocation
            | Self::Outbox
            | Self::Reduced
            | Self::DeliveryCounts
            | Self::Names
            | Self::Duty => false,
        }
    }

    /// The kind with this number; `None` if a newer hub wrote it.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == number)
    }
}

/// Where a record comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The provider, through the webhook.
    Provider,
    Hub,
    /// A user, through REST. Holds the `sub` of the token.
    User(String),
}

impl Origin {
    /// The form in which it is stored; `None` for the provider, because nearly all records come from
    /// there.
    pub fn to_text(&self) -> Option<String> {
        match self {
            Self::Provider => None,
            Self::Hub => Some("hub".to_owned()),
            Self::User(sub) => Some(format!("user:{sub}")),
        }
    }

    /// Parses the output of [`to_text`](Self::to_text).
    pub fn from_text(text: Option<&str>) -> Self {
        match text {
            None => Self::Provider,
            Some(text) => match text.strip_prefix("user:") {
                Some(sub) => Self::User(sub.to_owned()),
                None => Self::Hub,
            },
        }
    }
}

/// A record as it is stored and sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub kind: Kind,
    /// A second record with the same id changes nothing. `None` for records that are not events.
    pub id: Option<EventId>,
    /// When the hub received it. Part of the record, so that applying it reads no clock.
    pub at: Timestamp,
    pub origin: Origin,
    /// Number of the provider's attempt, from 1; `None` if it is not known.
    pub attempt: Option<u32>,
    /// The position at which the hub that proposes this took the duties of its cluster. The record does nothing if another hub has
    /// taken them since. `None` for records that are not of duties, and on a hub on its own.
    pub fence: Option<Seq>,
    /// The content, compressed with zstd: the bytes that the provider posted, or JSON of the hub.
    pub body: Vec<u8>,
}

/// Why bytes cannot be decoded as a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// The format is neither [`FORMAT`] nor [`FORMAT_FENCED`].
    #[error("the record has format {0}, which this version does not know")]
    Format(u8),
    /// A newer hub wrote a kind that is not known here.
    #[error("the record is of kind {0}, which this version does not know")]
    Kind(u8),
    /// The check sum is wrong, or the bytes end too early.
    #[error("the record was altered or cut short")]
    Altered,
}

impl Entry {
    /// Encodes format, kind, time, attempt, fence if there is one, id, origin, body and check sum. Numbers are little-endian;
    /// texts and the body are preceded by their lengths.
    pub fn encode(&self) -> Vec<u8> {
        let origin = self.origin.to_text().unwrap_or_default();
        let id = self.id.as_ref().map_or("", EventId::as_str);
        let mut bytes = Vec::with_capacity(self.body.len() + id.len() + origin.len() + 64);
        let format = if self.fence.is_some() { FORMAT_FENCED } else { FORMAT };
        bytes.extend([format, self.kind as u8]);
        bytes.extend(to_nanos(self.at).to_le_bytes());
        // Attempts are counted from 1, so 0 means that it is not known.
        bytes.extend(self.attempt.unwrap_or(0).to_le_bytes());
        bytes.extend(self.fence.map(|fence| fence.0.to_le_bytes()).into_iter().flatten());
        for part in [id.as_bytes(), origin.as_bytes(), &self.body] {
            bytes.extend(u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
            bytes.extend(part);
        }
        let sum = sum(&bytes);
        bytes.extend(sum);
        bytes
    }

    /// The check sum of an encoded record; `None` if it is too short to have one.
    pub fn sum_of(bytes: &[u8]) -> Option<[u8; SUM_BYTES]> {
        bytes.last_chunk().copied()
    }

    /// Parses the output of [`encode`](Self::encode).
    pub fn decode(bytes: &[u8]) -> Result<Self, EntryError> {
        let (format, rest) = bytes.split_first().ok_or(EntryError::Altered)?;
        if ![FORMAT, FORMAT_FENCED].contains(format) {
            return Err(EntryError::Format(*format));
        }
        let (said, told) = bytes.split_last_chunk::<SUM_BYTES>().ok_or(EntryError::Altered)?;
        if sum(said) != *told {
            return Err(EntryError::Altered);
        }
        let mut parts = Parts(&rest[..rest.len().saturating_sub(SUM_BYTES)]);
        let [kind] = parts.array()?;
        let kind = Kind::from_number(kind).ok_or(EntryError::Kind(kind))?;
        let at = from_nanos(i64::from_le_bytes(parts.array()?));
        let attempt = u32::from_le_bytes(parts.array()?);
        let fence =
            (*format == FORMAT_FENCED).then(|| parts.array()).transpose()?.map(i64::from_le_bytes).map(Seq);
        let id = parts.text()?;
        let origin = parts.text()?;
        let body = parts.bytes()?.to_vec();
        let id = (!id.is_empty()).then(|| EventId::from(id));
        let origin = Origin::from_text((!origin.is_empty()).then_some(origin));
        Ok(Self { kind, id, at, origin, attempt: (attempt > 0).then_some(attempt), fence, body })
    }
}

/// The bytes that are left to parse.
struct Parts<'a>(&'a [u8]);

impl<'a> Parts<'a> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], EntryError> {
        let (array, rest) = self.0.split_first_chunk::<N>().ok_or(EntryError::Altered)?;
        self.0 = rest;
        Ok(*array)
    }

    fn bytes(&mut self) -> Result<&'a [u8], EntryError> {
        let length = usize::try_from(u32::from_le_bytes(self.array()?)).unwrap_or(usize::MAX);
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(EntryError::Altered)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn text(&mut self) -> Result<&'a str, EntryError> {
        std::str::from_utf8(self.bytes()?).map_err(|_not_utf8| EntryError::Altered)
    }
}

fn sum(bytes: &[u8]) -> [u8; SUM_BYTES] {
    let whole = digest(&SHA256, bytes);
    let mut sum = [0; SUM_BYTES];
    sum.copy_from_slice(&whole.as_ref()[..SUM_BYTES]);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            kind: Kind::Settings,
            id: Some("settings:1".into()),
            at: "2026-03-02T13:00:00.123456789Z".parse().unwrap(),
            origin: Origin::User("ana".into()),
            attempt: Some(3),
            fence: None,
            body: b"\x28\xb5\x2f\xfd".to_vec(),
        }
    }

    #[test]
    fn a_record_that_was_encoded_is_read_back() {
        for kind in Kind::ALL {
            for origin in [Origin::Provider, Origin::Hub, Origin::User(String::new())] {
                let entry = Entry { kind, origin, ..entry() };
                assert_eq!(Entry::decode(&entry.encode()), Ok(entry));
            }
        }
        let fenced = Entry { fence: Some(Seq(7_001)), ..entry() };
        assert_eq!(Entry::decode(&fenced.encode()), Ok(fenced));
        let bare = Entry { id: None, attempt: None, body: Vec::new(), ..entry() };
        assert_eq!(Entry::decode(&bare.encode()), Ok(bare));
    }

    #[test]
    fn the_bytes_of_the_format_do_not_change() {
        let hex = crate::journal::digest::hex(&entry().encode());
        let (head, sum) = hex.split_at(hex.len() - 2 * SUM_BYTES);
        assert_eq!(
            head,
            "010315ed397db4079918030000000a00000073657474696e67733a3108000000757365723a616e610400000028b52ffd"
        );
        assert_eq!(sum.len(), 16);
        let fenced = crate::journal::digest::hex(&Entry { fence: Some(Seq(1)), ..entry() }.encode());
        assert_eq!(fenced[..44], *"020315ed397db4079918030000000100000000000000");
    }

    #[test]
    fn a_record_that_was_altered_or_cut_is_refused() {
        let whole = entry().encode();
        for at in 1..whole.len() {
            let mut altered = whole.clone();
            altered[at] ^= 1;
            assert_eq!(Entry::decode(&altered), Err(EntryError::Altered), "byte {at}");
            assert_eq!(Entry::decode(&whole[..at]), Err(EntryError::Altered), "cut at {at}");
        }
        assert_eq!(Entry::decode(&[]), Err(EntryError::Altered));
    }

    #[test]
    fn a_record_of_a_newer_hub_is_refused_by_name() {
        let mut newer = entry().encode();
        newer[0] = 3;
        assert_eq!(Entry::decode(&newer), Err(EntryError::Format(3)));
        let mut unknown = entry().encode();
        unknown.truncate(unknown.len() - SUM_BYTES);
        unknown[1] = 200;
        let sum = sum(&unknown);
        unknown.extend(sum);
        assert_eq!(Entry::decode(&unknown), Err(EntryError::Kind(200)));
    }
}
