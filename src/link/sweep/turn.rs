//! What the next comparison reads: all of its gap, or only what happened since the ones before.

use std::time::{Duration, Instant};

use super::AlreadyRead;

/// How often all of the gap is read while messages are being lost. Only that finds what no webhook said of a message that is known
/// already, such as that it was read.
const WHOLE_EVERY: Duration = Duration::from_mins(5);

#[derive(Default)]
pub struct SweepTurn {
    read: AlreadyRead,
    /// When the newest comparison of all of the gap began.
    whole_at: Option<Instant>,
}

impl SweepTurn {
    /// What the comparison that begins now need not read again; nothing if it reads all of the gap. `is_hurried`: it is to end soon,
    /// so reading all of the gap can wait.
    pub fn begin(&mut self, is_hurried: bool, now: Instant) -> AlreadyRead {
        let is_due = self.whole_at.is_none_or(|at| now.duration_since(at) >= WHOLE_EVERY);
        if self.read.is_empty() || is_due && !is_hurried {
            self.whole_at = Some(now);
            return AlreadyRead::new();
        }
        self.read.clone()
    }

    /// Notes what a comparison read. `goes_on`: it found lost messages or gave way, so the next one makes up for more of them sooner
    /// if it reads only what happened since.
    pub fn note(&mut self, read: AlreadyRead, goes_on: bool) {
        if goes_on {
            self.read.extend(read);
        } else {
            self.read.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn while_messages_are_lost_all_of_the_gap_is_read_every_five_minutes_but_not_in_a_hurry() {
        let (mut turn, begun) = (SweepTurn::default(), Instant::now());
        let after = |seconds| begun + Duration::from_secs(seconds);
        let read = AlreadyRead::from([("chat".into(), Timestamp::UNIX_EPOCH)]);
        assert_eq!(turn.begin(false, begun), AlreadyRead::new(), "the first one");
        turn.note(read.clone(), true);
        assert_eq!(turn.begin(false, after(61)), read);
        assert_eq!(turn.begin(true, after(300)), read, "in a hurry");
        assert_eq!(turn.begin(false, after(300)), AlreadyRead::new());
        assert_eq!(turn.begin(false, after(361)), read, "what was read before is still known");
        turn.note(AlreadyRead::new(), false);
        assert_eq!(turn.begin(true, after(400)), AlreadyRead::new(), "nothing is lost any more");
    }
}
