//! Serves the console, the browser client and the dashboard.

use std::path::{Path, PathBuf};

use actix_files::{Files, NamedFile};
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, ETAG, HeaderValue, IF_NONE_MATCH};
use actix_web::middleware::{Compress, Next, from_fn};
use actix_web::{Error, HttpRequest, HttpResponse, ResponseError, web};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rust_embed::Embed;

use super::error::ApiError;

/// The files of `static/`, inside the binary.
#[derive(Embed)]
#[folder = "static/"]
#[exclude = "*/node_modules/*"]
struct Static;

/// The page of the console.
const CONSOLE: &str = "index.html";

/// Where the build puts the files whose names tell their content. A name never gets another content.
const ASSETS: &str = "/assets/";
/// Browsers keep such a file for a year, and do not ask again.
const KEPT: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Browsers must ask again each time, and are answered by the entity tag: a page that a browser kept would refer to
/// files of a build that no longer exists.
const ASKED_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

/// Registers the pages: the console at `/console`, and also at `/` where no dashboard was built.
pub fn configure(config: &mut web::ServiceConfig, dashboard_dir: &Path) {
    config.route("/console", web::get().to(console)).route("/console", web::head().to(console)).service(
        web::resource(["/console/{path:.*}", "/client/{path:.*}"])
            .wrap(Compress::default())
            .get(embedded)
            .route(web::head().to(embedded)),
    );
    if dashboard_dir.join("index.html").is_file() {
        let folder = dashboard_dir.to_path_buf();
        // A page's own address that is opened directly belongs to the dashboard.
        let fallback = move |request: ServiceRequest| {
            let folder = folder.clone();
            async move {
                let (request, _) = request.into_parts();
                let answer = if may_be_page(request.path()) {
                    NamedFile::open(document(&folder, request.path()))?.into_response(&request)
                } else {
                    ApiError::NotFound("nothing is at this address").error_response()
                };
                Ok(ServiceResponse::new(request, answer))
            }
        };
        let files = Files::new("/", dashboard_dir)
            .index_file("index.html")
            // The build has put smaller copies beside its files; what has none is compressed as it is sent.
            .try_compressed()
            .default_handler(actix_web::dev::fn_service(fallback));
        config.service(
            web::scope("").wrap(from_fn(tell_how_long_to_keep)).wrap(Compress::default()).service(files),
        );
    } else {
        config.route("/", web::get().to(console)).route("/", web::head().to(console));
    }
}

async fn tell_how_long_to_keep(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let is_asset = request.path().starts_with(ASSETS);
    let mut response = next.call(request).await?;
    let is_kept =
        is_asset && (response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED);
    response.headers_mut().insert(CACHE_CONTROL, if is_kept { KEPT } else { ASKED_AGAIN });
    Ok(response)
}

/// False for programs that ask for what does not exist, and for files of an older build, which must not get a
/// page as the answer.
fn may_be_page(path: &str) -> bool {
    !["/api/", ASSETS].iter().any(|folder| path.starts_with(folder))
}

/// What draws the page at an address. The build has a document for some of them, which asks for the page's files at once; a page is
/// the first part of an address.
fn document(folder: &Path, path: &str) -> PathBuf {
    let page = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    let own = folder.join("pages").join(format!("{page}.html"));
    let is_name = page.bytes().all(|byte| byte.is_ascii_lowercase());
    if is_name && own.is_file() { own } else { folder.join("index.html") }
}

async fn console(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    file(&request, CONSOLE)
}

async fn embedded(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    file(&request, request.path().trim_start_matches('/'))
}

/// A file of `static/`. A browser that has it already is only told so.
fn file(request: &HttpRequest, path: &str) -> Result<HttpResponse, ApiError> {
    let file = Static::get(path).ok_or(ApiError::NotFound("there is no such file"))?;
    let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(file.metadata.sha256_hash()));
    let known = request.headers().get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((ETAG, tag)).insert_header((CACHE_CONTROL, "no-cache"));
    if known {
        return Ok(response.finish());
    }
    Ok(response.content_type(file.metadata.mimetype()).body(file.data.into_owned()))
}
