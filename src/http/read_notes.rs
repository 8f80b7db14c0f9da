//! Notes who was shown personal data by REST: after the answer, from the route and its ids. What sessions are shown is noted
//! where they ask for it (`session::noting`).

use actix_web::body::MessageBody;
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};

use super::route::API_PREFIX;
use super::state::EdgeState;
use crate::auth::Identity;
use crate::reads::ReadNote;
use crate::telemetry::clock;

/// Beginnings of the routes that show personal data, after the prefix.
const SHOWING: [&str; 8] =
    ["/contacts", "/chats", "/messages", "/outbox", "/search", "/updates", "/alerts", "/webhook/undecodable"];
/// Metrics are numbers, but what is behind one are chats, with the names of their contacts.
const METRICS: &str = "/metrics";

/// How many items an answer shows. Set by answers that are lists.
#[derive(Debug, Clone, Copy)]
pub struct ItemsShown(pub usize);

/// The chat that an answer is of, where the address names something in it, such as a message.
#[derive(Debug, Clone)]
pub struct ChatShown(pub String);

/// Notes a request that was answered.
pub fn note(
    state: &EdgeState,
    request: &HttpRequest,
    route: &str,
    response: &HttpResponse<impl MessageBody>,
) {
    let (extensions, shown) = (request.extensions(), response.extensions());
    let identity = extensions.get::<Identity>();
    // The file of a message is shown by sending the caller to its address.
    let is_shown = response.status().is_success() || response.status() == StatusCode::FOUND;
    let is_read = matches!(*request.method(), Method::GET) && is_shown;
    let (Some(identity), true) = (identity, is_read && state.reads.log.is_on()) else { return };
    let asked = |name: &str| {
        let query = form_urlencoded::parse(request.query_string().as_bytes());
        query.into_iter().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    let is_noted = |rest: &&str| {
        SHOWING.iter().any(|path| rest.starts_with(path))
            || (rest.starts_with(METRICS) && asked("explain").as_deref() == Some("true"))
    };
    let Some(rest) = route.strip_prefix(API_PREFIX).filter(is_noted) else { return };
    let id = request.match_info().get("id").map(str::to_owned);
    let chat = id.clone().filter(|_| rest.starts_with("/chats"));
    let chat = chat.or_else(|| shown.get::<ChatShown>().map(|ChatShown(chat)| chat.clone()));
    let chat = chat.or_else(|| asked("chatId"));
    let contact = id.filter(|_| rest.starts_with("/contacts")).or_else(|| asked("contactId"));
    state.reads.log.note(ReadNote {
        at: clock::now(),
        user: identity.sub.clone(),
        role: identity.role.as_str(),
        route: route.to_owned(),
        chat,
        contact,
        count: u32::try_from(shown.get::<ItemsShown>().map_or(1, |ItemsShown(count)| *count))
            .unwrap_or(u32::MAX),
    });
}
