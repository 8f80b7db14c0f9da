//! `/search`: contacts by name and phone, messages by their words.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::ObjectBuilder;

use super::Answer;
use super::lists::LIMIT_MAX;
use crate::http::caller::{Caller, UserState};
use crate::http::error::ApiError;
use crate::http::fields::Fields;
use crate::http::question::{Mandatory, QueryString, Value, question};
use crate::http::route::routes;
use crate::http::values::{SEARCH_CHARS_MAX, of_length, string, words};
use crate::protocol::search::{FoundContact, FoundMessage};
use crate::reads::Cursor;
use crate::reads::search::{Kinds, Search, Wanted};

/// Items of each kind where no limit is given.
const LIMIT_DEFAULT: u32 = 20;

routes! {
    /// Contacts and messages that contain all of the words, regardless of case and accents.
    get "/search" => search, "search";
}

question! {
    struct SearchQuestion {
        /// Beginnings of words, `"whole words"`, or a part of a phone.
        q: Mandatory<Wanted>,
        /// `all` where it is left out.
        r#in: Kinds = Kinds::All,
        /// Most items of each kind.
        limit: u32 [1..=LIMIT_MAX] = LIMIT_DEFAULT,
        /// `nextCursor.contacts` or `nextCursor.messages` of the answer before, with the same `in`.
        cursor: Option<Cursor>,
    }
    checked by cursor_of_one_kind
}

words!(Kinds: "contacts" => Self::Contacts, "messages" => Self::Messages, "all" => Self::All);

impl Value for Wanted {
    fn read(text: &str) -> Result<Self, String> {
        of_length(text, SEARCH_CHARS_MAX).map(Self::new)
    }

    fn schema() -> ObjectBuilder {
        string().min_length(Some(1)).max_length(Some(SEARCH_CHARS_MAX))
    }
}

fn cursor_of_one_kind(question: &SearchQuestion, fields: &mut Fields) {
    if question.cursor.is_some() && question.r#in == Kinds::All {
        fields.refuse("cursor", "belongs to one kind: give in=contacts or in=messages with it");
    }
}

/// The contacts and messages that were found.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SearchAnswer {
    /// Contacts; empty where only messages were asked for.
    contacts: Vec<FoundContact>,
    /// Messages; empty where only contacts were asked for.
    messages: Vec<FoundMessage>,
    /// The cursors of the next page.
    next_cursor: NextCursors,
    /// The position up to which everything was indexed.
    as_of_seq: i64,
    /// False while the index is built, or where it did not reach the newest position in time.
    complete: bool,
}

/// The cursors of the next page, one for each kind.
#[derive(Debug, Serialize, ToSchema)]
pub struct NextCursors {
    /// `null` where there are no more contacts.
    contacts: Option<String>,
    /// `null` where there are no more messages.
    messages: Option<String>,
}

async fn search(
    caller: Caller,
    QueryString(question): QueryString<SearchQuestion>,
    state: UserState,
) -> Result<Answer<SearchAnswer>, ApiError> {
    let SearchQuestion { q: Mandatory(wanted), r#in: kinds, limit, cursor: after } = question;
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
