//! The REST rows under `/api/umbler`: questions to the hub, in pages.

pub mod params;
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
use actix_web::http::header::CACHE_CONTROL;
use actix_web::{Handler, HttpRequest, HttpResponse, Resource, Responder, web};
use serde::Serialize;
use utoipa::OpenApi;

use super::error::ApiError;
use super::guards::method_not_allowed;

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
        .service(
            web::resource("/notify")
                .route(web::post().to(notify::notify))
                .default_service(web::route().to(method_not_allowed)),
        )
        .service(readable("/revocations", revocations::list).route(web::post().to(revocations::revoke)))
        .service(readable("/members", members::list))
        .service(
            web::resource("/members/import")
                .route(web::post().to(members::import))
                .default_service(web::route().to(method_not_allowed)),
        )
        .service(
            web::resource("/members/{id}")
                .route(web::put().to(members::put))
                .route(web::delete().to(members::delete))
                .default_service(web::route().to(method_not_allowed)),
        )
        .service(readable("/settings", settings::get).route(web::put().to(settings::put)))
        .service(readable("/alerts", alerts::list))
        .service(
            web::resource("/alerts/{id}/acknowledge")
                .route(web::post().to(alerts::acknowledge))
                .default_service(web::route().to(method_not_allowed)),
        )
        .configure(metrics::configure);
}

/// A path that is read with GET and HEAD, and nothing else.
fn readable<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    web::resource(path)
        .route(web::get().to(handler.clone()))
        .route(web::head().to(handler))
        .default_service(web::route().to(method_not_allowed))
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
    if id.len() <= params::ID_BYTES_MAX { Ok(id) } else { Err(ApiError::NotFound("no id is that long")) }
}
