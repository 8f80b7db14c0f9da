//! One line of the access log: who asked for what, and how it went. The path comes without its query, which may hold the
//! webhook's secret.

use std::fmt;
use std::net::IpAddr;

use super::trace::Trace;

/// The target of the access log: `RUST_LOG=info,access=warn` turns it off.
pub const TARGET: &str = "access";

/// A request that was answered.
pub struct AccessLine<'a> {
    /// The client's, as far as trusted proxies tell it.
    pub address: IpAddr,
    /// As it was sent.
    pub method: &'a str,
    /// The pattern of the path.
    pub route: &'a str,
    /// The path itself, escaped as it was sent.
    pub path: &'a str,
    /// The HTTP status of the answer.
    pub status: u16,
    /// Of the answer's body; 0 where its length is not known beforehand, as of streams and compressed answers.
    pub bytes: u64,
    /// Until the answer began.
    pub ms: f64,
    /// The `sub` of a valid token.
    pub user: Option<&'a str>,
    /// The ids by which this request is found in logs.
    pub trace: &'a Trace,
}

impl AccessLine<'_> {
    /// Writes the line, if somebody wants it.
    pub fn log(&self) {
        log::info!(
            target: TARGET,
            address:% = self.address,
            method = self.method,
            route = self.route,
            path = self.path,
            status = self.status,
            bytes = self.bytes,
            ms = (self.ms * 1_000.0).round() / 1_000.0,
            user = self.user,
            request_id = self.trace.request_id(),
            trace_id = self.trace.trace_id.as_deref();
            "{self}"
        );
    }
}

impl fmt::Display for AccessLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, method, path, status, bytes, ms, user, trace, .. } = self;
        write!(f, "{address} {method} {path} {status} {bytes} B {ms:.1} ms")?;
        // Quoted, because a user's id may have blanks in it.
        if let Some(user) = user {
            write!(f, " user={user:?}")?;
        }
        write!(f, " request_id={}", trace.request_id())?;
        match trace.trace_id.as_deref().filter(|id| *id != trace.request_id()) {
            Some(id) => write!(f, " trace_id={id}"),
            None => Ok(()),
        }
    }
}
