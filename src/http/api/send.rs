//! Messages that go out: a chat's answer to a customer or a note for the team, what became of it, and what a person decides
//! about one that failed.

use std::sync::Arc;

use actix_web::body::BoxBody;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpRequest, HttpResponse, Responder};
use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::send_fields::SendRequest;
use super::{Answer, AnswerOfChat};
use crate::auth::Role;
use crate::domain::sending::{NotNow, may_write, window_until};
use crate::domain::{ChatId, EventId};
use crate::http::caller::{Caller, UserState};
use crate::http::error::ApiError;
use crate::http::extract::{PathId, RequestBody};
use crate::http::question::{Nothing, QueryString};
use crate::http::route::{Call, HandlerPart, routes};
use crate::http::state::EdgeState;
use crate::http::webhook::{record_of, store};
use crate::hub::AckStatus;
use crate::journal::digest::hex;
use crate::journal::outbox::{OutboxMessage, OutboxRequest};
use crate::journal::{Payload, own_id};
use crate::protocol::OutboxShape;
use crate::protocol::outbox::OutboxState;
use crate::reads::{BeginSending, GetOutbox, ListOutbox};
use crate::telemetry::clock;

/// Messages of all chats that may wait to be handed to the provider.
pub const QUEUED_MAX: u32 = 1_000;
/// Bytes of a hash that make an entry's id.
const ID_BYTES: usize = 16;

/// There is no chat with this id, or none that the caller sees.
const UNKNOWN_CHAT: ApiError = ApiError::NotFound("there is no chat with this id");
/// There is no entry with this id, or none of a chat that the caller sees.
const UNKNOWN_ENTRY: ApiError = ApiError::NotFound("there is no message with this id in the outbox");

routes! {
    /// Queues a message to the customer, or a private note. It is durable before it goes out; `outbox_updated` tells what
    /// becomes of it. The same `tempId` twice is one message. At most 60 a minute for each user.
    write(POST) "/chats/{id}/messages" => send, "sendMessage",
        refuses(403, "Viewers, and tokens whose `send` is false, send nothing."),
        refuses(409, "`sending_off`, `chat_closed`, `window_closed` (with `closedAt`) or `temp_id_used`.");
    /// What went out or is to go out in a chat and is not among its messages yet, and what failed, the first queued first; and
    /// whether the caller may write there now.
    get "/chats/{id}/outbox" => list, "listOutbox";
    /// One message that goes out, and what became of it.
    get "/outbox/{id}" => one, "getOutbox";
    /// Sends a message again that failed or was not confirmed. One that was not confirmed is looked for once more before.
    write(POST) "/outbox/{id}/resend" => resend, "resendMessage",
        refuses(403, "Viewers, and tokens whose `send` is false, send nothing."),
        refuses(409, "`not_undelivered`, `sending_off`, `chat_closed` or `window_closed` (with `closedAt`).");
    /// Drops a message that failed or was not confirmed: it is not listed any more.
    write(DELETE) "/outbox/{id}" => discard, "discardMessage",
        refuses(403, "Viewers, and tokens whose `send` is false, send nothing."),
        refuses(409, "`not_undelivered`: it is on its way or has arrived.");
}

/// A message that is on its way.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SendAnswer {
    /// The hub's id of it.
    outbox_id: String,
    /// `queued`; for a message that was known, what became of it.
    state: OutboxState,
    /// The position of the update that told that it was queued.
    seq: Option<i64>,
}

/// A message that goes out.
#[derive(Debug, Serialize, ToSchema)]
pub struct OutboxAnswer {
    outbox: OutboxShape,
}

/// What goes out in a chat, and whether the caller may write there.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChatOutboxAnswer {
    outbox: Vec<OutboxShape>,
    writing: WritingShape,
}

/// Whether the caller may write in a chat now.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Writing)]
pub struct WritingShape {
    /// Why the caller may not; null where they may.
    refused: Option<WritingRefusal>,
    /// Until when the customer can be written to freely; null where that has no end, or is not known.
    #[schema(value_type = Option<String>, format = DateTime)]
    window_until: Option<Timestamp>,
}

/// Why nobody, or not the caller, may write in a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WritingRefusal {
    /// The hub does not send messages.
    SendingOff,
    /// The token does not allow it.
    Forbidden,
    /// The chat is closed, so nothing can be written there.
    ChatClosed,
    /// The 24 hours after the customer's last message are over. Notes are still taken.
    WindowClosed,
}

/// JSON of 202: durable, and not done yet.
pub struct Accepted<T>(T);

impl<T: Serialize> Responder for Accepted<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Accepted().insert_header((CACHE_CONTROL, "no-store")).json(self.0)
    }
}

impl<T: ToSchema> HandlerPart for Accepted<T> {
    fn describe(call: &mut Call) {
        call.answers::<T>(202);
    }
}

async fn send(
    caller: Caller,
    _: QueryString<Nothing>,
    PathId(chat): PathId,
    RequestBody(request): RequestBody<SendRequest>,
    state: UserState,
) -> Result<Accepted<SendAnswer>, ApiError> {
    let default_prefix = check_right(&caller, &state)?;
    state.send_limiter.check(&caller.identity.sub)?;
    let SendRequest { text, temp_id, private, prefix } = request;
    let private = private.unwrap_or(false);
    let temp_id = temp_id.unwrap_or_else(|| format!("{:032x}", rand::random::<u128>()));
    let (id, chat) = (entry_id(&temp_id), String::from(chat));
    let question = BeginSending { chat: chat.clone(), id: id.clone(), scope: Arc::clone(&caller.scope) };
    let before = state.ask(question.clone()).await?.ok_or(UNKNOWN_CHAT)?;
    let wanted = WantedMessage { chat: chat.clone(), text: text.clone(), private };
    if let Some(known) = &before.known {
        wanted.check_same(known)?;
    } else {
        may_write(&before.chat, private, clock::now()).map_err(refusal)?;
        if before.waiting >= QUEUED_MAX {
            let message = "too many messages wait to be sent";
            return Err(ApiError::Unavailable { message, retry_after_seconds: 5 });
        }
    }
    let name = caller.identity.name.as_deref();
    let prefix = prefix.or_else(|| default_prefix.and_then(|prefix| signed(&prefix, name)));
    let prefix = prefix.filter(|prefix| !private && !prefix.is_empty());
    let by = caller.named();
    let message =
        OutboxMessage { id: id.clone(), temp_id, chat: ChatId::from(chat), text, private, prefix, by };
    let payload = Payload::Outbox(Box::new(OutboxRequest::Queue(message)));
    let ack =
        store(&state, record_of(&caller, payload, Some(EventId::from(format!("outbox:{id}"))))?).await?;
    state.link.outbox().ring();
    let mut known = before.known;
    if known.is_none() && ack.status == AckStatus::Duplicate {
        // Another request with the same `tempId` came first since it was looked up.
        known = state.ask(question).await?.and_then(|now| now.known);
        known.as_ref().map_or(Ok(()), |known| wanted.check_same(known))?;
    }
    let known = known.map_or(OutboxState::Queued, |known| known.state);
    Ok(Accepted(SendAnswer { outbox_id: id, state: known, seq: ack.seq.map(|seq| seq.0) }))
}

/// What the body of a request says: to whom, what, and whether only colleagues see it.
struct WantedMessage {
    chat: String,
    text: String,
    private: bool,
}

impl WantedMessage {
    /// Refuses it where its `tempId` stands for another message.
    fn check_same(&self, known: &OutboxShape) -> Result<(), ApiError> {
        let Self { chat, text, private } = self;
        let is_same =
            known.chat_id == *chat && known.text.as_ref() == Some(text) && known.private == *private;
        if is_same { Ok(()) } else { Err(ApiError::TempIdUsed) }
    }
}

async fn list(
    caller: Caller,
    _: QueryString<Nothing>,
    PathId(chat): PathId,
    state: UserState,
) -> Result<Answer<ChatOutboxAnswer>, ApiError> {
    let question = ListOutbox { chat: chat.into(), scope: Arc::clone(&caller.scope) };
    let (outbox, chat) = state.ask(question).await?.ok_or(UNKNOWN_CHAT)?;
    let refused = match check_right(&caller, &state) {
        Err(ApiError::SendingOff(_)) => Some(WritingRefusal::SendingOff),
        Err(_) => Some(WritingRefusal::Forbidden),
        Ok(_) => match may_write(&chat, false, clock::now()) {
            Err(NotNow::ChatClosed) => Some(WritingRefusal::ChatClosed),
            Err(NotNow::WindowClosed(_)) => Some(WritingRefusal::WindowClosed),
            Ok(()) => None,
        },
    };
    let writing = WritingShape { refused, window_until: window_until(&chat) };
    Ok(Answer(ChatOutboxAnswer { outbox, writing }))
}

async fn one(
    caller: Caller,
    _: QueryString<Nothing>,
    PathId(id): PathId,
    state: UserState,
) -> Result<AnswerOfChat<OutboxAnswer>, ApiError> {
    let question = GetOutbox { id: id.into(), scope: caller.scope };
    let outbox = state.ask(question).await?.ok_or(UNKNOWN_ENTRY)?;
    let chat = outbox.chat_id.clone();
    Ok(AnswerOfChat(OutboxAnswer { outbox }, chat))
}

async fn resend(
    caller: Caller,
    _: QueryString<Nothing>,
    PathId(id): PathId,
    state: UserState,
) -> Result<Answer<OutboxAnswer>, ApiError> {
    check_right(&caller, &state)?;
    state.send_limiter.check(&caller.identity.sub)?;
    let id = String::from(id);
    let scope = Arc::clone(&caller.scope);
    let known =
        state.ask(GetOutbox { id: id.clone(), scope: Arc::clone(&scope) }).await?.ok_or(UNKNOWN_ENTRY)?;
    // Where the text was erased, or became too old, an empty message would go out.
    if !known.state.is_for_a_person() || known.text.is_none() {
        return Err(ApiError::NotUndelivered);
    }
    let question = ListOutbox { chat: known.chat_id, scope };
    let (_, chat) = state.ask(question).await?.ok_or(UNKNOWN_ENTRY)?;
    may_write(&chat, known.private, clock::now()).map_err(refusal)?;
    let answer = decide(&caller, &state, id.clone(), OutboxRequest::Resend { id }).await?;
    state.link.outbox().ring();
    Ok(answer)
}

async fn discard(
    caller: Caller,
    _: QueryString<Nothing>,
    PathId(id): PathId,
    state: UserState,
) -> Result<Answer<OutboxAnswer>, ApiError> {
    check_role(&caller)?;
    let id = String::from(id);
    decide(&caller, &state, id.clone(), OutboxRequest::Discard { id }).await
}

/// Records what a person decided about a message, and answers with what it is then.
async fn decide(
    caller: &Caller,
    state: &UserState,
    id: String,
    request: OutboxRequest,
) -> Result<Answer<OutboxAnswer>, ApiError> {
    let question = GetOutbox { id, scope: Arc::clone(&caller.scope) };
    state.ask(question.clone()).await?.ok_or(UNKNOWN_ENTRY)?;
    let record = record_of(caller, Payload::Outbox(Box::new(request)), Some(own_id("outbox")))?;
    if store(state, record).await?.seq.is_none() {
        return Err(ApiError::NotUndelivered);
    }
    Ok(Answer(OutboxAnswer { outbox: state.ask(question).await?.ok_or(UNKNOWN_ENTRY)? }))
}

fn check_role(caller: &Caller) -> Result<(), ApiError> {
    if caller.identity.role == Role::Viewer {
        return Err(ApiError::Forbidden("viewers send no messages"));
    }
    if !caller.identity.may_send {
        return Err(ApiError::Forbidden("the token's user sends no messages"));
    }
    Ok(())
}

/// Whether the caller may send at all; returns the prefix of messages.
fn check_right(caller: &Caller, state: &EdgeState) -> Result<Option<String>, ApiError> {
    check_role(caller)?;
    let prefix = state.settings.send_prefix.clone().ok_or(ApiError::SendingOff("UMBLER_SEND is off"))?;
    let token = state.link.keeper().and_then(|keeper| keeper.source());
    token.map(|_source| prefix).ok_or(ApiError::SendingOff("no token of Umbler's API is set"))
}

fn refusal(not_now: NotNow) -> ApiError {
    match not_now {
        NotNow::ChatClosed => ApiError::ChatClosed,
        NotNow::WindowClosed(closed_at) => ApiError::WindowClosed { closed_at },
    }
}

/// The prefix with the sender's name; `None` where it needs one and there is none.
fn signed(prefix: &str, name: Option<&str>) -> Option<String> {
    match name {
        Some(name) => Some(prefix.replace("NAME", name.trim())),
        None => (!prefix.contains("NAME")).then(|| prefix.to_owned()),
    }
}

/// The same for the same `tempId`, and nothing that shows it.
fn entry_id(temp_id: &str) -> String {
    hex(&digest(&SHA256, temp_id.as_bytes()).as_ref()[..ID_BYTES])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_needs_the_name_that_it_shows() {
        assert_eq!(signed("*NAME:*", Some("Bia ")).as_deref(), Some("*Bia:*"));
        assert_eq!(signed("*NAME:*", None), None);
        assert_eq!(signed("Loja:", None).as_deref(), Some("Loja:"));
    }
}
