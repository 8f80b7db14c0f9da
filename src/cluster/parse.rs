//! Reads the records that come from the stream, and feeds the writer with them. On a thread of its own, so that the
//! connection is served meanwhile.

use bytes::Bytes;
use tokio::sync::mpsc::Receiver;
use tokio::sync::oneshot;

use super::publisher::ExpectedRecord;
use super::state::ClusterState;
use crate::domain::Seq;
use crate::journal::entry::Entry;
use crate::journal::queue::WriterFeed;
use crate::journal::{Append, Record, StreamPlace};
use crate::telemetry::causes::chain;

/// A record as it came from the stream.
pub struct Streamed {
    pub position: Seq,
    pub bytes: Bytes,
    /// The same record, if this hub published it and still waits for it. It need not be parsed again.
    pub own: Option<ExpectedRecord>,
}

/// Hands records to the writer until there are no more, or one of them cannot be read. Then nothing behind it may
/// be applied.
pub fn run(mut streamed: Receiver<Streamed>, feed: &WriterFeed, state: &ClusterState) {
    while let Some(one) = streamed.blocking_recv() {
        let position = one.position;
        match read(one) {
            Ok(append) => {
                if !feed.put(append) {
                    return log::debug!("the writer has ended");
                }
            }
            Err(why) => return state.halt(format!("the record at position {position} {why}")),
        }
    }
}

fn read(streamed: Streamed) -> Result<Append, String> {
    let Streamed { position, bytes, own } = streamed;
    let entry = Entry::decode(&bytes).map_err(|error| format!("cannot be read: {error}"))?;
    let place = Some(StreamPlace { position, sum: Entry::sum_of(&bytes) });
    if let Some(ExpectedRecord { record, reply }) = own
        && record.entry == entry
    {
        return Ok(Append { record, reply, place });
    }
    let record = Record::read(entry).map_err(|error| format!("cannot be read: {}", chain(&error)))?;
    // Nobody waits for it here.
    let (reply, _nobody) = oneshot::channel();
    Ok(Append { record, reply, place })
}
