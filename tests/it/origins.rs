//! Pages of other sites: what they try in order to use a visitor's way to the hub.

use serde_json::json;

use super::support::keys::{SECRET, token};
use super::support::raw::{RawSocket, handshake};
use super::support::{Delivery, Screen, hub_with, spawn_hub};

const SECRETS: [(&str, &str); 2] = [("JWT_SECRET", SECRET), ("WEBHOOK_SECRET", "a-secret-of-the-webhook")];

#[test]
fn only_the_hubs_own_pages_and_named_ones_open_a_socket() {
    let named = ("FRONTEND_URL", "http://localhost:5173,https://team.example.com");
    let hub = hub_with(&[SECRETS[0], SECRETS[1], named]);
    let (address, port) = (hub.address(), hub.address().port());
    for origin in [
        "http://localhost:5173".to_owned(),
        "https://team.example.com".to_owned(),
        "https://team.example.com:443".to_owned(),
        "HTTPS://TEAM.EXAMPLE.COM".to_owned(),
        format!("http://{address}"),
        format!("https://{address}"),
    ] {
        assert!(Screen::connect_with(&hub, &[("origin", &origin)]).is_ok(), "{origin}");
    }
    for origin in [
        "null".to_owned(),
        String::new(),
        "*".to_owned(),
        "https://evil.example".to_owned(),
        // Another scheme, another port.
        "http://team.example.com".to_owned(),
        "https://team.example.com:8443".to_owned(),
        "http://localhost".to_owned(),
        "http://localhost:5174".to_owned(),
        format!("http://localhost:{port}"),
        format!("http://127.0.0.1:{}", u32::from(port) + 1),
        "file://".to_owned(),
        "chrome-extension://team.example.com".to_owned(),
        // Names that begin, end or look like ours.
        "https://team.example.com.evil.example".to_owned(),
        "https://evil-team.example.com".to_owned(),
        "https://evil.example/team.example.com".to_owned(),
        "https://team.example.com@evil.example".to_owned(),
        "https://team.example.com%2eevil.example".to_owned(),
        "https://team.example.com.".to_owned(),
        "https://sub.team.example.com".to_owned(),
        "https://example.com".to_owned(),
        "https://team.example.com https://evil.example".to_owned(),
        "https://evil.example, https://team.example.com".to_owned(),
        "//team.example.com".to_owned(),
        "team.example.com".to_owned(),
    ] {
        assert_eq!(Screen::connect_with(&hub, &[("origin", &origin)]).err(), Some(403), "{origin:?}");
    }
    let twice =
        handshake(&hub, &[("origin", "https://team.example.com"), ("origin", "https://evil.example")]);
    assert!(
        RawSocket::connect(&hub).asks(&twice).starts_with("HTTP/1.1 403 "),
        "two origins are one too many"
    );
    assert!(Screen::connect_with(&hub, &[]).is_ok(), "programs send none");
}

#[test]
fn an_open_hub_answers_to_no_name_that_others_can_point_at_it() {
    let hub = hub_with(&[("FRONTEND_URL", "http://panel.internal:8080")]);
    let port = hub.address().port();
    let of_rebound = format!("rebound.example:{port}");
    let page = format!("http://{of_rebound}");
    for path in ["/api/umbler/stats", "/api/umbler/chats", "/api/umbler/updates"] {
        hub.get_with(path, &[("host", &of_rebound)]).refuses(403, "forbidden");
    }
    // To the browser the page and the hub are one origin; its name gives it away.
    let upgrade = handshake(&hub, &[("host", &of_rebound), ("origin", &page)]);
    assert!(RawSocket::connect(&hub).asks(&upgrade).starts_with("HTTP/1.1 403 "));
    let posted = hub.provider().post_to(
        "/api/umbler/webhook",
        &[("host", &of_rebound), ("origin", &page)],
        Delivery::message("a").bytes(),
    );
    posted.refuses(403, "forbidden");
    for own in [format!("localhost:{port}"), format!("[::1]:{port}"), "panel.internal:8080".to_owned()] {
        assert_eq!(hub.get_with("/api/umbler/stats", &[("host", &own)]).status, 200, "{own}");
        let upgrade = handshake(&hub, &[("host", &own)]);
        assert!(RawSocket::connect(&hub).asks(&upgrade).starts_with("HTTP/1.1 101 "), "{own}");
    }
    assert_eq!(hub.get_with("/health", &[("host", &of_rebound)]).status, 200, "health is open to all");
    hub.get_with("/metrics", &[("host", &of_rebound)]).refuses(403, "forbidden");
}

#[test]
fn a_hub_with_a_key_has_any_name_for_a_page_has_no_token() {
    let hub = hub_with(&SECRETS);
    let authorization = format!("Bearer {}", token(json!({ "sub": "ana" })));
    let headers = [("host", "hub.example.com"), ("authorization", authorization.as_str())];
    assert_eq!(hub.get_with("/api/umbler/stats", &headers).status, 200);
    hub.get_with("/api/umbler/stats", &headers[..1]).refuses(401, "unauthorized");
    // Whoever sits on the same machine needs no token for these, but a page of another site sits there too.
    hub.get_with("/metrics", &headers[..1]).refuses(401, "unauthorized");
    assert_eq!(hub.get("/metrics").status, 200);
}

#[test]
fn without_a_webhook_secret_no_page_of_another_site_posts_deliveries() {
    let hub = spawn_hub();
    let post = |origin: &str| {
        let headers = [("origin", origin), ("content-type", "text/plain")];
        hub.provider().post_to("/api/umbler/webhook", &headers, Delivery::message("a").bytes())
    };
    post("https://evil.example").refuses(403, "forbidden");
    post("null").refuses(403, "forbidden");
    assert_eq!(hub.json("/health")["seq"], 0);
    assert_eq!(post("http://localhost:5173").json()["status"], "accepted", "the own pages may");
    hub.provider().says("a", "the provider sends no Origin");
    assert_eq!(hub.json("/health")["seq"], 2);
}
