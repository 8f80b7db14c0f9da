//! `umbler-hub erase`: erases a person's data in the database of a stopped hub.

use tokio::sync::oneshot;

use super::{DatabaseArgs, ToolError, print};
use crate::derived;
use crate::domain::ContactId;
use crate::journal::batch::BatchWriter;
use crate::journal::schema::{self, OpenError};
use crate::journal::{Append, ErasureRequest, Origin, Payload, Record, erasure_list};
use crate::reads::{FindPerson, Query};
use crate::sqlite::files::kept_aside;
use crate::telemetry::causes::chain;
use crate::telemetry::clock;

/// Longest reason, in characters: it stays for good.
const REASON_CHARS_MAX: usize = 200;

/// Whose data to erase, and why.
#[derive(Debug, clap::Args)]
pub struct EraseArgs {
    /// Id of the contact, as the API shows it.
    #[arg(long, value_name = "ID")]
    contact: String,
    /// Why, for example the number of the request. It stays for good, so it must not contain the person's name or phone.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Keep nothing that comes later of this contact either, but ids and times.
    #[arg(long)]
    block: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Erases, and prints what was blanked.
pub fn run(args: &EraseArgs) -> Result<(), ToolError> {
    let path = args.database.path()?;
    if !path.exists() {
        return Err(ToolError::Found(format!("there is no file {}", path.display())));
    }
    let reason = args.reason.trim();
    if reason.is_empty() || reason.chars().count() > REASON_CHARS_MAX {
        return Err(ToolError::Found(format!("--reason must have 1 to {REASON_CHARS_MAX} characters")));
    }
    let found = |error: &(dyn std::error::Error + 'static)| ToolError::Found(chain(error));
    let opened = schema::open(&path).map_err(|error| match &error {
        OpenError::Lock { .. } => ToolError::Found(format!(
            "{}; while the hub runs, ask it: DELETE /api/umbler/contacts/{}/personal-data?reason=…",
            chain(&error),
            args.contact
        )),
        OpenError::Folder { .. }
        | OpenError::Database { .. }
        | OpenError::Migration { .. }
        | OpenError::Newer { .. }
        | OpenError::Damaged { .. }
        | OpenError::Lost { .. }
        | OpenError::Erasures(_)
        | OpenError::InCluster { .. }
        | OpenError::NotInCluster { .. }
        | OpenError::Lineage { .. } => found(&error),
    })?;
    let mut reader = crate::reads::open(&path).map_err(|error| found(&error))?;
    let transaction = reader.transaction().map_err(|error| found(&error))?;
    let person = FindPerson { contact: args.contact.clone() }.answer(&transaction);
    let person = person.map_err(|error| found(&error))?;
    let person = person
        .ok_or_else(|| ToolError::Found(format!("there is no contact with the id {}", args.contact)))?;
    drop(transaction);
    drop(reader);
    if person.is_told_by(reason) {
        return Err(ToolError::Found(
            "--reason must not contain the person's name or phone, because it stays for good".to_owned(),
        ));
    }
    let (contact, at) = (ContactId::from(args.contact.as_str()), clock::now());
    let id = erasure_list::event_id(&contact, at);
    let request = ErasureRequest {
        contact,
        former_chats: person.former_chats,
        reason: reason.to_owned(),
        block: args.block,
    };
    let record = Record::new(Payload::Erasure(request), Some(id), Origin::Hub, at)
        .map_err(ToolError::io("cannot write the record"))?;
    // No update is dropped for its age here: how many are kept is a setting of the hub.
    let mut writer = BatchWriter::new(opened, &path, i64::MAX).map_err(|error| found(&error))?;
    let (reply, _outcome) = oneshot::channel();
    let written = writer.commit(&[Append { record, reply, place: None }]).map_err(|error| found(&error))?;
    writer.close().map_err(|error| found(&error))?;
    // It is built again by the next start.
    derived::remove_search(&path).map_err(|error| found(&error))?;
    let erased = written.acks.into_iter().find_map(|ack| ack.erased).unwrap_or_default();
    let aside = kept_aside(&path);
    let older = if aside.is_empty() { "none beside this one".to_owned() } else { aside.join(", ") };
    print(&format!(
        "erased: {} contact, {} chats, {} messages, {} parked reactions, {} raw deliveries, {} ignored deliveries, {} \
         updates, {} messages of the outbox\nleft to you: older databases ({older}), backups, the bucket of \
         BACKUP_S3_URL, the stream of a cluster, logs\n",
        erased.contacts,
        erased.chats,
        erased.messages,
        erased.parked_reactions,
        erased.raw_deliveries,
        erased.ignored_deliveries,
        erased.frames,
        erased.outbox,
    ))
}
