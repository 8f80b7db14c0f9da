//! What a token allows its user to see. It is decided here for REST, snapshots, live updates, playbacks, totals
//! and searches alike.
//!
//! # Contract
//!
//! 1. Where a token is limited and a chat has no such attribute, the chat is excluded: a chat without a sector
//!    is in no sector's scope.
//! 2. A private chat is seen by admins and supervisors, and by others only where their token's `members`
//!    contains its owner or one of its members.
//! 3. Viewers see names and phones masked, and no texts.
//! 4. Everybody sees the directory of agents, because names stand beside the chats that one sees.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Identity, Role};
use crate::domain::{Audience, Placement, RefId};
use crate::protocol::View;

/// Bytes of the hash that are kept: enough that two scopes never have the same one by chance.
const KEPT_BYTES: usize = 12;

/// A limit to some ids, sorted; `None`: no limit.
pub type Limit = Option<Vec<String>>;

/// What the caller may see. Two tokens have equal scopes exactly where both may see the same.
///
/// ```
/// use umbler_hub::facade::rules::{Identity, Placement, Scope};
/// use umbler_hub::facade::testing::Role;
///
/// let sectors = Some(vec!["sales".to_owned()]);
/// let scope = Scope::of(&Identity { role: Role::Agent, sectors, ..Identity::anonymous() });
/// let in_sector = |id: &str| Placement { sector: Some(id.into()), ..Placement::default() };
///
/// assert!(scope.sees(&in_sector("sales")));
/// assert!(!scope.sees(&in_sector("support")));
/// assert!(!scope.sees(&Placement::default()), "a chat without a sector is in no sector's scope");
/// assert!(!scope.sees(&Placement { private: true, ..in_sector("sales") }), "an agent is no supervisor");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    pub role: Role,
    /// Organizations that the scope is limited to.
    pub orgs: Limit,
    /// Sectors that the scope is limited to.
    pub sectors: Limit,
    /// Lines that the scope is limited to.
    pub channels: Limit,
    /// Agents that the scope is limited to: chats that one of them owns or takes part in.
    pub members: Limit,
    hash: String,
}

impl Scope {
    /// The scope of an identity. Neither who the user is nor the order of ids in the token matters.
    pub fn of(identity: &Identity) -> Self {
        let limit = |ids: &Limit| {
            ids.clone().map(|mut ids| {
                ids.sort_unstable();
                ids.dedup();
                ids
            })
        };
        let (orgs, sectors) = (limit(&identity.orgs), limit(&identity.sectors));
        let (channels, members) = (limit(&identity.channels), limit(&identity.members));
        let role = identity.role;
        // JSON separates the lists and escapes the ids, so that two different scopes never give the same text.
        let text = serde_json::to_vec(&(role, &orgs, &sectors, &channels, &members)).unwrap_or_default();
        debug_assert!(!text.is_empty(), "strings always encode");
        let hash = URL_SAFE_NO_PAD.encode(&digest(&SHA256, &text).as_ref()[..KEPT_BYTES]);
        Self { role, orgs, sectors, channels, members, hash }
    }

    /// A hash of the scope, which clients compare.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// True where private chats of other people are visible.
    pub fn sees_private(&self) -> bool {
        matches!(self.role, Role::Admin | Role::Supervisor)
    }

    /// True where no claim limits the scope: all chats are visible, except perhaps private ones.
    pub fn is_whole(&self) -> bool {
        self.orgs.is_none() && self.sectors.is_none() && self.channels.is_none() && self.members.is_none()
    }

    /// True where every chat is visible, so that totals are those of the whole hub.
    pub fn is_unlimited(&self) -> bool {
        self.is_whole() && self.sees_private()
    }

    /// True where names and phones are masked and texts are withheld.
    pub fn is_masked(&self) -> bool {
        self.role == Role::Viewer
    }

    /// True where a chat with this placement is visible.
    pub fn sees(&self, chat: &Placement) -> bool {
        if self.is_unlimited() {
            return true;
        }
        let named = |limit: &Limit, id: Option<&RefId>| match limit {
            None => true,
            Some(ids) => id.is_some_and(|id| contains(ids, id)),
        };
        let takes_part = |members: &Vec<String>| chat.people().any(|person| contains(members, person));
        named(&self.orgs, chat.organization.as_ref())
            && named(&self.sectors, chat.sector.as_ref())
            && named(&self.channels, chat.channel.as_ref())
            && self.members.as_ref().is_none_or(takes_part)
            // A limit to members is already met here, and members see their private chats.
            && (!chat.private || self.sees_private() || self.members.is_some())
    }

    /// How an event looks from this scope; `None` where it is not visible at all. Whether a notice reaches its
    /// user is not decided here, but by the channel that it is sent on.
    pub fn view(&self, audience: &Audience) -> Option<View> {
        let masked = self.is_masked();
        if audience.user.is_some() {
            return Some(View::Whole { masked: false, limited: false });
        }
        if audience.directory {
            return Some(View::Whole { masked, limited: false });
        }
        let Some(after) = &audience.after else {
            // Nobody knows to which chat a delivery belongs that was not understood.
            return self.is_whole().then_some(View::Whole { masked, limited: false });
        };
        let limited = !self.is_unlimited();
        let saw = audience.before.as_ref().is_none_or(|before| self.sees(before));
        match (saw, self.sees(after)) {
            (true, true) => Some(View::Whole { masked, limited }),
            (false, true) => Some(View::Entered { masked, limited }),
            (true, false) if audience.before.is_some() => {
                Some(View::Gone { masked, contact_stays: self.sees_elsewhere(audience) })
            }
            (_, false) => (audience.contact_changed && self.sees_elsewhere(audience))
                .then_some(View::ContactOnly { masked }),
        }
    }

    fn sees_elsewhere(&self, audience: &Audience) -> bool {
        audience.elsewhere.iter().any(|chat| self.sees(chat))
    }
}

fn contains(sorted: &[String], id: &RefId) -> bool {
    sorted.binary_search_by(|known| known.as_str().cmp(id.as_str())).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limited(sectors: &[&str]) -> Identity {
        Identity { sectors: Some(sectors.iter().map(ToString::to_string).collect()), ..Identity::anonymous() }
    }

    fn hash(identity: &Identity) -> String {
        Scope::of(identity).hash().to_owned()
    }

    fn in_sector(sector: &str) -> Placement {
        Placement { sector: Some(sector.into()), ..Placement::default() }
    }

    #[test]
    fn equal_limits_are_one_scope_whoever_holds_them() {
        let same = Identity { sub: "other".into(), ..limited(&["b", "a", "a"]) };
        assert_eq!(Scope::of(&limited(&["a", "b"])), Scope::of(&same));
    }

    #[test]
    fn a_limit_to_nothing_is_not_the_absence_of_a_limit() {
        assert_ne!(hash(&limited(&[])), hash(&Identity::anonymous()));
        assert!(!Scope::of(&limited(&[])).sees(&in_sector("a")));
    }

    #[test]
    fn two_ids_do_not_read_like_one() {
        assert_ne!(hash(&limited(&["a,b"])), hash(&limited(&["a", "b"])));
    }

    #[test]
    fn what_a_chat_does_not_say_is_outside_every_limit() {
        let scope = Scope::of(&limited(&["a"]));
        assert!(scope.sees(&in_sector("a")));
        assert!(!scope.sees(&in_sector("b")));
        assert!(!scope.sees(&Placement::default()));
    }

    #[test]
    fn a_private_chat_is_for_its_members_and_for_those_who_lead() {
        let chat = Placement { owner: Some("bia".into()), private: true, ..Placement::default() };
        let of = |role, members: Option<&[&str]>| {
            let members = members.map(|ids| ids.iter().map(ToString::to_string).collect());
            Scope::of(&Identity { role, members, ..Identity::anonymous() }).sees(&chat)
        };
        assert!(of(Role::Admin, None) && of(Role::Supervisor, None));
        assert!(!of(Role::Agent, None) && !of(Role::Viewer, None));
        assert!(of(Role::Agent, Some(&["bia"])));
        assert!(!of(Role::Agent, Some(&["caio"])) && !of(Role::Supervisor, Some(&["caio"])));
    }

    #[test]
    fn a_chat_that_crosses_a_scope_enters_or_is_gone() {
        let crossing = |before: Option<&str>, after: &str| Audience {
            chat: Some("chat".into()),
            before: before.map(in_sector),
            after: Some(in_sector(after)),
            ..Audience::default()
        };
        let view = |audience: &Audience| Scope::of(&limited(&["a"])).view(audience);
        let (masked, limited) = (false, true);
        assert_eq!(view(&crossing(Some("a"), "a")), Some(View::Whole { masked, limited }));
        assert_eq!(
            view(&crossing(None, "a")),
            Some(View::Whole { masked, limited }),
            "a new chat has not moved"
        );
        assert_eq!(view(&crossing(Some("b"), "a")), Some(View::Entered { masked, limited }));
        assert_eq!(view(&crossing(Some("a"), "b")), Some(View::Gone { masked, contact_stays: false }));
        assert_eq!(view(&crossing(Some("b"), "b")), None);
        assert_eq!(view(&crossing(None, "b")), None);
        let mut renamed = crossing(Some("b"), "b");
        (renamed.contact_changed, renamed.elsewhere) = (true, vec![in_sector("a")]);
        assert_eq!(view(&renamed), Some(View::ContactOnly { masked }));
    }
}
