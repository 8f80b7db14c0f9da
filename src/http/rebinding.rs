//! Keeps pages of other sites away from a hub that is open on its own machine.
//!
//! Without a JWT key the hub listens on loopback only, and everybody who reaches it is an admin. A page of
//! another site can reach it too: the site's owner lets the page's host name point to 127.0.0.1 (DNS
//! rebinding), and the browser takes the hub for the page's own server. But the browser still sends the page's
//! host name in `Host`, so a hub without a key only answers to names that nobody else can point to it.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::Uri;
use actix_web::http::header::HOST;

use super::error::ApiError;
use super::origin::Origins;
use super::state::EdgeState;

/// Refuses a request to a hub without a key under a name that is not its own.
pub fn check(request: &HttpRequest) -> Result<(), ApiError> {
    let state = EdgeState::of(request)?;
    if state.authenticator.is_some() {
        // With a key there is no need, because a page does not have its visitor's token.
        return Ok(());
    }
    if is_at_known_host(request, &state.settings.origins) {
        return Ok(());
    }
    Err(ApiError::Forbidden(
        "without a JWT key the hub answers to localhost, addresses and hosts of FRONTEND_URL only",
    ))
}

/// True for a request under a name that no other site can have. Browsers always send a name; programs may leave
/// it out.
pub fn is_at_known_host(request: &HttpRequest, origins: &Origins) -> bool {
    let host = request.headers().get(HOST);
    host.is_none_or(|host| is_known(host.to_str().unwrap_or_default(), origins))
}

/// True for a host name that no other site can have.
pub fn is_known(host: &str, origins: &Origins) -> bool {
    is_own_name(host) || origins.names_host(host)
}

/// An address is not looked up, and browsers resolve `localhost` themselves (RFC 6761, section 6.3).
fn is_own_name(host: &str) -> bool {
    let Some(name) = host.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_ascii_lowercase)) else {
        return false;
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || name.ends_with(".localhost") || bare.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_nobody_can_point_elsewhere_are_the_hubs_own() {
        for own in
            ["localhost", "LOCALHOST:3001", "hub.localhost:80", "127.0.0.1:3001", "[::1]:3001", "10.0.0.7"]
        {
            assert!(is_own_name(own), "{own}");
        }
        for other in [
            "evil.example:3001",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "notlocalhost",
            "",
            "a b",
            "[::1",
        ] {
            assert!(!is_own_name(other), "{other}");
        }
    }
}
