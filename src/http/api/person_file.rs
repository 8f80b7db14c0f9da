//! The file with everything that is stored of a person, written part by part: a page of chats or messages is read,
//! written and sent before the next one is read.
//!
//! # Contract
//!
//! 1. At most [`PAGE_ITEMS`] items are in memory, whatever is stored of the person.
//! 2. If a part cannot be read, the connection ends early, so that half a file is not taken for a whole one.

use std::sync::Arc;

use actix_web::web::Bytes;
use futures_util::Stream;
use futures_util::stream::unfold;
use serde::Serialize;

use super::person_page::{
    ErasureLine, Language, chat_row, erasure_row, head_row, message_columns, message_row, outbox_head,
    outbox_row, page_end, page_head, said,
};
use crate::auth::Scope;
use crate::http::caller::UserState;
use crate::http::error::ApiError;
use crate::journal::Erasure;
use crate::protocol::shapes::ContactShape;
use crate::reads::outbox::OutboxPlace;
use crate::reads::{
    ChatFilter, Cursor, ListChats, ListContactChats, ListMessages, ListPersonOutbox, MessageFilter, Page,
    PageAt, Sort,
};
use crate::telemetry::clock;

/// Items that are read at a time.
pub const PAGE_ITEMS: u32 = 200;

/// How the file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    Json,
    Html(Language),
}

/// A file that is being written.
pub struct PersonFile {
    state: UserState,
    scope: Arc<Scope>,
    contact: ContactShape,
    erasures: Vec<Erasure>,
    written: Written,
    stage: Stage,
}

/// The part of the file that is written next.
enum Stage {
    Head,
    Chats(PageAt),
    Messages(PageAt),
    /// Behind this entry; `None`: from the first one.
    Outbox(Option<OutboxPlace>),
    End,
    Over,
}

impl PersonFile {
    pub fn new(
        state: UserState,
        scope: Arc<Scope>,
        contact: ContactShape,
        erasures: Vec<Erasure>,
        written: Written,
    ) -> Self {
        Self { state, scope, contact, erasures, written, stage: Stage::Head }
    }

    /// The parts of the file, in order.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, ApiError>> {
        unfold(self, |mut file| async move {
            let part = file.next().await;
            if part.is_err() {
                file.stage = Stage::Over;
            }
            part.transpose().map(|part| (part, file))
        })
    }

    async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        let stage = std::mem::replace(&mut self.stage, Stage::Over);
        let text = match stage {
            Stage::Head => {
                self.stage = Stage::Chats(PageAt::Page(1));
                self.head()?
            }
            Stage::Chats(at) => self.chats(at).await?,
            Stage::Messages(at) => self.messages(at).await?,
            Stage::Outbox(after) => self.outbox(after).await?,
            Stage::End => self.end()?,
            Stage::Over => return Ok(None),
        };
        Ok(Some(text.into()))
    }

    async fn chats(&mut self, at: PageAt) -> Result<String, ApiError> {
        let is_first = at == PageAt::Page(1);
        let sort = Sort::CreatedAt;
        let list = ListChats {
            filter: ChatFilter::default(),
            sort,
            order: sort.default_order(),
            limit: PAGE_ITEMS,
            at,
            scope: Arc::clone(&self.scope),
        };
        let found = self.state.ask(ListContactChats { contact: self.contact.id.clone(), list }).await?;
        // The contact was there a moment ago, and contacts are never deleted.
        let Page { items, next, .. } = found.unwrap_or(Page { items: Vec::new(), total: 0, next: None });
        let mut text = match self.written {
            Written::Json => items_json(&items, is_first)?,
            Written::Html(language) => items.iter().map(|chat| chat_row(chat, language)).collect(),
        };
        self.stage = if let Some(cursor) = next {
            Stage::Chats(PageAt::After(cursor))
        } else {
            text += &self.between();
            Stage::Messages(PageAt::Page(1))
        };
        Ok(text)
    }

    async fn messages(&mut self, at: PageAt) -> Result<String, ApiError> {
        let is_first = at == PageAt::Page(1);
        let filter = MessageFilter { contact: Some(self.contact.id.clone()), ..MessageFilter::default() };
        let list = ListMessages { filter, limit: PAGE_ITEMS, at, scope: Arc::clone(&self.scope) };
        let Page { items, next, .. } = self.state.ask(list).await?;
        let text = match self.written {
            Written::Json => items_json(&items, is_first)?,
            Written::Html(language) => items.iter().map(|message| message_row(message, language)).collect(),
        };
        self.stage =
            next.map_or(Stage::Outbox(None), |cursor: Cursor| Stage::Messages(PageAt::After(cursor)));
        Ok(text)
    }

    /// Messages of the outbox that are not among the messages of the chats.
    async fn outbox(&mut self, after: Option<OutboxPlace>) -> Result<String, ApiError> {
        let is_first = after.is_none();
        let list = ListPersonOutbox { contact: self.contact.id.clone(), after, limit: PAGE_ITEMS };
        let entries = self.state.ask(list).await?;
        let before_next = entries.last().filter(|_| entries.len() == PAGE_ITEMS as usize);
        self.stage = before_next.map_or(Stage::End, |entry| Stage::Outbox(Some(OutboxPlace::of(entry))));
        match self.written {
            Written::Json if is_first => Ok("],\"outbox\":[".to_owned() + &items_json(&entries, true)?),
            Written::Json => items_json(&entries, false),
            Written::Html(_) if is_first && entries.is_empty() => Ok(String::new()),
            Written::Html(language) => {
                let head = if is_first { outbox_head(language) } else { String::new() };
                let rows = entries.iter().map(|entry| outbox_row(entry, language));
                Ok(std::iter::once(head).chain(rows).collect())
            }
        }
    }

    fn head(&self) -> Result<String, ApiError> {
        match self.written {
            Written::Json => Ok(format!(
                "{{\"exportedAt\":{},\"contact\":{},\"chats\":[",
                json(&clock::now())?,
                json(&self.contact)?
            )),
            Written::Html(language) => Ok(page_head(&self.contact, language)),
        }
    }

    fn between(&self) -> String {
        let Written::Html(language) = self.written else { return "],\"messages\":[".to_owned() };
        let title = said(language, "Mensagens", "Messages");
        let order = said(language, "A mais recente primeiro.", "The newest first.");
        let head = head_row(message_columns(language));
        format!("</table><h2>{title}</h2><p>{order}</p><table>{head}\n")
    }

    fn end(&self) -> Result<String, ApiError> {
        let lines = self.erasures.iter().map(|erasure| ErasureLine {
            erased_at: erasure.at,
            erased_by: &erasure.by,
            reason: &erasure.reason,
            blocked: erasure.block,
        });
        match self.written {
            Written::Json => Ok(format!("],\"erasures\":{}}}", json(&lines.collect::<Vec<_>>())?)),
            Written::Html(language) => {
                let rows: String = lines.map(|line| erasure_row(&line, language)).collect();
                Ok(page_end(&rows, language))
            }
        }
    }
}

fn json<T: Serialize>(value: &T) -> Result<String, ApiError> {
    serde_json::to_string(value).map_err(|error| {
        log::error!("a part of an export could not be written: {error}");
        ApiError::Internal
    })
}

fn items_json<T: Serialize>(items: &[T], is_first: bool) -> Result<String, ApiError> {
    let mut text = String::new();
    for (number, item) in items.iter().enumerate() {
        if number > 0 || !is_first {
            text.push(',');
        }
        text += &json(item)?;
    }
    Ok(text)
}
