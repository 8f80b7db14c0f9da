//! What holds for every route that the description names, so that a new one cannot forget it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::support::raw::{RawSocket, answer_to};
use super::support::{Hub, spawn_hub};

/// The contract fixes its rules: the provider's `Content-Type` is not looked at, and `Origin` counts where no secret is set
/// (`origins.rs`).
const WEBHOOK: &str = "/api/umbler/webhook";
/// Known methods, in the order of the alphabet.
const METHODS: [&str; 6] = ["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"];

/// What says nothing of a customer and is for whoever asks: how the hub is; and a copy for other hubs, which has a key of its own.
const OPEN_TO_ALL: [&str; 4] = ["/cluster/snapshot", "/health", "/health/live", "/health/ready"];

/// One method of one path.
struct Route {
    method: String,
    /// With an id where one belongs.
    path: String,
    /// The type of its body, where it takes one.
    takes: Option<String>,
}

impl Route {
    fn is_write(&self) -> bool {
        self.method != "GET"
    }

    /// What the hub answers to this request: the head.
    fn ask(&self, hub: &Hub, headers: &[(&str, &str)], body: &str) -> String {
        answer_to(hub, &self.method, &self.path, headers, body)
    }
}

/// All that the hub describes.
fn described(hub: &Hub) -> Vec<Route> {
    let document = hub.json("/api/openapi.json");
    let paths = document["paths"].as_object().expect("paths");
    let rows = paths.iter().flat_map(|(path, methods)| {
        methods.as_object().expect("methods").iter().map(move |(method, row)| (path, method, row))
    });
    let takes = |row: &Value| row["requestBody"]["content"].as_object()?.keys().next().cloned();
    rows.map(|(path, method, row)| Route {
        method: method.to_ascii_uppercase(),
        path: path.replace("{id}", "x"),
        takes: takes(row),
    })
    .collect()
}

fn writes(hub: &Hub) -> Vec<Route> {
    let writes: Vec<Route> =
        described(hub).into_iter().filter(|route| route.is_write() && route.path != WEBHOOK).collect();
    assert!(writes.len() >= 7, "the routes that change something");
    writes
}

#[test]
fn no_page_of_another_site_changes_anything_on_an_open_hub() {
    let hub = spawn_hub();
    let own = hub.address().to_string();
    for route in writes(&hub) {
        let declared = ("content-type", route.takes.as_deref().unwrap_or("application/json"));
        let what = format!("{} {}", route.method, route.path);
        for origin in ["https://evil.example", "null", "http://localhost:1"] {
            let answer = route.ask(&hub, &[("origin", origin), declared], "{}");
            assert!(answer.starts_with("HTTP/1.1 403 "), "{what} from {origin}: {answer}");
        }
        // To its browser such a page and the hub are one origin: its owner lets its name point to this machine.
        for rebound in
            [&[("host", "evil.example")][..], &[("host", "evil.example"), ("origin", "http://evil.example")]]
        {
            let answer = route.ask(&hub, &[rebound, &[declared]].concat(), "{}");
            assert!(answer.starts_with("HTTP/1.1 403 "), "{what} at another name: {answer}");
        }
        // What a page may send anywhere without asking first.
        for unasked in [
            "text/plain",
            "text/plain;charset=UTF-8",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "",
        ] {
            let answer = route.ask(&hub, &[("content-type", unasked)], "{}");
            assert!(answer.starts_with("HTTP/1.1 415 "), "{what} as {unasked:?}: {answer}");
        }
        let page = format!("http://{own}");
        let answer = route.ask(&hub, &[("origin", &page), declared], "{}");
        let refused = ["403", "415"].iter().any(|status| answer.starts_with(&format!("HTTP/1.1 {status} ")));
        assert!(!refused, "{what} of the hub's own page: {answer}");
    }
    assert_eq!(hub.json("/api/umbler/members")["total"], 0);
}

#[test]
fn no_page_of_another_site_reads_anything_of_an_open_hub_but_what_is_open_to_all() {
    let hub = spawn_hub();
    let (mut refused, mut open) = (0, BTreeSet::new());
    for route in described(&hub).into_iter().filter(|route| !route.is_write()) {
        let answer = route.ask(&hub, &[("host", "evil.example")], "");
        if answer.starts_with("HTTP/1.1 403 ") {
            refused += 1;
        } else {
            open.insert(route.path);
        }
    }
    assert_eq!(open.iter().map(String::as_str).collect::<Vec<_>>(), OPEN_TO_ALL);
    assert!(refused >= 30, "{refused} routes that tell something of customers");
}

#[test]
fn each_path_names_the_methods_that_it_has() {
    let hub = spawn_hub();
    let routes = described(&hub);
    let paths: BTreeSet<&str> = routes.iter().map(|route| &*route.path).collect();
    for path in paths {
        let own = routes.iter().filter(|route| route.path == path).map(|route| &*route.method);
        let described: BTreeSet<&str> = own.collect();
        let allow = |answer: &str| -> BTreeSet<String> {
            let line = answer.lines().find_map(|line| line.strip_prefix("allow: "));
            line.unwrap_or_else(|| panic!("{path}: {answer}")).split(", ").map(str::to_owned).collect()
        };
        let told = allow(&answer_to(&hub, "OPTIONS", path, &[], ""));
        // Whoever reads with GET may look at the head alone; the description leaves that out.
        let but_head: BTreeSet<&str> =
            told.iter().map(String::as_str).filter(|method| *method != "HEAD").collect();
        assert_eq!(but_head, described, "{path}");
        for method in METHODS {
            let answer = answer_to(&hub, method, path, &[("content-type", "application/json")], "{}");
            let is_known = !answer.starts_with("HTTP/1.1 405 ");
            assert_eq!(is_known, told.contains(method), "{method} {path}: {answer}");
            assert!(is_known || allow(&answer) == told, "{method} {path}: {answer}");
        }
    }
}

#[test]
fn a_body_that_is_announced_too_large_is_refused_before_it_comes() {
    let hub = spawn_hub();
    let all = described(&hub);
    let taking: Vec<&Route> = all.iter().filter(|route| route.takes.is_some()).collect();
    assert!(taking.len() >= 6, "the routes with a body");
    for route in taking {
        for bytes in [10_u64 << 30, (10 << 20) + 1] {
            let length = bytes.to_string();
            let declared = ("content-type", route.takes.as_deref().unwrap_or_default());
            // Nothing of the body is sent: the hub must not wait for it.
            let answer = route.ask(&hub, &[declared, ("content-length", &length)], "");
            assert!(answer.starts_with("HTTP/1.1 413 "), "{} with {bytes} bytes: {answer}", route.path);
        }
    }
}

#[test]
fn who_sends_a_body_that_is_too_large_to_its_end_hears_that_it_is() {
    let hub = spawn_hub();
    let mut socket = RawSocket::connect(&hub);
    let body = vec![b' '; 40 << 20];
    let length = body.len();
    socket.sends(
        format!("POST {WEBHOOK} HTTP/1.1\r\nhost: {}\r\ncontent-length: {length}\r\n\r\n", hub.address())
            .as_bytes(),
    );
    // Such a sender looks for the answer only when all is sent.
    socket.tries_to_send(&body).expect("the hub takes it to its end");
    let answer = socket.rest();
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("body_too_large"), "{answer}");
}

#[test]
fn more_than_32_kib_of_headers_are_refused_on_every_route() {
    let hub = spawn_hub();
    let mut routes: Vec<(String, String)> =
        described(&hub).into_iter().map(|route| (route.method, route.path)).collect();
    routes.push(("GET".to_owned(), "/ws".to_owned()));
    routes.push(("GET".to_owned(), "/".to_owned()));
    let long = "x".repeat(16 * 1024);
    for (method, path) in routes {
        let headers = [("a", &*long), ("b", &long), ("c", &long), ("d", &long)];
        let answer = answer_to(&hub, &method, &path, &headers, "");
        assert!(answer.starts_with("HTTP/1.1 431 "), "{method} {path}: {answer}");
    }
    let headers = [("a", &*long), ("b", &long[..15 * 1024])];
    assert!(answer_to(&hub, "GET", "/health", &headers, "").starts_with("HTTP/1.1 200 "), "31 KiB are taken");
}
