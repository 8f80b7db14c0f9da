//! The token that requests are sent with. An admin may replace it while the link runs, and from then on every request uses the new one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::auth::Secret;

/// All clones hold the same token.
#[derive(Clone)]
pub struct Authorization(Arc<Mutex<Held>>);

struct Held {
    /// The value of the header `Authorization`.
    header: Arc<Secret>,
    replacements: u64,
}

impl Authorization {
    pub fn new(token: &Secret) -> Self {
        Self(Arc::new(Mutex::new(Held { header: header(token), replacements: 0 })))
    }

    /// The value of the header `Authorization`.
    pub fn header(&self) -> Arc<Secret> {
        Arc::clone(&self.held().header)
    }

    pub fn replace(&self, token: &Secret) {
        let mut held = self.held();
        (held.header, held.replacements) = (header(token), held.replacements + 1);
    }

    /// How often the token was replaced. Another token may belong to another organization, so what is remembered of the organization
    /// counts only while this number stays the same.
    pub fn replacements(&self) -> u64 {
        self.held().replacements
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn header(token: &Secret) -> Arc<Secret> {
    Arc::new(Secret::new(format!("Bearer {}", token.expose())))
}
