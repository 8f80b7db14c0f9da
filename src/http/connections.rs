//! Bounds the connections of one address, whatever it does with them.
//!
//! The limits of sessions and requests only count complete requests. A connection that sends nothing, or half
//! of a second request's head (which actix does not time out), would only be bounded by the limit for all.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::address::{TrustedProxies, limit_key};

/// Connections of one address besides its sessions. Browsers open six to a host, and an office shares one
/// address.
pub const CONNECTIONS_BESIDE_SESSIONS_MAX: usize = 1_000;

/// Counts the connections of each address.
pub struct Connections {
    /// Most connections of one address; 0: no limit.
    most: usize,
    trusted: TrustedProxies,
    open: Mutex<HashMap<IpAddr, usize>>,
}

/// One counted connection. It is counted until this is dropped.
pub struct Counted {
    connections: Arc<Connections>,
    address: IpAddr,
}

impl Connections {
    /// The limit follows the one of sessions; where that is 0, there is no limit here either.
    pub fn new(sessions_per_address_max: usize, trusted: TrustedProxies) -> Arc<Self> {
        let most = match sessions_per_address_max {
            0 => 0,
            sessions => sessions.saturating_add(CONNECTIONS_BESIDE_SESSIONS_MAX),
        };
        Arc::new(Self { most, trusted, open: Mutex::default() })
    }

    /// Counts a connection of this peer; an error where there are too many. `Ok(None)`: not counted, because
    /// the peer is a trusted proxy, which speaks for many and has limits of its own.
    pub fn enter(self: &Arc<Self>, peer: IpAddr) -> Result<Option<Counted>, TooManyConnections> {
        if self.most == 0 || self.trusted.is_trusted(peer) {
            return Ok(None);
        }
        let address = limit_key(peer.to_canonical());
        let mut open = self.open();
        let count = open.entry(address).or_default();
        if *count >= self.most {
            return Err(TooManyConnections);
        }
        *count += 1;
        Ok(Some(Counted { connections: Arc::clone(self), address }))
    }

    fn open(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The address has as many connections as it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many connections from this address")]
pub struct TooManyConnections;

impl Drop for Counted {
    fn drop(&mut self) {
        let mut open = self.connections.open();
        if let Some(count) = open.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enter(connections: &Arc<Connections>, peer: &str) -> Result<Option<Counted>, TooManyConnections> {
        connections.enter(peer.parse().unwrap())
    }

    #[test]
    fn an_address_holds_as_many_as_the_limit_and_gets_a_place_back() {
        let connections = Connections::new(1, TrustedProxies::Nobody);
        let mut held: Vec<Counted> = (0..=CONNECTIONS_BESIDE_SESSIONS_MAX)
            .map(|_| enter(&connections, "203.0.113.7").unwrap().unwrap())
            .collect();
        assert!(enter(&connections, "203.0.113.7").is_err());
        assert!(enter(&connections, "::ffff:203.0.113.7").is_err(), "the same address");
        assert!(enter(&connections, "203.0.113.8").is_ok());
        held.pop();
        assert!(enter(&connections, "203.0.113.7").is_ok());
        held.clear();
        assert!(connections.open().is_empty(), "nobody is remembered");
    }

    #[test]
    fn no_limit_of_sessions_is_no_limit_of_connections_and_proxies_have_none() {
        for connections in [
            Connections::new(0, TrustedProxies::Nobody),
            Connections::new(1, TrustedProxies::Hops(1)),
            Connections::new(1, "203.0.113.0/24".parse().unwrap()),
        ] {
            for _ in 0..2 * CONNECTIONS_BESIDE_SESSIONS_MAX {
                assert!(enter(&connections, "203.0.113.7").unwrap().is_none());
            }
        }
    }
}
