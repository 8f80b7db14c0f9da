//! The description of the REST API, and its page at `/api/docs`.

use actix_web::{HttpResponse, web};
use utoipa::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::{api, health, stream, webhook};

/// Where the description lies.
const DESCRIPTION: &str = "/api/openapi.json";

#[derive(OpenApi)]
#[openapi(
    info(title = "Umbler Hub", description = "Realtime hub for teams that work in WhatsApp through Umbler Talk."),
    paths(webhook::receive, stream::open, health::health, health::live, health::ready, health::metrics),
    external_docs(url = "/api/asyncapi.json", description = "The WebSocket and the event stream (AsyncAPI 3.0)"),
    modifiers(&Bearer),
    tags(
        (name = "umbler", description = "Queries. With a JWT key set they want `Authorization: Bearer`."),
        (name = "metrics", description = "Numbers of the team, as JSON or CSV; what each means: docs/metrics.md."),
        (name = "webhook", description = "What Umbler Talk posts to."),
        (name = "health", description = "For operators."),
    ),
)]
struct EdgeDoc;

struct Bearer;

impl utoipa::Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        document.components.get_or_insert_with(Default::default).add_security_scheme("bearer", scheme);
    }
}

/// The whole description.
pub fn document() -> utoipa::openapi::OpenApi {
    let mut document = EdgeDoc::openapi();
    document.merge(api::ApiDoc::openapi());
    document.merge(api::metrics::MetricsDoc::openapi());
    document
}

/// The description and its page.
pub fn configure(config: &mut web::ServiceConfig) {
    // Without the word "none" the page asks a validator on the internet what it thinks of the description.
    let settings = Config::new([DESCRIPTION]).validator_url("none");
    let page = SwaggerUi::new("/api/docs/{_:.*}").url(DESCRIPTION, document()).config(settings);
    config.route("/api/docs", web::get().to(to_page)).service(page);
}

async fn to_page() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header(("location", "/api/docs/")).finish()
}
