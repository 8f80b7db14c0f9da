//! Revocations: tokens of a user that were issued before a moment are no longer valid.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Tokens of one user that were issued before a moment are no longer valid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Revocation {
    /// The `sub` of the tokens.
    pub user: String,
    /// Tokens whose `iat` is before this moment, or missing, are refused.
    pub issued_before: Timestamp,
    /// When the user was revoked.
    pub revoked_at: Timestamp,
    /// The `sub` of the admin who revoked the user.
    pub revoked_by: String,
}

impl Revocation {
    /// True for a token of the user with this `iat`.
    pub fn covers(&self, issued_at: Option<Timestamp>) -> bool {
        issued_at.is_none_or(|issued_at| issued_at < self.issued_before)
    }
}

/// The revocations in force. They are read for every token, and added by the hub once they are durable.
#[derive(Debug, Default)]
pub struct Revocations(RwLock<HashMap<String, Revocation>>);

impl Revocations {
    /// Puts a revocation in force. An earlier one that reaches further stays, so revoking somebody again never
    /// makes an old token valid.
    pub fn add(&self, revocation: Revocation) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let known = all.get(&revocation.user);
        if known.is_none_or(|known| known.issued_before < revocation.issued_before) {
            all.insert(revocation.user.clone(), revocation);
        }
    }

    /// True where a token of this user with this `iat` was revoked.
    pub fn cover(&self, user: &str, issued_at: Option<Timestamp>) -> bool {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.get(user).is_some_and(|revocation| revocation.covers(issued_at))
    }

    /// The newest revocations, at most `limit` of them, of one user or of all; and how many there are in total.
    pub fn list(&self, user: Option<&str>, limit: usize) -> (Vec<Revocation>, usize) {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<Revocation> = match user {
            Some(user) => all.get(user).into_iter().cloned().collect(),
            None => all.values().cloned().collect(),
        };
        let total = found.len();
        found.sort_unstable_by(|a, b| b.revoked_at.cmp(&a.revoked_at).then_with(|| a.user.cmp(&b.user)));
        found.truncate(limit);
        (found, total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn revocation(user: &str, before: i64) -> Revocation {
        Revocation {
            user: user.into(),
            issued_before: at(before),
            revoked_at: at(before),
            revoked_by: "r".into(),
        }
    }

    #[test]
    fn tokens_from_before_the_moment_and_tokens_without_one_do_not_count() {
        let revocations = Revocations::default();
        revocations.add(revocation("ana", 100));
        assert!(revocations.cover("ana", Some(at(99))));
        assert!(revocations.cover("ana", None));
        assert!(!revocations.cover("ana", Some(at(100))));
        assert!(!revocations.cover("eve", None));
    }

    #[test]
    fn an_earlier_moment_takes_nothing_back() {
        let revocations = Revocations::default();
        revocations.add(revocation("ana", 100));
        revocations.add(revocation("ana", 50));
        assert!(revocations.cover("ana", Some(at(99))));
        revocations.add(revocation("eve", 70));
        let (listed, total) = revocations.list(None, 1);
        assert_eq!((listed, total), (vec![revocation("ana", 100)], 2));
        assert_eq!(revocations.list(Some("eve"), 9).0, [revocation("eve", 70)]);
    }
}
