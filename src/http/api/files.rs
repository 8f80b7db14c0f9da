//! `/messages/{id}/file`: where the file of a message is. The hub stores no files: it sends the caller to the provider's storage.

use std::time::{Duration, Instant};

use actix_web::body::BoxBody;
use actix_web::http::header::{CACHE_CONTROL, LOCATION};
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;

use super::{Answer, noted};
use crate::domain::ChatId;
use crate::http::caller::{Caller, UserState};
use crate::http::error::ApiError;
use crate::http::extract::PathId;
use crate::http::files::{FileFound, FileQuestion};
use crate::http::question::{QueryString, question};
use crate::http::read_notes::ChatShown;
use crate::http::route::{Call, HandlerPart, routes};
use crate::http::state::EdgeState;
use crate::http::values::FileFormat;
use crate::reads::{FindFile, MessageFile};

/// How long a caller waits for the provider.
const FILE_WAIT: Duration = Duration::from_secs(10);
/// Seconds after which a file may have come.
const RETRY_SECONDS: u64 = 60;

routes! {
    /// Sends the caller to the file of a message. Where its address is not known or was refused, Umbler is asked for it first, once
    /// in ten minutes. The hub itself stores no files.
    get_only "/messages/{id}/file" => file, "getMessageFile",
        refuses(403, "Files are withheld from viewers."),
        refuses(404, "No message that you may see has this id, it has no file, or its file cannot be had any more."),
        refuses(503, "The file has not come yet, or Umbler cannot be asked; `Retry-After` says when to try again.");
}

question! {
    struct FileLookup {
        /// True where the address that the message has was refused: Umbler is asked for another one.
        refused: Option<bool>,
        /// `redirect` answers with 302, `json` with an object, for pages whose pictures carry no token. Default: `redirect`.
        format: Option<FileFormat>,
    }
}

/// How the file of a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum FileState {
    /// Its address is in `url`.
    Ready,
    /// It has not come yet.
    Pending,
    /// It cannot be had any more, or never came.
    Unavailable,
}

/// Where the file of a message is.
#[derive(Debug, Serialize, ToSchema)]
pub struct FileAnswer {
    state: FileState,
    /// Its address; null unless it is ready.
    url: Option<String>,
}

/// A redirect to the file, or an object that tells where it is.
enum FileReply {
    Redirect(String),
    Told(FileAnswer),
}

/// The same, of a message in this chat.
pub struct FileReplyOfChat {
    reply: FileReply,
    chat: ChatId,
}

impl Responder for FileReplyOfChat {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let response = match self.reply {
            FileReply::Told(answer) => Answer(answer).respond_to(request),
            FileReply::Redirect(url) => HttpResponse::Found()
                .insert_header((LOCATION, url))
                .insert_header((CACHE_CONTROL, "no-store"))
                .finish(),
        };
        noted(response, ChatShown(self.chat.to_string()))
    }
}

impl HandlerPart for FileReplyOfChat {
    fn describe(call: &mut Call) {
        call.answers::<FileAnswer>(200).redirects("The file is at the address in `Location`.");
    }
}

async fn file(
    caller: Caller,
    QueryString(question): QueryString<FileLookup>,
    PathId(id): PathId,
    state: UserState,
) -> Result<FileReplyOfChat, ApiError> {
    if caller.scope.is_masked() {
        return Err(ApiError::Forbidden("files are withheld from viewers"));
    }
    let message: String = id.into();
    let found = state.ask(FindFile { message: message.clone(), scope: caller.scope }).await?;
    let (chat, known) = match found {
        None => return Err(ApiError::NotFound("no message has this id")),
        Some(MessageFile { has_file: false, .. }) => {
            return Err(ApiError::NotFound("the message has no file"));
        }
        Some(MessageFile { chat, url, .. }) => (chat, url.filter(|_| question.refused != Some(true))),
    };
    let found = match known {
        Some(url) => FileFound::At(url),
        None => ask(&state, &message).await?,
    };
    let unreachable = || ApiError::Unavailable {
        message: "Umbler cannot be asked for the file now",
        retry_after_seconds: RETRY_SECONDS,
    };
    if question.format == Some(FileFormat::Json) {
        let (state, url) = match found {
            FileFound::At(url) => (FileState::Ready, Some(url)),
            FileFound::Pending => (FileState::Pending, None),
            FileFound::Unavailable => (FileState::Unavailable, None),
            FileFound::Unreachable => return Err(unreachable()),
        };
        return Ok(FileReplyOfChat { reply: FileReply::Told(FileAnswer { state, url }), chat });
    }
    match found {
        FileFound::At(url) => Ok(FileReplyOfChat { reply: FileReply::Redirect(url), chat }),
        FileFound::Pending => Err(ApiError::Unavailable {
            message: "the file has not come yet",
            retry_after_seconds: RETRY_SECONDS,
        }),
        FileFound::Unavailable => Err(ApiError::NotFound("the file cannot be had any more")),
        FileFound::Unreachable => Err(unreachable()),
    }
}

/// Asks the provider, or hears what it said lately.
async fn ask(state: &EdgeState, message: &str) -> Result<FileFound, ApiError> {
    match state.link.files().ask(message, Instant::now()) {
        FileQuestion::Known(found) => Ok(found),
        FileQuestion::Waits(answer) => Ok(match timeout(FILE_WAIT, answer).await {
            Ok(Ok(found)) => found,
            Ok(Err(_)) | Err(_) => FileFound::Unreachable,
        }),
        // Another hub of the cluster asks, after a while, and then every hub knows.
        FileQuestion::Off if state.link.has_token() => Ok(FileFound::Unreachable),
        // Without a link nobody can be asked: what is not known stays unknown.
        FileQuestion::Off => Ok(FileFound::Unavailable),
        FileQuestion::Full => {
            let message = "too many files are waited for";
            Err(ApiError::Unavailable { message, retry_after_seconds: 1 })
        }
    }
}
