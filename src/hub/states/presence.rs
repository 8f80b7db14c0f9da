//! Who is on which screen: plain data. A reload and several tabs are one stay of one user.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::Throttle;
use crate::auth::{Role, Scope};
use crate::domain::{ChatId, Placement};
use crate::hub::messages::{SessionId, Who};
use crate::protocol::mask::mask_name;

/// Changes of presence are sent at most this often.
const PRESENCE_INTERVAL: Duration = Duration::from_millis(250);

/// Ticks after a user's last screen is gone until they count as gone: a reload takes less.
pub const GRACE_TICKS: u64 = 10;

/// One user's stay.
#[derive(Debug)]
struct Stay {
    name: Option<Arc<str>>,
    scope: Arc<Scope>,
    since: Timestamp,
    /// Each screen, and the chat in view there.
    screens: HashMap<SessionId, Option<ChatId>>,
    /// The tick at which they count as gone, if no screen comes back.
    gone_at: Option<u64>,
}

/// Everybody's stay.
#[derive(Debug)]
pub struct Presence {
    stays: BTreeMap<Arc<str>, Stay>,
    /// Where the chats in view stand, so that nobody is told of one that they may not see.
    places: HashMap<ChatId, Placement>,
    /// Places of chats that are being looked up.
    lookups: usize,
    /// Where chats moved while any were.
    moved_meanwhile: HashMap<ChatId, Placement>,
    /// Users of whom something changed since the last word to followers.
    changed: BTreeSet<Arc<str>>,
    pub(super) throttle: Throttle,
}

impl Default for Presence {
    fn default() -> Self {
        Self {
            stays: BTreeMap::new(),
            places: HashMap::new(),
            lookups: 0,
            moved_meanwhile: HashMap::new(),
            changed: BTreeSet::new(),
            throttle: Throttle::new(PRESENCE_INTERVAL),
        }
    }
}

/// The content of a `presence_update`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PresenceUpdate)]
pub struct PresenceData {
    /// True where `users` is everybody; false where it is only whose stay changed.
    full: bool,
    /// Whose stay is told.
    users: Vec<Present>,
    /// The ids of users who are gone.
    #[schema(value_type = Vec<String>)]
    left: Vec<Arc<str>>,
}

/// One user's stay, as others are told of it.
#[derive(Debug, Serialize, ToSchema)]
struct Present {
    /// The `sub` of the user's tokens.
    #[schema(value_type = String)]
    id: Arc<str>,
    /// The user's name, where the token tells it.
    name: Option<String>,
    role: Role,
    /// When the first of the screens came.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// How many screens; 0 for some seconds after the last one went.
    tabs: usize,
    /// The chats in view that the reader may see.
    #[schema(value_type = Vec<String>)]
    chats: Vec<ChatId>,
}

impl Presence {
    /// A screen of this user is there.
    pub fn join(&mut self, session: &SessionId, who: &Who, now: Timestamp) {
        let stay = self.stays.entry(Arc::clone(&who.user)).or_insert_with(|| Stay {
            name: None,
            scope: Arc::clone(&who.scope),
            since: now,
            screens: HashMap::new(),
            gone_at: None,
        });
        (stay.name, stay.scope, stay.gone_at) = (who.name.clone(), Arc::clone(&who.scope), None);
        stay.screens.entry(Arc::clone(session)).or_default();
        self.changed.insert(Arc::clone(&who.user));
    }

    /// A screen of this user is gone.
    pub fn leave(&mut self, session: &SessionId, user: &Arc<str>, tick: u64) {
        let Some(stay) = self.stays.get_mut(user) else { return };
        if stay.screens.remove(session).is_some() {
            if stay.screens.is_empty() {
                stay.gone_at = Some(tick + GRACE_TICKS);
            }
            self.changed.insert(Arc::clone(user));
        }
    }

    /// A screen shows this chat, or none.
    pub fn view(&mut self, session: &SessionId, user: &Arc<str>, chat: Option<(ChatId, Placement)>) {
        let Some(screen) = self.stays.get_mut(user).and_then(|stay| stay.screens.get_mut(session)) else {
            return;
        };
        *screen = chat.as_ref().map(|(id, _)| id.clone());
        self.places.extend(chat);
        self.changed.insert(Arc::clone(user));
    }

    /// The place of a chat is looked up: what moves from now on counts more than what is found.
    pub fn begin_lookup(&mut self) {
        self.lookups += 1;
    }

    /// It was; where it stands by now, if that is known better.
    pub fn end_lookup(&mut self, chat: &ChatId) -> Option<Placement> {
        let moved = self.moved_meanwhile.get(chat).cloned();
        self.lookups -= 1;
        if self.lookups == 0 {
            self.moved_meanwhile.clear();
        }
        moved
    }

    /// A chat stands elsewhere now; true where somebody has it in view.
    pub fn moved(&mut self, chat: &ChatId, place: &Placement) -> bool {
        if self.lookups > 0 {
            self.moved_meanwhile.insert(chat.clone(), place.clone());
        }
        let Some(known) = self.places.get_mut(chat).filter(|known| *known != place) else { return false };
        known.clone_from(place);
        let looks = |stay: &Stay| stay.screens.values().flatten().any(|viewed| viewed == chat);
        self.changed.extend(self.stays.iter().filter(|(_, stay)| looks(stay)).map(|(id, _)| Arc::clone(id)));
        true
    }

    /// Lets those go whose grace is over.
    pub fn expire(&mut self, tick: u64) {
        let gone = |stay: &Stay| stay.gone_at.is_some_and(|at| at <= tick);
        let left: Vec<Arc<str>> =
            self.stays.iter().filter(|(_, stay)| gone(stay)).map(|(id, _)| Arc::clone(id)).collect();
        for user in left {
            self.stays.remove(&user);
            self.changed.insert(user);
        }
        let in_view: BTreeSet<&ChatId> =
            self.stays.values().flat_map(|stay| stay.screens.values().flatten()).collect();
        self.places.retain(|chat, _| in_view.contains(chat));
    }

    /// True where followers have not been told of the newest change.
    pub fn has_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Whose stay changed since this was asked last.
    pub fn take_changed(&mut self) -> BTreeSet<Arc<str>> {
        std::mem::take(&mut self.changed)
    }

    /// Everybody, as this scope may know it.
    pub fn all(&self, scope: &Scope) -> PresenceData {
        let users = self.stays.iter().filter_map(|(id, stay)| self.shown(id, stay, scope)).collect();
        PresenceData { full: true, users, left: Vec::new() }
    }

    /// These users, as this scope may know them.
    pub fn of(&self, changed: &BTreeSet<Arc<str>>, scope: &Scope) -> PresenceData {
        let mut data = PresenceData { full: false, users: Vec::new(), left: Vec::new() };
        for id in changed {
            match self.stays.get(id) {
                Some(stay) => data.users.extend(self.shown(id, stay, scope)),
                None => data.left.push(Arc::clone(id)),
            }
        }
        data
    }

    fn shown(&self, id: &Arc<str>, stay: &Stay, scope: &Scope) -> Option<Present> {
        if !shares_organization(scope, &stay.scope) {
            return None;
        }
        let seen = |chat: &&ChatId| self.places.get(*chat).is_some_and(|place| scope.sees(place));
        let chats: BTreeSet<&ChatId> = stay.screens.values().flatten().filter(seen).collect();
        let name = stay.name.as_deref();
        Some(Present {
            id: Arc::clone(id),
            name: name.map(|name| if scope.is_masked() { mask_name(name) } else { name.to_owned() }),
            role: stay.scope.role,
            since: stay.since,
            tabs: stay.screens.len(),
            chats: chats.into_iter().cloned().collect(),
        })
    }
}

/// Whoever is limited to organizations knows of the people of those.
fn shares_organization(reader: &Scope, other: &Scope) -> bool {
    let Some(own) = &reader.orgs else { return true };
    other.orgs.as_ref().is_some_and(|theirs| theirs.iter().any(|org| own.contains(org)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Identity;

    fn who(user: &str) -> Who {
        Who::new(&Identity { sub: user.into(), ..Identity::anonymous() })
    }

    fn ids(data: &PresenceData) -> Vec<(&str, usize)> {
        data.users.iter().map(|user| (&*user.id, user.tabs)).collect()
    }

    #[test]
    fn a_reload_is_no_departure_and_tabs_are_counted() {
        let mut presence = Presence::default();
        let (first, second): (SessionId, SessionId) = ("1".into(), "2".into());
        let bia = who("bia");
        let began = Timestamp::UNIX_EPOCH;
        presence.join(&first, &bia, began);
        presence.leave(&first, &bia.user, 1);
        presence.expire(GRACE_TICKS);
        assert_eq!(ids(&presence.all(&bia.scope)), [("bia", 0)], "within the grace");
        presence.join(&second, &bia, Timestamp::MAX);
        presence.join(&first, &bia, Timestamp::MAX);
        presence.expire(1 + GRACE_TICKS);
        let all = presence.all(&bia.scope);
        assert_eq!(ids(&all), [("bia", 2)]);
        assert_eq!(all.users[0].since, began, "one stay");
        presence.leave(&first, &bia.user, 20);
        presence.leave(&second, &bia.user, 20);
        presence.take_changed();
        presence.expire(20 + GRACE_TICKS);
        let changed = presence.take_changed();
        assert_eq!(presence.of(&changed, &bia.scope).left, [Arc::clone(&bia.user)]);
    }

    #[test]
    fn a_chat_that_moves_while_it_is_looked_up_stands_where_it_moved() {
        let mut presence = Presence::default();
        let (chat, other): (ChatId, ChatId) = ("a".to_owned().into(), "b".to_owned().into());
        let place = Placement { sector: Some("sales".into()), ..Placement::default() };
        presence.moved(&chat, &Placement::default());
        presence.begin_lookup();
        presence.begin_lookup();
        presence.moved(&chat, &place);
        assert_eq!(presence.end_lookup(&other), None);
        assert_eq!(presence.end_lookup(&chat), Some(place));
        presence.begin_lookup();
        assert_eq!(presence.end_lookup(&chat), None, "it is found where it stands now");
    }

    #[test]
    fn a_chat_in_view_is_told_to_those_who_see_it() {
        let mut presence = Presence::default();
        let session: SessionId = "1".into();
        let bia = who("bia");
        presence.join(&session, &bia, Timestamp::UNIX_EPOCH);
        let place = Placement { sector: Some("sales".into()), ..Placement::default() };
        presence.view(&session, &bia.user, Some(("chat".into(), place.clone())));
        let limited = |sector: &str| {
            Scope::of(&Identity { sectors: Some(vec![sector.into()]), ..Identity::anonymous() })
        };
        let chats = |presence: &Presence, sector: &str| presence.all(&limited(sector)).users[0].chats.len();
        assert_eq!((chats(&presence, "sales"), chats(&presence, "support")), (1, 0));
        presence.take_changed();
        let moved = Placement { sector: Some("support".into()), ..Placement::default() };
        assert!(presence.moved(&"chat".into(), &moved) && presence.has_changed());
        assert_eq!((chats(&presence, "sales"), chats(&presence, "support")), (0, 1));
    }
}
