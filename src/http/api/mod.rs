//! The REST API under `/api/umbler`: questions to the hub, answered in pages.

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
pub mod names;
pub mod search;
pub mod settings;
pub mod settings_fields;
pub mod alerts;
pub mod link;
pub mod files;
pub mod setup;
pub mod send;
pub mod send_fields;
pub mod reads;
pub mod person_page;
pub mod person_file;
pub mod personal_data;
pub mod metrics;

use actix_web::body::BoxBody;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::Serialize;
use utoipa::ToSchema;

use super::read_notes::{ChatShown, ItemsShown};
use super::route::{API_PREFIX, Call, HandlerPart, Routes};

/// All routes of the REST API.
pub fn routes() -> Routes {
    let mut routes = Routes::under(API_PREFIX);
    routes.tagged("umbler");
    for add in [
        state::routes,
        contacts::routes,
        chats::routes,
        messages::routes,
        search::routes,
        notify::routes,
        revocations::routes,
        members::routes,
        names::routes,
        settings::routes,
        alerts::routes,
        link::routes,
        send::routes,
        personal_data::routes,
        reads::routes,
        files::routes,
        setup::routes,
    ] {
        add(&mut routes);
    }
    metrics::routes(routes.tagged("metrics"));
    routes
}

/// JSON that must not be cached, because it contains customers' data.
pub struct Answer<T>(pub T);

impl<T: Serialize> Responder for Answer<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(self.0)
    }
}

/// The same for a list, of which the log of reads notes how many items it shows.
pub struct CountedAnswer<T>(pub T, pub usize);

impl<T: Serialize> Responder for CountedAnswer<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        noted(Answer(self.0).respond_to(request), ItemsShown(self.1))
    }
}

impl<T: ToSchema> HandlerPart for CountedAnswer<T> {
    fn describe(call: &mut Call) {
        Answer::<T>::describe(call);
    }
}

/// The same for one thing of a chat whose id is not in the address, so that the log of reads names the chat.
pub struct AnswerOfChat<T>(pub T, pub String);

impl<T: Serialize> Responder for AnswerOfChat<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        noted(Answer(self.0).respond_to(request), ChatShown(self.1))
    }
}

impl<T: ToSchema> HandlerPart for AnswerOfChat<T> {
    fn describe(call: &mut Call) {
        Answer::<T>::describe(call);
    }
}

/// An answer with what the log of reads is to note of it.
fn noted<N: 'static>(mut response: HttpResponse, note: N) -> HttpResponse {
    response.extensions_mut().insert(note);
    response
}

impl<T: ToSchema> HandlerPart for Answer<T> {
    fn describe(call: &mut Call) {
        call.answers::<T>(200);
    }
}
