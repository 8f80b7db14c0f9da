//! The REST rows under `/api/umbler`.

use actix_web::web;
use utoipa::OpenApi;

/// Their description.
#[derive(OpenApi)]
#[openapi()]
pub struct ApiDoc;

/// Their routes.
pub fn configure(_config: &mut web::ServiceConfig) {}
