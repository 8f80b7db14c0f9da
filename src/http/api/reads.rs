//! `/reads`: who was shown personal data, for admins.

use actix_web::web;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::Answer;
use super::lists::{LIMIT_DEFAULT, LIMIT_MAX};
use crate::http::caller::{Admin, UserState};
use crate::http::error::ApiError;
use crate::http::question::{QueryString, question};
use crate::http::route::routes;
use crate::http::values::Id;
use crate::reads::{ListedRead, ReadFilter};
use crate::telemetry::causes::chain;

/// The largest number of a note: what JSON numbers hold exactly.
const NUMBER_MAX: u64 = (1 << 53) - 1;

routes! {
    /// Who was shown personal data, the newest first. Empty where `RETAIN_READS` is 0.
    get "/reads" => list, "listReads";
}

question! {
    struct ReadsQuestion {
        /// Only reads of this user: the `sub` of the token.
        user: Option<Id>,
        /// Only reads of this chat.
        chat_id: Option<Id>,
        /// Only reads of this contact.
        contact_id: Option<Id>,
        /// Reads from this moment on.
        since: Option<Timestamp>,
        /// Only reads that happened before this moment.
        until: Option<Timestamp>,
        /// Most reads in the answer.
        limit: u32 [1..=LIMIT_MAX] = LIMIT_DEFAULT,
        /// `nextBefore` of the page before.
        before: Option<u64> [1..=NUMBER_MAX],
    }
}

/// Somebody was shown personal data.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Read)]
pub struct ReadShape {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The `sub` of the token.
    user: String,
    /// The role of the token at that time.
    role: String,
    /// The route, or the request on a socket.
    route: String,
    /// The chat that was asked for; null where it was a list.
    chat_id: Option<String>,
    /// The contact that was asked for; null where it was a list.
    contact_id: Option<String>,
    /// Items that were shown at most; for `subscribe_updates`, channels.
    count: u32,
}

impl From<ListedRead> for ReadShape {
    fn from(read: ListedRead) -> Self {
        let ListedRead { at, user, role, route, chat, contact, count } = read;
        Self { at, user, role, route, chat_id: chat, contact_id: contact, count }
    }
}

/// One page of the log of reads.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReadsAnswer {
    reads: Vec<ReadShape>,
    /// `before` of the next page; null on the last one.
    next_before: Option<i64>,
}

async fn list(
    _: Admin,
    QueryString(question): QueryString<ReadsQuestion>,
    state: UserState,
) -> Result<Answer<ReadsAnswer>, ApiError> {
    let ReadsQuestion { user, chat_id, contact_id, since, until, limit, before } = question;
    let filter = ReadFilter {
        user: user.map(Into::into),
        chat: chat_id.map(Into::into),
        contact: contact_id.map(Into::into),
        since,
        until,
        before: before.and_then(|number| i64::try_from(number).ok()),
        limit,
    };
    let log = state.reads.log.clone();
    log.flush().await;
    let listed = web::block(move || log.list(&filter)).await;
    let found = listed.map_err(|_stopped| ApiError::Internal)?.map_err(|error| {
        log::error!("the log of reads does not answer: {}", chain(&error));
        ApiError::Unavailable { message: "the log of reads did not answer", retry_after_seconds: 2 }
    })?;
    let is_full = u32::try_from(found.len()).is_ok_and(|count| count == limit);
    let next_before = found.last().map(|(number, _)| *number).filter(|_| is_full);
    Ok(Answer(ReadsAnswer { reads: found.into_iter().map(|(_, read)| read.into()).collect(), next_before }))
}
