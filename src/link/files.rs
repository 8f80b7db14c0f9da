//! Files of messages that no webhook brought, on a thread of its own: whoever wants to see one now does not wait for a comparison.
//!
//! A message of a picture comes first without the file's address and then again with it. Where the second one does not come, the
//! provider is asked after a minute, five minutes and half an hour; then the file is given up.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use rusqlite::{OptionalExtension, Transaction};

use super::archive::Archive;
use super::client::{ApiAnswer, Client};
use super::fault::LinkError;
use super::organization::AskedOrganization;
use super::sweep::compare::FindMissing;
use super::{LinkSettings, panics};
use crate::domain::{ChatId, MessageId};
use crate::http::files::{FileDesk, FileFound};
use crate::http::link::LinkHandle;
use crate::protocol::LinkState;
use crate::reads::{FindFileless, Query, ReadError};
use crate::telemetry::clock;
use crate::umbler::api::answers::message;
use crate::umbler::api::routes::me;
use crate::umbler::api::{Me, MessageItem, RequestBuilder};
use crate::umbler::reconcile;

/// How often it is looked for messages that lack their file.
const LOOK_EVERY: Duration = Duration::from_secs(15);
/// How long the provider has to bring a file by itself.
const PATIENCE: SignedDuration = SignedDuration::from_secs(60);
/// Pauses after the first question and the second one; after the third the file is given up.
const PAUSES: [Duration; 2] = [Duration::from_mins(5), Duration::from_mins(30)];
/// How far back a hub looks that has just started.
const REACH: SignedDuration = SignedDuration::from_mins(40);
/// Messages without a file that are remembered.
const LACKING_MAX: usize = 5_000;

pub struct FileWork {
    client: Client,
    archive: Archive,
    organization: AskedOrganization,
    link: LinkHandle,
    desk: FileDesk,
    /// Everything before this was looked at.
    looked_until: Timestamp,
    look_at: Instant,
    lacking: BTreeMap<(Instant, MessageId), Lacking>,
}

struct Lacking {
    chat: ChatId,
    /// How often the provider was asked.
    asked: usize,
}

impl FileWork {
    pub fn new(settings: &LinkSettings, client: Client, archive: Archive, link: LinkHandle) -> Self {
        let looked_until = clock::now().checked_sub(REACH).unwrap_or(Timestamp::MIN);
        let desk = link.files().clone();
        desk.open();
        let (look_at, lacking) = (Instant::now(), BTreeMap::new());
        let organization = AskedOrganization::new(settings);
        Self { client, archive, organization, link, desk, looked_until, look_at, lacking }
    }

    /// Works until the hub ends.
    pub fn run(mut self) {
        let link = self.link.clone();
        panics::repeat("umbler-files", &link, || self.step());
    }

    fn step(&mut self) -> Result<(), LinkError> {
        self.link.check()?;
        let now = Instant::now();
        let due = self.lacking.first_key_value().map_or(self.look_at, |((at, _), _)| (*at).min(self.look_at));
        if let Some(wanted) = self.desk.next(due.saturating_duration_since(now))? {
            let found = self.find(&MessageId::from(wanted.as_str()))?;
            self.desk.answer(&wanted, &found, Instant::now());
            return Ok(());
        }
        if Instant::now() >= self.look_at {
            self.look_at = Instant::now() + LOOK_EVERY;
            self.look()?;
        }
        self.ask_for_lacking()
    }

    /// Remembers messages that have lacked their file for a while.
    fn look(&mut self) -> Result<(), LinkError> {
        let until = clock::now().checked_sub(PATIENCE).unwrap_or(Timestamp::MIN);
        match self.archive.ask(FindFileless { from: self.looked_until, until }) {
            Ok(found) => {
                self.looked_until = until;
                for (id, chat) in found {
                    if self.lacking.len() < LACKING_MAX {
                        self.lacking.insert((Instant::now(), id), Lacking { chat, asked: 0 });
                    }
                }
                Ok(())
            }
            Err(LinkError::Stopping) => Err(LinkError::Stopping),
            // What could not be read is looked for the next time.
            Err(_) => Ok(()),
        }
    }

    /// Asks for the one file whose turn it is.
    fn ask_for_lacking(&mut self) -> Result<(), LinkError> {
        let Some(((at, id), lacking)) = self.lacking.pop_first() else { return Ok(()) };
        if at > Instant::now() || self.link.shape().state == LinkState::NotAllowed {
            let later = at.max(Instant::now() + LOOK_EVERY);
            self.lacking.insert((if at > Instant::now() { at } else { later }, id), lacking);
            return Ok(());
        }
        let asked = lacking.asked + 1;
        match self.find(&id)? {
            FileFound::At(_) => {}
            FileFound::Unreachable => {
                let later = Lacking { asked: lacking.asked, ..lacking };
                self.lacking.insert((Instant::now() + Duration::from_mins(1), id), later);
            }
            FileFound::Pending | FileFound::Unavailable => {
                if let Some(pause) = PAUSES.get(lacking.asked) {
                    self.lacking.insert((Instant::now() + *pause, id), Lacking { asked, ..lacking });
                } else {
                    log::warn!("the file of a message of chat {} never came and is given up", lacking.chat);
                    self.desk.answer(id.as_str(), &FileFound::Unavailable, Instant::now());
                }
            }
        }
        Ok(())
    }

    /// Asks the provider for a message, and takes in what is new of it.
    fn find(&mut self, id: &MessageId) -> Result<FileFound, LinkError> {
        match panics::caught("asking for a file", || self.try_to_find(id)) {
            Ok(found) => Ok(found),
            Err(LinkError::Stopping) => Err(LinkError::Stopping),
            Err(LinkError::Refused { status: 404 | 410, .. }) => Ok(FileFound::Unavailable),
            Err(error) => {
                log::debug!("a file cannot be asked for: {error}");
                Ok(FileFound::Unreachable)
            }
        }
    }

    fn try_to_find(&mut self, id: &MessageId) -> Result<FileFound, LinkError> {
        let requests = self.requests()?;
        let Some(chat) = self.archive.ask(FindChat(id.clone()))? else { return Ok(FileFound::Unavailable) };
        let request = requests.message(id);
        let ApiAnswer { said: item, received_at, .. } = self.client.ask_briefly(&request, message)?;
        let facts = reconcile::read_messages(&chat, std::slice::from_ref(&item), received_at);
        let url = facts.first().and_then(|facts| facts.file.as_ref()?.url.clone());
        let Some(url) = url else { return Ok(FileFound::Pending) };
        let missing = self.archive.ask(FindMissing { chat: chat.clone(), said: facts.clone() })?;
        if !missing.news.is_empty() {
            let found: Vec<(&MessageItem, _)> = std::iter::once(&item).zip(&facts).collect();
            if let Some(composed) = reconcile::messages(&chat, &found) {
                self.archive.reconcile(&composed, "file", 1)?;
            }
        }
        Ok(FileFound::At(url))
    }

    fn requests(&mut self) -> Result<RequestBuilder, LinkError> {
        let replacements = self.client.authorization().replacements();
        self.organization.requests(replacements, || Ok(self.client.ask_briefly(&me(), Me::read)?.said))
    }
}

/// The chat of a message that is known.
#[derive(Debug)]
struct FindChat(MessageId);

impl Query for FindChat {
    type Answer = Option<ChatId>;

    fn answer(self, tx: &Transaction<'_>) -> Result<Option<ChatId>, ReadError> {
        let mut select = tx.prepare_cached("SELECT chat_id FROM messages WHERE id = ?")?;
        let chat: Option<String> = select.query_row([self.0.as_str()], |row| row.get(0)).optional()?;
        Ok(chat.map(ChatId::from))
    }
}
