//! `/search`: contacts by name and phone, messages by their words.

use std::sync::Arc;

use actix_web::HttpRequest;
use serde::Serialize;
use utoipa::ToSchema;

use super::Answer;
use super::described::{cursor, limit, parameters, required, text, word};
use super::params::{LIMIT_MAX, Params, SEARCH_CHARS_MAX, fits};
use crate::http::caller::Caller;
use crate::http::caller::UserState;
use crate::http::error::{ApiError, CallRefusals};
use crate::protocol::search::{FoundContact, FoundMessage};
use crate::reads::Cursor;
use crate::reads::search::{Kinds, Search, Wanted};

/// Items of each kind where nothing is asked for.
const LIMIT_DEFAULT: u32 = 20;

/// The words of `in`.
const KINDS: [(&str, Kinds); 3] =
    [("contacts", Kinds::Contacts), ("messages", Kinds::Messages), ("all", Kinds::All)];

parameters! {
    /// What is searched for.
    Searched:
        required(text("q", "Beginnings of words, `\"whole words\"`, or a part of a phone.", SEARCH_CHARS_MAX)),
        word("in", "`all` (default).", &KINDS),
        limit(&format!("Items of each kind; {LIMIT_DEFAULT}.")),
        cursor("`nextCursor.contacts` or `.messages` of the answer before, with that `in`.");
}

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SearchAnswer {
    /// Contacts; empty where only messages were asked for.
    contacts: Vec<FoundContact>,
    /// Messages; empty where only contacts were asked for.
    messages: Vec<FoundMessage>,
    /// Where more begin.
    next_cursor: NextCursors,
    /// The position up to which the index had everything.
    as_of_seq: i64,
    /// False while the index is built, or where it did not reach the newest position in time.
    complete: bool,
}

/// Where more begin: one place for each kind.
#[derive(Debug, Serialize, ToSchema)]
pub struct NextCursors {
    /// `null` where there are no more contacts.
    contacts: Option<String>,
    /// `null` where there are no more messages.
    messages: Option<String>,
}

/// What a query string asks.
struct Asked {
    wanted: Wanted,
    kinds: Kinds,
    limit: u32,
    after: Option<Cursor>,
}

fn read(query: &str) -> Result<Asked, ApiError> {
    let mut params = Params::read(query)?;
    let wanted = params.take("q", |text| {
        let is_typed = fits(text, SEARCH_CHARS_MAX);
        is_typed
            .then(|| Wanted::new(text))
            .ok_or_else(|| format!("must have 1 to {SEARCH_CHARS_MAX} characters"))
    })?;
    let kinds = params.word("in", &KINDS)?.unwrap_or(Kinds::All);
    let limit = params.number("limit", 1, LIMIT_MAX)?.unwrap_or(LIMIT_DEFAULT);
    let after = params.take("cursor", str::parse::<Cursor>)?;
    params.finish()?;
    if after.is_some() && kinds == Kinds::All {
        return Err(ApiError::parameter("cursor", "goes on in one kind: say in=contacts or in=messages"));
    }
    let wanted = wanted.ok_or_else(|| ApiError::parameter("q", "must be given"))?;
    Ok(Asked { wanted, kinds, limit, after })
}

/// Contacts and messages in which all of the words occur, without regard to case and accents.
#[utoipa::path(
    get,
    path = "/api/umbler/search",
    operation_id = "search",
    tag = "umbler",
    security(("bearer" = [])),
    params(Searched),
    responses(
        (status = 200, body = SearchAnswer),
        CallRefusals,
    ),
)]
pub async fn search(
    caller: Caller,
    request: HttpRequest,
    state: UserState,
) -> Result<Answer<SearchAnswer>, ApiError> {
    let Asked { wanted, kinds, limit, after } = read(request.query_string())?;
    let (newest, reached) = state.reads.catch_up(&*state.reads.search).await;
    let index = Arc::clone(&state.reads.search);
    let found = state.ask(Search { index, wanted, kinds, limit, after, scope: caller.scope }).await?;
    Ok(Answer(SearchAnswer {
        contacts: found.contacts,
        messages: found.messages,
        next_cursor: NextCursors {
            contacts: found.next_contact.as_ref().map(ToString::to_string),
            messages: found.next_message.as_ref().map(ToString::to_string),
        },
        as_of_seq: reached.seq,
        complete: reached.has(newest),
    }))
}
