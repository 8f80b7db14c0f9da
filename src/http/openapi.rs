//! The description of the REST API, and its page at `/api/docs`.
//!
//! Each route is described by the type of the question that it reads ([`question`](super::question)), so the
//! description refuses what the hub refuses. `scripts/api-fuzz.sh` compares it with a running hub.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use serde_json::json;
use utoipa::OpenApi;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, Object, Schema};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::{api, cluster, health, stream, webhook};

/// The path of the description.
const DESCRIPTION: &str = "/api/openapi.json";

/// What callers send, besides bodies that are questions and are described there. Unknown fields of these are
/// refused by name, and optional fields may be missing.
const SENT: [&str; 8] = [
    "NotifyRequest",
    "SendRequest",
    "SettingsRequest",
    "WeekHours",
    "Holiday",
    "Thresholds",
    "SavedView",
    "DailyReport",
];

#[derive(OpenApi)]
#[openapi(
    info(title = "Umbler Hub", description = "Realtime hub for teams that work in WhatsApp through Umbler Talk."),
    external_docs(url = "/api/asyncapi.json", description = "The WebSocket and the event stream (AsyncAPI 3.0)"),
    modifiers(&Secrets),
    tags(
        (name = "umbler", description = "Questions and changes. Where the hub has a JWT key they need `Authorization: Bearer`."),
        (name = "metrics", description = "Numbers of the team, as JSON or CSV. docs/metrics.md says what each means."),
        (name = "webhook", description = "The address that Umbler Talk posts to."),
        (name = "health", description = "For operators and load balancers."),
        (name = "cluster", description = "For other hubs of the cluster."),
    ),
)]
struct Description;

struct Secrets;

impl utoipa::Modify for Secrets {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let bearer = || SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        let token = ApiKeyValue::with_description("token", "The webhook secret, if one is set.");
        let components = document.components.get_or_insert_with(Default::default);
        components.add_security_scheme("bearer", bearer());
        components.add_security_scheme("webhookToken", SecurityScheme::ApiKey(ApiKey::Query(token)));
        components.add_security_scheme("webhookBearer", bearer());
        components.add_security_scheme("clusterBearer", bearer());
    }
}

/// The complete description of a hub in this time zone.
pub fn document(time_zone: &str) -> utoipa::openapi::OpenApi {
    let mut document = Description::openapi();
    for routes in [webhook::routes(), stream::routes(), health::routes(), cluster::routes(), api::routes()] {
        routes.describe_in(&mut document);
    }
    if let Some(components) = &mut document.components {
        tighten(&mut components.schemas);
        name_time_zone(&mut components.schemas, time_zone);
    }
    document
}

/// Completes the schemas. What callers send ([`SENT`]) allows no fields but those described. In answers nearly all fields are
/// required, because what is unknown is `null`.
fn tighten(schemas: &mut BTreeMap<String, RefOr<Schema>>) {
    for (name, schema) in schemas {
        let is_sent = SENT.contains(&name.as_str());
        for object in objects(schema).into_iter().filter(|object| object.additional_properties.is_none()) {
            if is_sent {
                object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
            } else {
                object.required =
                    object.properties.keys().filter(|field| is_always_there(name, field)).cloned().collect();
            }
        }
    }
}

/// The object that a schema is, or the objects that it is composed of.
fn objects(schema: &mut RefOr<Schema>) -> Vec<&mut Object> {
    match schema {
        RefOr::T(Schema::Object(object)) => vec![object],
        RefOr::T(Schema::AllOf(parts)) => parts.items.iter_mut().flat_map(objects).collect(),
        RefOr::T(_) | RefOr::Ref(_) => Vec::new(),
    }
}

/// True for a field that answers and updates leave out when it has nothing to say.
pub(super) fn is_left_out(schema: &str, field: &str) -> bool {
    match schema {
        "Message" => matches!(field, "sentBy" | "echoOf" | "erased"),
        "File" => field == "transcription",
        "SettingsValues" => matches!(field, "views" | "dailyReport"),
        _ => false,
    }
}

/// False where a field of an answer is left out when it has nothing to say.
fn is_always_there(schema: &str, field: &str) -> bool {
    match schema {
        "ErrorDetail" => !matches!(field, "parameter" | "closedAt"),
        "HealthAnswer" => {
            !matches!(field, "reason" | "fault" | "signInKeys" | "cluster") && !field.starts_with("backup")
        }
        "ClusterPart" => field != "halted",
        "WebhookAnswer" => field != "reason",
        // The route decides which columns a row has; see `api/metrics/answers.rs`.
        "DistributionRow" => field != "previousN",
        "LiveRow" => !matches!(field, "id" | "name"),
        "MetricsRow" => {
            !field.starts_with("previous")
                && !matches!(field, "start" | "end" | "weekday" | "hour" | "id" | "name")
        }
        _ => !is_left_out(schema, field),
    }
}

/// Restricts the time zone in settings to that of the hub.
fn name_time_zone(schemas: &mut BTreeMap<String, RefOr<Schema>>, time_zone: &str) {
    let settings = schemas.get_mut("SettingsRequest").map(objects).into_iter().flatten();
    for object in settings {
        if let Some(RefOr::T(Schema::Object(field))) = object.properties.get_mut("timeZone") {
            field.enum_values = Some(vec![json!(time_zone)]);
        }
    }
}

/// Registers the description and its page.
pub fn configure(config: &mut web::ServiceConfig, time_zone: &str) {
    // Without the word "none" the page would send the description to a validator on the internet.
    let settings = Config::new([DESCRIPTION]).validator_url("none");
    let page = SwaggerUi::new("/api/docs/{_:.*}").url(DESCRIPTION, document(time_zone)).config(settings);
    config.route("/api/docs", web::get().to(to_page)).service(page);
}

async fn to_page() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header(("location", "/api/docs/")).finish()
}
