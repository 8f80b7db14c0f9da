//! Which pages may use the hub: its own, and those of `FRONTEND_URL`.

use std::str::FromStr;

use actix_web::HttpRequest;
use actix_web::http::Uri;
use actix_web::http::header::{HOST, HeaderName, ORIGIN};

use super::error::ApiError;

/// Origins that are allowed besides the hub's own, as browsers write them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins(Vec<String>);

impl FromStr for Origins {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(origin)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

/// Scheme, host and port in lower case, without the default port, as browsers write an origin.
fn origin(text: &str) -> Result<String, String> {
    let wrong = || format!("{text:?} is not an origin like https://team.example.com");
    if text == "*" {
        return Err(
            "* would let every page in the world read customers' messages; name the origins".to_owned()
        );
    }
    let uri: Uri = text.parse().map_err(|_no_uri| wrong())?;
    let (Some(scheme @ ("http" | "https")), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(wrong());
    };
    if uri.path() != "/" || uri.query().is_some() || authority.as_str().contains('@') {
        return Err(wrong());
    }
    let host = authority.host().to_ascii_lowercase();
    let port = authority.port_u16().filter(|port| *port != if scheme == "http" { 80 } else { 443 });
    Ok(port.map_or_else(|| format!("{scheme}://{host}"), |port| format!("{scheme}://{host}:{port}")))
}

impl Origins {
    /// True for an origin in the list.
    pub fn allows(&self, text: &str) -> bool {
        origin(text).is_ok_and(|origin| self.0.contains(&origin))
    }

    /// True for the host (with its port) of an origin in the list.
    pub fn names_host(&self, host: &str) -> bool {
        ["http", "https"].iter().any(|scheme| self.allows(&format!("{scheme}://{host}")))
    }

    /// True for a page of an origin in the list, or one that was loaded from the host that it talks to.
    pub fn allows_page(&self, text: &str, host: Option<&str>) -> bool {
        self.allows(text) || host.is_some_and(|host| is_own(text, host))
    }
}

/// Refuses a request of a page of another site. Browsers name the page's origin in `Origin`; programs send
/// none.
pub fn check(request: &HttpRequest, origins: &Origins) -> Result<(), ApiError> {
    let header = |name: HeaderName| request.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
    if request.headers().get_all(ORIGIN).count() > 1 {
        return Err(ApiError::Forbidden("Origin is sent twice"));
    }
    if let Some(origin) = header(ORIGIN)
        && !origins.allows_page(origin, header(HOST))
    {
        log::info!("a page of {origin:?} was refused; FRONTEND_URL lists the origins that are allowed");
        return Err(ApiError::Forbidden(
            "this page's origin is not allowed; FRONTEND_URL lists those that are",
        ));
    }
    Ok(())
}

/// A proxy may have removed the encryption, so the scheme does not matter, and its default port is left out.
fn is_own(text: &str, host: &str) -> bool {
    ["http", "https"].iter().any(|scheme| {
        let own = origin(&format!("{scheme}://{host}"));
        own.is_ok_and(|own| origin(text).is_ok_and(|origin| origin == own))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_the_list_or_of_the_hub_itself_may_connect_and_no_other() {
        let origins: Origins = "http://localhost:5173, https://Team.Example.com:443".parse().unwrap();
        for (page, host, allowed) in [
            ("http://localhost:5173", "hub.example", true),
            ("https://team.example.com", "hub.example", true),
            ("https://hub.example", "hub.example", true),
            ("http://hub.example", "hub.example", true),
            ("http://127.0.0.1:3001", "127.0.0.1:3001", true),
            ("https://evil.example", "hub.example", false),
            ("https://team.example.com.evil.example", "hub.example", false),
            ("http://team.example.com", "hub.example", false),
            ("http://localhost:3001", "127.0.0.1:3001", false),
            ("null", "hub.example", false),
            ("", "hub.example", false),
        ] {
            assert_eq!(origins.allows_page(page, Some(host)), allowed, "{page} at {host}");
        }
    }

    #[test]
    fn what_is_no_origin_is_named() {
        for text in
            ["*", "localhost:5173", "ftp://a.example", "https://a.example/path", "https://u:p@a.example"]
        {
            assert!(text.parse::<Origins>().is_err(), "{text}");
        }
    }
}
