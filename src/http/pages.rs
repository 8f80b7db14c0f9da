//! The console, the client package and the dashboard.

use std::path::Path;

use actix_files::{Files, NamedFile};
use actix_web::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse, web};
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
        let fallback = move |request: actix_web::dev::ServiceRequest| {
            let index = index.clone();
            async move {
                let (request, _) = request.into_parts();
                let page = NamedFile::open(index)?.into_response(&request);
                Ok(actix_web::dev::ServiceResponse::new(request, page))
            }
        };
        config.service(
            Files::new("/", dashboard_dir)
                .index_file("index.html")
                .default_handler(actix_web::dev::fn_service(fallback)),
        );
    } else {
        config.route("/", web::get().to(console)).route("/", web::head().to(console));
    }
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
