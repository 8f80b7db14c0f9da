//! HTTP: requests become typed messages to the hub, and answers become JSON.
//!
//! # Contract
//!
//! 1. Input becomes a typed value here, or is refused here; no later room checks it again.
//! 2. Handlers use the hub and the readers, and nothing behind them.
//! 3. No token and no query string is written to a log.

pub mod address;
pub mod error;
pub mod origin;
pub mod unread;
pub mod body;
pub mod limiter;
pub mod bodies;
pub mod connections;
pub mod files;
pub mod link;
pub mod bell;
pub mod state;
pub mod rebinding;
pub mod writes;
pub mod route;
pub mod fields;
pub mod question;
pub mod values;
pub mod caller;
pub mod extract;
pub mod trace;
pub mod access;
pub mod read_notes;
pub mod guards;
pub mod webhook;
pub mod api;
pub mod after;
pub mod cluster;
pub mod health;
pub mod socket;
pub mod stream;
pub mod pages;
pub mod openapi;
pub mod asyncapi;

use actix_cors::Cors;
use actix_web::http::{Method, header};
use actix_web::middleware::{Compress, from_fn};
use actix_web::web;

use state::EdgeState;

/// Seconds for which a browser may remember whether a page may call the hub.
const PREFLIGHT_SECONDS: usize = 600;

/// Registers every route of the hub.
pub fn configure(config: &mut web::ServiceConfig, state: &web::Data<EdgeState>) {
    config
        .app_data(state.clone())
        .configure(|config| webhook::routes().register(config))
        // Before the scope, which compresses answers and would delay the stream.
        .configure(|config| stream::routes().register(config))
        .service(
            web::scope(route::API_PREFIX)
                .wrap(Compress::default())
                .wrap(from_fn(after::wait))
                .wrap(from_fn(guards::limit))
                .configure(|config| api::routes().register(config))
                .default_service(web::route().to(guards::not_found)),
        )
        .configure(|config| health::routes().register(config))
        .configure(|config| cluster::routes().register(config))
        .service(web::resource("/ws").get(socket::open))
        .configure(|config| openapi::configure(config, &state.settings.time_zone))
        .configure(asyncapi::configure)
        .configure(|config| pages::configure(config, &state.settings.dashboard_dir))
        .default_service(web::route().to(guards::not_found));
}

/// Lets pages of `FRONTEND_URL` read answers. Browsers keep answers from other pages.
pub fn cors(state: &web::Data<EdgeState>) -> Cors {
    let state = state.clone();
    Cors::default()
        .allowed_origin_fn(move |origin, _| {
            origin.to_str().is_ok_and(|origin| state.settings.origins.allows(origin))
        })
        .allowed_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::HEAD])
        .allowed_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_MATCH,
            stream::LAST_EVENT_ID,
            after::AFTER,
            trace::REQUEST_ID,
            trace::TRACEPARENT,
        ])
        .expose_headers([header::RETRY_AFTER, header::ETAG, trace::REQUEST_ID])
        .max_age(PREFLIGHT_SECONDS)
}
