//! The console, the client package and the dashboard.

use std::path::Path;

use actix_files::{Files, NamedFile};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use actix_web::middleware::DefaultHeaders;
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rust_embed::Embed;

use super::error::ApiError;

/// `static/`, inside the binary.
#[derive(Embed)]
#[folder = "static/"]
#[exclude = "*/node_modules/*"]
struct Static;

/// The console's page.
const CONSOLE: &str = "index.html";

/// The pages: the console at `/console`, and at `/` too where no dashboard is built.
pub fn configure(config: &mut web::ServiceConfig, dashboard_dir: &Path) {
    config.route("/console", web::get().to(console)).route("/console", web::head().to(console)).service(
        web::resource(["/console/{path:.*}", "/client/{path:.*}"])
            .get(embedded)
            .route(web::head().to(embedded)),
    );
    if dashboard_dir.join("index.html").is_file() {
        let index = dashboard_dir.join("index.html");
        // A page's own address, opened directly, is the dashboard's business.
        let fallback = move |request: ServiceRequest| {
            let index = index.clone();
            async move {
                let (request, _) = request.into_parts();
                let answer = if may_be_page(request.path()) {
                    NamedFile::open(index)?.into_response(&request)
                } else {
                    ApiError::NotFound("nothing has this address").error_response()
                };
                Ok(ServiceResponse::new(request, answer))
            }
        };
        let files = Files::new("/", dashboard_dir)
            .index_file("index.html")
            .default_handler(actix_web::dev::fn_service(fallback));
        // Asked for again each time, and answered by the tag: a page that a browser kept would name files of a build
        // that is gone.
        let fresh = DefaultHeaders::new().add((CACHE_CONTROL, "no-cache"));
        config.service(web::scope("").wrap(fresh).service(files));
    } else {
        config.route("/", web::get().to(console)).route("/", web::head().to(console));
    }
}

/// Programs that ask for what does not exist, and pages of an older build, must not be answered with a page.
fn may_be_page(path: &str) -> bool {
    !["/api/", "/assets/"].iter().any(|folder| path.starts_with(folder))
}

async fn console(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    file(&request, CONSOLE)
}

async fn embedded(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    file(&request, request.path().trim_start_matches('/'))
}

/// A file of `static/`; a browser that has it already is told so.
fn file(request: &HttpRequest, path: &str) -> Result<HttpResponse, ApiError> {
    let file = Static::get(path).ok_or(ApiError::NotFound("no such file"))?;
    let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(file.metadata.sha256_hash()));
    let known = request.headers().get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((ETAG, tag)).insert_header((CACHE_CONTROL, "no-cache"));
    if known {
        return Ok(response.finish());
    }
    Ok(response.content_type(file.metadata.mimetype()).body(file.data.into_owned()))
}
