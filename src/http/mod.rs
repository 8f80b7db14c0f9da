//! The edge: HTTP in, typed messages to the hub, JSON out.
//!
//! # Contract
//!
//! 1. Input becomes a typed value here, or is refused here; nothing behind it checks again.
//! 2. Handlers know the hub and nothing behind it.
//! 3. No token and no query string reaches a log.

pub mod address;
pub mod error;
pub mod origin;
pub mod unread;
pub mod body;
pub mod limiter;
pub mod bodies;
pub mod connections;
pub mod link;
pub mod state;
pub mod rebinding;
pub mod writes;
pub mod route;
pub mod fields;
pub mod question;
pub mod values;
pub mod caller;
pub mod extract;
pub mod guards;
pub mod webhook;
pub mod api;
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

/// How long a browser may keep the answer to its question whether it may ask, in seconds.
const PREFLIGHT_SECONDS: usize = 600;

/// Every route of the hub.
pub fn configure(config: &mut web::ServiceConfig, state: &web::Data<EdgeState>) {
    config
        .app_data(state.clone())
        .configure(|config| webhook::routes().register(config))
        // Before the scope, which compresses answers and would hold the stream back.
        .configure(|config| stream::routes().register(config))
        .service(
            web::scope(api::PREFIX)
                .wrap(Compress::default())
                .wrap(from_fn(guards::limit))
                .configure(|config| api::routes().register(config))
                .default_service(web::route().to(guards::not_found)),
        )
        .configure(|config| health::routes().register(config))
        .service(web::resource("/ws").get(socket::open))
        .configure(|config| openapi::configure(config, &state.settings.time_zone))
        .configure(asyncapi::configure)
        .configure(|config| pages::configure(config, &state.settings.dashboard_dir))
        .default_service(web::route().to(guards::not_found));
}

/// Pages of `FRONTEND_URL` may ask; others' browsers are not told the answer.
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
        ])
        .expose_headers([header::RETRY_AFTER, header::ETAG])
        .max_age(PREFLIGHT_SECONDS)
}
