//! What a token allows, in short: equal for two tokens exactly where both may see the same.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Identity;

/// Bytes of the hash that are kept: enough that two scopes never meet by chance.
const KEPT_BYTES: usize = 12;

/// A hash of role and limits; the order of a limit's ids does not matter, who the user is does not either.
pub fn scope_hash(identity: &Identity) -> String {
    let limit = |ids: &Option<Vec<String>>| {
        ids.clone().map(|mut ids| {
            ids.sort_unstable();
            ids.dedup();
            ids
        })
    };
    let claims = (
        identity.role,
        limit(&identity.orgs),
        limit(&identity.sectors),
        limit(&identity.channels),
        limit(&identity.members),
    );
    // JSON separates the lists and escapes the ids, so that no two different scopes read the same.
    let text = serde_json::to_vec(&claims).unwrap_or_default();
    debug_assert!(!text.is_empty(), "strings always encode");
    URL_SAFE_NO_PAD.encode(&digest(&SHA256, &text).as_ref()[..KEPT_BYTES])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limited(sectors: &[&str]) -> Identity {
        Identity { sectors: Some(sectors.iter().map(ToString::to_string).collect()), ..Identity::anonymous() }
    }

    #[test]
    fn equal_limits_are_one_scope_whoever_holds_them() {
        let same = Identity { sub: "other".into(), ..limited(&["b", "a", "a"]) };
        assert_eq!(scope_hash(&limited(&["a", "b"])), scope_hash(&same));
    }

    #[test]
    fn a_limit_to_nothing_is_not_the_absence_of_a_limit() {
        assert_ne!(scope_hash(&limited(&[])), scope_hash(&Identity::anonymous()));
    }

    #[test]
    fn two_ids_do_not_read_like_one() {
        assert_ne!(scope_hash(&limited(&["a,b"])), scope_hash(&limited(&["a", "b"])));
    }
}
