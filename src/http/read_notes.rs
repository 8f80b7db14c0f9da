//! Notes who was shown personal data by REST: after the answer, from the route and its ids.

use actix_web::http::{Method, StatusCode};
use actix_web::{HttpMessage, HttpRequest};

use super::api::PREFIX;
use super::state::EdgeState;
use crate::auth::Identity;
use crate::reads::ReadNote;
use crate::telemetry::clock;

/// Beginnings of the routes that show personal data, after the prefix.
const SHOWING: [&str; 8] =
    ["/contacts", "/chats", "/messages", "/search", "/updates", "/alerts", "/stream", "/metrics/explain"];

/// How many items an answer shows. Set by answers that are lists.
#[derive(Debug, Clone, Copy)]
pub struct ItemsShown(pub usize);

/// Notes a request that was answered.
pub fn note(
    state: &EdgeState,
    request: &HttpRequest,
    route: &str,
    status: StatusCode,
    shown: Option<ItemsShown>,
) {
    let extensions = request.extensions();
    let identity = extensions.get::<Identity>();
    let is_read = matches!(*request.method(), Method::GET) && status.is_success();
    let (Some(identity), true) = (identity, is_read && state.reads.log.is_on()) else { return };
    let Some(rest) =
        route.strip_prefix(PREFIX).filter(|rest| SHOWING.iter().any(|shows| rest.starts_with(shows)))
    else {
        return;
    };
    let id = request.match_info().get("id").map(str::to_owned);
    let asked = |name: &str| {
        let query = form_urlencoded::parse(request.query_string().as_bytes());
        query.into_iter().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    let chat = id.clone().filter(|_| rest.starts_with("/chats")).or_else(|| asked("chatId"));
    let contact = id.filter(|_| rest.starts_with("/contacts")).or_else(|| asked("contactId"));
    state.reads.log.note(ReadNote {
        at: clock::now(),
        user: identity.sub.clone(),
        role: identity.role.as_str(),
        route: route.to_owned(),
        chat,
        contact,
        count: u32::try_from(shown.map_or(1, |ItemsShown(count)| count)).unwrap_or(u32::MAX),
    });
}
