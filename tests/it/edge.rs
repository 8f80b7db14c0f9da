//! What stands around every answer: origins, protecting headers, limits, the description and its page.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::support::{Answer, Hub, hub_with, spawn_hub};

/// Every REST row of the contract, as the description writes it.
const ROUTES: [(&str, &str); 19] = [
    ("post", "/api/umbler/webhook"),
    ("get", "/api/umbler/stats"),
    ("get", "/api/umbler/contacts"),
    ("get", "/api/umbler/contacts/{id}"),
    ("get", "/api/umbler/contacts/{id}/chats"),
    ("get", "/api/umbler/chats"),
    ("get", "/api/umbler/chats/{id}"),
    ("get", "/api/umbler/chats/{id}/messages"),
    ("get", "/api/umbler/messages"),
    ("get", "/api/umbler/updates"),
    ("get", "/api/umbler/webhook/status"),
    ("get", "/api/umbler/stream"),
    ("get", "/api/umbler/revocations"),
    ("post", "/api/umbler/revocations"),
    ("post", "/api/umbler/notify"),
    ("get", "/health"),
    ("get", "/health/live"),
    ("get", "/health/ready"),
    ("get", "/metrics"),
];

fn preflight(hub: &Hub, path: &str, origin: &str) -> Answer {
    let mut request = hub.agent().options(hub.url(path));
    for (name, value) in [
        ("origin", origin),
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "authorization"),
    ] {
        request = request.header(name, value);
    }
    Answer::from(request.call().expect("the hub answers"))
}

#[test]
fn pages_of_the_named_origins_may_ask_and_others_are_not_told_the_answer() {
    let hub = hub_with(&[("FRONTEND_URL", "https://team.example, http://localhost:5173")]);
    for origin in ["https://team.example", "http://localhost:5173"] {
        let asked = preflight(&hub, "/api/umbler/stats", origin);
        assert_eq!((asked.status, asked.header("access-control-allow-origin")), (200, Some(origin)));
        assert_eq!(asked.header("access-control-max-age"), Some("600"));
        let allowed = asked.header("access-control-allow-headers").unwrap_or_default().to_lowercase();
        assert!(allowed.contains("authorization"), "{allowed}");
        let answer = hub.get_with("/api/umbler/stats", &[("origin", origin)]);
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, Some(origin)));
        assert!(
            answer.header("vary").is_some_and(|vary| vary.to_lowercase().contains("origin")),
            "{answer:?}"
        );
    }
    for origin in ["https://evil.example", "https://team.example.evil.example", "null", "http://team.example"]
    {
        assert_eq!(preflight(&hub, "/api/umbler/stats", origin).header("access-control-allow-origin"), None);
        let answer = hub.get_with("/api/umbler/stats", &[("origin", origin)]);
        assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
    }
}

#[test]
fn an_address_that_asks_too_often_is_told_when_to_come_back_and_its_page_may_read_it() {
    let hub = hub_with(&[("RATE_LIMIT_REST_PER_SECOND", "2")]);
    let origin = [("origin", "http://localhost:5173")];
    // Two may ask at once; whatever the clock does, three in a row cannot all be within two a second for long.
    let refused = (0..100)
        .map(|_| hub.get_with("/api/umbler/stats", &origin))
        .find(|answer| answer.status != 200)
        .expect("a refusal");
    refused.refuses(429, "too_many_requests");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(refused.header("access-control-allow-origin"), Some("http://localhost:5173"));
    assert!(
        refused
            .header("access-control-expose-headers")
            .is_some_and(|names| names.to_lowercase().contains("retry-after")),
        "{refused:?}"
    );
    assert_eq!(refused.header("x-content-type-options"), Some("nosniff"));
    for open in ["/health", "/metrics", "/"] {
        assert_eq!(hub.get(open).status, 200, "{open} has no limit");
    }
    for _ in 0..20 {
        hub.provider().says("a", "the webhook has no limit");
    }
    let metrics = hub.get("/metrics").text;
    let counted = metrics.lines().any(|line| line.contains(r#"status="429""#));
    assert!(counted, "a refusal is counted: {metrics}");
}

#[test]
fn each_client_behind_a_proxy_has_a_limit_of_its_own() {
    let hub = hub_with(&[("RATE_LIMIT_REST_PER_SECOND", "1"), ("TRUSTED_PROXIES", "127.0.0.1")]);
    let ask = |client: &str| hub.get_with("/api/umbler/stats", &[("x-forwarded-for", client)]).status;
    let refused = (0..100).any(|_| ask("203.0.113.7") == 429);
    assert!(refused);
    assert_eq!(ask("203.0.113.8"), 200, "another one is not held responsible");
}

#[test]
fn connects_have_a_limit_of_their_own() {
    let hub = hub_with(&[("RATE_LIMIT_CONNECTS_PER_SECOND", "1")]);
    let refused = (0..100).find_map(|_| super::support::Screen::connect_with(&hub, &[]).err());
    assert_eq!(refused, Some(429));
    assert_eq!(hub.get("/api/umbler/stats").status, 200);
}

#[test]
fn every_answer_carries_headers_that_protect_pages_and_data() {
    let hub = spawn_hub();
    for (path, status) in [
        ("/", 200),
        ("/health", 200),
        ("/api/umbler/stats", 200),
        ("/api/umbler/chats/x", 404),
        ("/nothing", 404),
    ] {
        let answer = hub.get(path);
        assert_eq!(answer.status, status, "{path}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path}");
        }
        let policy = answer.header("content-security-policy").expect("a policy");
        assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
    }
    for path in ["/api/umbler/stats", "/api/umbler/contacts", "/api/umbler/chats/x", "/health"] {
        assert_eq!(hub.get(path).header("cache-control"), Some("no-store"), "{path}");
    }
}

#[test]
fn answers_are_compressed_for_whoever_asks() {
    let hub = spawn_hub();
    super::support::town::settle(&hub);
    let answer = hub
        .agent()
        .get(hub.url("/api/umbler/contacts"))
        .header("accept-encoding", "gzip")
        .call()
        .expect("the hub answers");
    assert_eq!(answer.headers()["content-encoding"], "gzip");
}

#[test]
fn what_is_not_there_and_what_is_not_done_are_told_as_json() {
    let hub = spawn_hub();
    for path in
        ["/nothing", "/api/umbler/nothing", "/api/umbler/chats/a/b/c", "/client/nothing.js", "/console/../x"]
    {
        hub.get(path).refuses(404, "not_found");
    }
    for path in ["/api/umbler/stats", "/api/umbler/chats/a", "/health", "/metrics", "/ws"] {
        hub.provider().post_to(path, &[], "{}").refuses(405, "method_not_allowed");
    }
    hub.get("/api/umbler/webhook").refuses(405, "method_not_allowed");
    for path in ["/api/umbler/stats", "/health", "/health/live", "/health/ready", "/"] {
        let head = hub.agent().head(hub.url(path)).call().expect("the hub answers");
        assert_eq!(head.status(), 200, "HEAD {path}");
    }
}

#[test]
fn health_tells_how_the_hub_is() {
    let hub = spawn_hub();
    hub.provider().says("a", "hello");
    let _screen = hub.screen();
    let health = hub.json("/health");
    let told = |name: &str| health[name].clone();
    assert_eq!((told("status"), told("seq"), told("sessions")), (json!("ok"), json!(1), json!(1)));
    assert_eq!((told("version"), told("writable")), (json!(env!("CARGO_PKG_VERSION")), json!(true)));
    assert!(told("uptimeSeconds").is_u64() && told("lastWebhookAt").is_string(), "{health}");
    assert_eq!(hub.json("/health/live")["status"], "ok");
    assert_eq!(hub.json("/health/ready")["status"], "ok");
    let metrics = hub.get("/metrics");
    assert!(metrics.header("content-type").is_some_and(|kind| kind.starts_with("text/plain")), "{metrics:?}");
    assert!(metrics.text.lines().any(|line| line.starts_with("# TYPE umbler_hub")), "{}", metrics.text);
}

#[test]
fn the_description_lists_every_route_with_its_parameters_and_refusals() {
    let hub = spawn_hub();
    let document = hub.json("/api/openapi.json");
    let described: BTreeSet<(&str, &str)> = document["paths"]
        .as_object()
        .expect("paths")
        .iter()
        .flat_map(|(path, methods)| {
            methods.as_object().expect("methods").keys().map(move |method| (&**method, &**path))
        })
        .collect();
    let missing: Vec<_> = ROUTES.iter().filter(|route| !described.contains(route)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(document["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
    assert_every_reference_resolves(&document, &document);
    for (method, path) in described {
        let row = &document["paths"][path][method];
        if path.starts_with("/api/umbler") && method == "get" {
            assert_is_true(&hub, path, row);
        }
        let wrong_method = if method == "get" { "post" } else { "get" };
        if document["paths"][path][wrong_method].is_null() {
            // A path that nobody has is 404; this one is there, for the other method.
            let path = path.replace("{id}", "x");
            let status = match wrong_method {
                "post" => hub.provider().post_to(&path, &[], "{}").status,
                _ => hub.status_of(&path),
            };
            assert_eq!(status, 405, "{wrong_method} {path}");
        }
    }
}

/// The refusals of a question are described, and each described parameter is one that the hub knows.
fn assert_is_true(hub: &Hub, path: &str, row: &Value) {
    assert_eq!(row["security"], json!([{ "bearer": [] }]), "{path}");
    let expected =
        if path.contains("{id}") { &["200", "400", "401", "404", "429"][..] } else { &["200", "401", "429"] };
    for status in expected {
        assert!(row["responses"][status].is_object(), "{path} {status}");
    }
    for parameter in row["parameters"].as_array().into_iter().flatten().filter(|one| one["in"] == "query") {
        let name = parameter["name"].as_str().expect("a name");
        // Empty is wrong for all but a search, and known is what is not answered with "is not known here".
        let empty = format!("{}?{name}=", path.replace("{id}", "x"));
        let response = hub.agent().get(hub.url(&empty)).call().expect("the hub answers");
        if response.status() == 400 {
            let error = Answer::from(response).refuses(400, "bad_parameter");
            assert_eq!(error["parameter"], name, "{empty}");
            assert_ne!(error["message"], "is not known here", "{empty}");
        }
    }
}

pub fn assert_every_reference_resolves(document: &Value, part: &Value) {
    match part {
        Value::Object(fields) => {
            if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                let pointer = reference.strip_prefix('#').expect("a reference within the document");
                assert!(document.pointer(pointer).is_some(), "{reference}");
            }
            fields.values().for_each(|field| assert_every_reference_resolves(document, field));
        }
        Value::Array(items) => items.iter().for_each(|item| assert_every_reference_resolves(document, item)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn the_page_of_the_api_loads_without_anybody_elses_address() {
    let hub = spawn_hub();
    let moved = hub.get("/api/docs");
    assert_eq!((moved.status, moved.header("location")), (308, Some("/api/docs/")));
    let page = hub.get("/api/docs/").text;
    let linked: Vec<&str> = ["src=\"", "href=\""]
        .iter()
        .flat_map(|attribute| page.split(attribute).skip(1))
        .map(|rest| rest.split('"').next().expect("a value"))
        .collect();
    assert!(linked.len() >= 5, "{page}");
    for link in linked {
        assert!(!link.contains("//"), "{link} lies elsewhere");
        assert_eq!(hub.status_of(&format!("/api/docs/{}", link.trim_start_matches("./"))), 200, "{link}");
    }
    let settings = hub.get("/api/docs/swagger-initializer.js").text;
    assert!(settings.contains("\"/api/openapi.json\""), "{settings}");
    assert!(settings.contains(r#""validatorUrl": "none""#), "else the page asks a stranger: {settings}");
    assert!(!settings.contains("http:") && !settings.contains("https:"), "{settings}");
}

#[test]
fn a_method_that_a_path_does_not_know_is_answered_with_those_that_it_knows() {
    let hub = spawn_hub();
    for (method, path) in ROUTES {
        let path = path.replace("{id}", "x");
        let request = hub.agent().patch(hub.url(&path)).send("");
        let answer = Answer::from(request.expect("the hub answers"));
        answer.refuses(405, "method_not_allowed");
        let allow = answer.header("allow").expect("a list of methods").to_ascii_lowercase();
        assert!(allow.split(", ").any(|known| known == method), "{method} {path}: {allow}");
    }
}
