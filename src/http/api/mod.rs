//! The REST rows under `/api/umbler`: questions to the hub, in pages.

pub mod params;
pub mod described;
pub mod lists;
pub mod spreadsheet;
pub mod state;
pub mod revocations;
pub mod messages;
pub mod chats;
pub mod contacts;
pub mod notify;
pub mod members;
pub mod member_fields;
pub mod member_csv;
pub mod search;
pub mod history;
pub mod settings;
pub mod settings_fields;
pub mod alerts;
pub mod metrics;

use actix_web::body::BoxBody;
use actix_web::http::Method;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::{Handler, HttpRequest, HttpResponse, Resource, Responder, web};
use serde::Serialize;
use utoipa::OpenApi;

use super::error::ApiError;
use super::writes::{self, Takes};

/// Their description.
#[derive(OpenApi)]
#[openapi(paths(
    state::stats,
    state::updates,
    state::webhook_status,
    contacts::list,
    contacts::one,
    contacts::chats,
    chats::list,
    chats::one,
    chats::messages,
    messages::list,
    notify::notify,
    revocations::revoke,
    revocations::list,
    members::list,
    members::put,
    members::delete,
    members::import,
    search::search,
    history::timeline,
    settings::get,
    settings::put,
    alerts::list,
    alerts::acknowledge,
))]
pub struct ApiDoc;

/// Their routes.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(readable("/stats", state::stats))
        .service(readable("/updates", state::updates))
        .service(readable("/webhook/status", state::webhook_status))
        .service(readable("/contacts", contacts::list))
        .service(readable("/contacts/{id}", contacts::one))
        .service(readable("/contacts/{id}/chats", contacts::chats))
        .service(readable("/chats", chats::list))
        .service(readable("/chats/{id}", chats::one))
        .service(readable("/chats/{id}/messages", chats::messages))
        .service(readable("/chats/{id}/timeline", history::timeline))
        .service(readable("/messages", messages::list))
        .service(readable("/search", search::search))
        .service(web::resource("/notify").route(writes::route(Method::POST, Takes::Json, notify::notify)))
        .service(readable("/revocations", revocations::list).route(writes::route(
            Method::POST,
            Takes::Json,
            revocations::revoke,
        )))
        .service(readable("/members", members::list))
        .service(web::resource("/members/import").route(writes::route(
            Method::POST,
            Takes::Csv,
            members::import,
        )))
        .service(
            web::resource("/members/{id}")
                .route(writes::route(Method::PUT, Takes::Json, members::put))
                .route(writes::route(Method::DELETE, Takes::Nothing, members::delete)),
        )
        .service(readable("/settings", settings::get).route(writes::route(
            Method::PUT,
            Takes::Json,
            settings::put,
        )))
        .service(readable("/alerts", alerts::list))
        .service(web::resource("/alerts/{id}/acknowledge").route(writes::route(
            Method::POST,
            Takes::Nothing,
            alerts::acknowledge,
        )))
        .configure(metrics::configure);
}

/// A path that is read with GET and HEAD, and nothing else.
fn readable<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    web::resource(path).route(web::get().to(handler.clone())).route(web::head().to(handler))
}

/// JSON that no cache keeps: it holds customers' data.
pub struct Answer<T>(pub T);

impl<T: Serialize> Responder for Answer<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(self.0)
    }
}

/// An id in a path; what is too long to be one is nobody's.
fn path_id(path: web::Path<String>) -> Result<String, ApiError> {
    let id = path.into_inner();
    if params::fits(&id, params::ID_CHARS_MAX) {
        Ok(id)
    } else {
        Err(ApiError::NotFound("no id is that long"))
    }
}
