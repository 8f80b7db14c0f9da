//! Presence: which users have screens open, and on which chats. Plain data. Several tabs, and reloads, are
//! one stay of one user; so are screens at several hubs of a cluster.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::Throttle;
use super::elsewhere::{Elsewhere, GRACE_TICKS, PresenceTold, StayElsewhere};
use crate::auth::{Limit, Role, Scope};
use crate::domain::{ChatId, Placement};
use crate::hub::messages::{SessionId, SessionUser};
use crate::protocol::mask::mask_name;

/// Shortest time between two pushes of presence.
const PRESENCE_INTERVAL: Duration = Duration::from_millis(250);

/// The presence of one user.
#[derive(Debug)]
struct Stay {
    name: Option<Arc<str>>,
    scope: Arc<Scope>,
    since: Timestamp,
    /// The user's screens, each with the chat that is open on it.
    screens: HashMap<SessionId, Option<ChatId>>,
    /// The tick at which the user counts as gone, if no screen comes back; `None` while there is one.
    gone_at: Option<u64>,
}

/// The presence of all users.
#[derive(Debug)]
pub struct Presence {
    stays: BTreeMap<Arc<str>, Stay>,
    /// Placements of the open chats, so that nobody is told of a chat that they may not see.
    places: HashMap<ChatId, Placement>,
    /// Placements that are being looked up.
    lookups: usize,
    /// Chats that moved while any placement was looked up.
    moved_meanwhile: HashMap<ChatId, Placement>,
    /// Users whose presence has changed since it was last sent.
    changed: BTreeSet<Arc<str>>,
    pub(super) throttle: Throttle,
    /// Who is present at the other hubs of the cluster.
    elsewhere: Elsewhere,
    /// Users at this hub whose presence has changed since the other hubs were told; `None` if there are no others.
    untold: Option<BTreeSet<Arc<str>>>,
    pub(super) telling: Throttle,
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
            elsewhere: Elsewhere::default(),
            untold: None,
            telling: Throttle::new(PRESENCE_INTERVAL),
        }
    }
}

/// The content of a `presence_update`.
#[derive(Debug, Serialize, ToSchema)]
pub struct PresenceUpdate {
    /// True if `users` lists everybody; false if it lists only those whose presence has changed.
    full: bool,
    users: Vec<Present>,
    /// Ids of users who are gone.
    #[schema(value_type = Vec<String>)]
    left: Vec<Arc<str>>,
}

/// One user, as others may see them.
#[derive(Debug, Serialize, ToSchema)]
struct Present {
    /// The `sub` of the user's tokens.
    #[schema(value_type = String)]
    id: Arc<str>,
    /// The user's name; `null` if the token contains none.
    name: Option<String>,
    role: Role,
    /// When the user's first screen came.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// Number of screens. It is 0 for some seconds after the last one has gone.
    tabs: usize,
    /// Ids of the chats that are open on them and that the reader may see.
    #[schema(value_type = Vec<String>)]
    chats: Vec<ChatId>,
}

impl Presence {
    /// Adds a screen of a user.
    pub fn join(&mut self, session: &SessionId, who: &SessionUser, now: Timestamp) {
        let stay = self.stays.entry(Arc::clone(&who.user)).or_insert_with(|| Stay {
            name: None,
            scope: Arc::clone(&who.scope),
            since: now,
            screens: HashMap::new(),
            gone_at: None,
        });
        (stay.name, stay.scope, stay.gone_at) = (who.name.clone(), Arc::clone(&who.scope), None);
        stay.screens.entry(Arc::clone(session)).or_default();
        self.note(&who.user);
    }

    /// Removes a screen of a user.
    pub fn leave(&mut self, session: &SessionId, user: &Arc<str>, tick: u64) {
        let Some(stay) = self.stays.get_mut(user) else { return };
        if stay.screens.remove(session).is_some() {
            if stay.screens.is_empty() {
                stay.gone_at = Some(tick + GRACE_TICKS);
            }
            self.note(user);
        }
    }

    /// Notes which chat is open on a screen, if any.
    pub fn view(&mut self, session: &SessionId, user: &Arc<str>, chat: Option<(ChatId, Placement)>) {
        let Some(screen) = self.stays.get_mut(user).and_then(|stay| stay.screens.get_mut(session)) else {
            return;
        };
        *screen = chat.as_ref().map(|(id, _)| id.clone());
        self.places.extend(chat);
        self.note(user);
    }

    /// Notes that a placement is being looked up. A chat that moves meanwhile is remembered, because the
    /// look-up may return where it was before.
    pub fn begin_lookup(&mut self) {
        self.lookups += 1;
    }

    /// Notes that a look-up has ended. Returns where the chat moved meanwhile, if it did.
    pub fn end_lookup(&mut self, chat: &ChatId) -> Option<Placement> {
        let moved = self.moved_meanwhile.get(chat).cloned();
        self.lookups -= 1;
        if self.lookups == 0 {
            self.moved_meanwhile.clear();
        }
        moved
    }

    /// Notes that a chat has moved. Returns true if it is open on a screen and has another placement now.
    pub fn moved(&mut self, chat: &ChatId, place: &Placement) -> bool {
        if self.lookups > 0 {
            self.moved_meanwhile.insert(chat.clone(), place.clone());
        }
        let Some(known) = self.places.get_mut(chat).filter(|known| *known != place) else { return false };
        known.clone_from(place);
        self.note_looking_at(chat);
        true
    }

    /// This user's presence at this hub has changed.
    fn note(&mut self, user: &Arc<str>) {
        self.changed.insert(Arc::clone(user));
        if let Some(untold) = &mut self.untold {
            untold.insert(Arc::clone(user));
        }
    }

    /// Others may see this chat now, or no longer.
    fn note_looking_at(&mut self, chat: &ChatId) {
        let looks = |stay: &Stay| stay.screens.values().flatten().any(|viewed| viewed == chat);
        self.changed.extend(self.stays.iter().filter(|(_, stay)| looks(stay)).map(|(id, _)| Arc::clone(id)));
        self.changed.extend(self.elsewhere.looking_at(chat).cloned());
    }

    /// Removes users whose grace period is over.
    pub fn expire(&mut self, tick: u64) {
        let gone = |stay: &Stay| stay.gone_at.is_some_and(|at| at <= tick);
        let left: Vec<Arc<str>> =
            self.stays.iter().filter(|(_, stay)| gone(stay)).map(|(id, _)| Arc::clone(id)).collect();
        for user in left {
            self.stays.remove(&user);
            self.note(&user);
        }
        self.changed.extend(self.elsewhere.expire(tick));
        let here = self.stays.values().flat_map(|stay| stay.screens.values().flatten());
        let in_view: BTreeSet<&ChatId> = here.chain(self.elsewhere.chats()).collect();
        self.places.retain(|chat, _| in_view.contains(chat));
    }

    /// True if something has changed since it was last sent.
    pub fn has_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Users whose presence has changed since the last call.
    pub fn take_changed(&mut self) -> BTreeSet<Arc<str>> {
        std::mem::take(&mut self.changed)
    }

    /// All users, as this scope may see them.
    pub fn all(&self, scope: &Scope) -> PresenceUpdate {
        let ids: BTreeSet<&Arc<str>> = self.stays.keys().chain(self.elsewhere.users()).collect();
        let users = ids.into_iter().filter_map(|id| self.shown(id, scope)).collect();
        PresenceUpdate { full: true, users, left: Vec::new() }
    }

    /// These users, as this scope may see them.
    pub fn of(&self, changed: &BTreeSet<Arc<str>>, scope: &Scope) -> PresenceUpdate {
        let mut data = PresenceUpdate { full: false, users: Vec::new(), left: Vec::new() };
        for id in changed {
            if self.stays.contains_key(id) || self.elsewhere.of(id).next().is_some() {
                data.users.extend(self.shown(id, scope));
            } else {
                data.left.push(Arc::clone(id));
            }
        }
        data
    }

    /// A user with all screens, at this hub and at others; `None` where this scope may not see them.
    fn shown(&self, id: &Arc<str>, scope: &Scope) -> Option<Present> {
        let here = self.stays.get(id).map(Stay::told);
        let stays: Vec<&StayElsewhere> = here.iter().chain(self.elsewhere.of(id)).collect();
        if !stays.iter().any(|stay| shares_organization(scope, &stay.orgs)) {
            return None;
        }
        let seen = |chat: &&ChatId| self.places.get(*chat).is_some_and(|place| scope.sees(place));
        let screens = || stays.iter().flat_map(|stay| &stay.screens);
        let chats: BTreeSet<&ChatId> = screens().flatten().filter(seen).collect();
        // What this hub knows itself comes first.
        let name = stays.iter().find_map(|stay| stay.name.as_deref());
        Some(Present {
            id: Arc::clone(id),
            name: name.map(|name| if scope.is_masked() { mask_name(name) } else { name.to_owned() }),
            role: stays.first()?.role,
            since: stays.iter().map(|stay| stay.since).min()?,
            tabs: screens().count(),
            chats: chats.into_iter().cloned().collect(),
        })
    }
}

// What hubs of a cluster tell each other.

impl Stay {
    fn told(&self) -> StayElsewhere {
        StayElsewhere {
            name: self.name.as_deref().map(str::to_owned),
            role: self.scope.role,
            orgs: self.scope.orgs.clone(),
            since: self.since,
            screens: self.screens.values().cloned().collect(),
        }
    }
}

impl Presence {
    /// What the other hubs are told of everybody at this one.
    pub fn told_whole(&mut self) -> PresenceTold {
        self.untold = Some(BTreeSet::new());
        self.telling.forget();
        let stays = self.stays.iter().map(|(user, stay)| (user.to_string(), stay.told())).collect();
        PresenceTold { full: true, stays, ..PresenceTold::default() }
    }

    /// What has changed at this hub since the other hubs were told; `None` if nothing has.
    pub fn told_changes(&mut self) -> Option<PresenceTold> {
        let mut told = PresenceTold::default();
        for user in self.untold.replace(BTreeSet::new()).unwrap_or_default() {
            match self.stays.get(&user) {
                Some(stay) => drop(told.stays.insert(user.to_string(), stay.told())),
                None => told.left.push(user.to_string()),
            }
        }
        (!told.stays.is_empty() || !told.left.is_empty()).then_some(told)
    }

    /// True if other hubs have something to be told.
    pub fn has_untold(&self) -> bool {
        self.untold.as_ref().is_some_and(|untold| !untold.is_empty())
    }

    /// Takes over what another hub tells. Returns the chats whose placement must be looked up before anybody is told
    /// of them.
    pub fn hear(&mut self, node: &str, told: PresenceTold, tick: u64) -> BTreeSet<ChatId> {
        self.changed.extend(self.elsewhere.hear(node, told, tick));
        let unknown = self.elsewhere.chats().filter(|chat| !self.places.contains_key(*chat));
        unknown.cloned().collect()
    }

    /// Notes where a chat is that is open at another hub.
    pub fn place(&mut self, chat: ChatId, place: Placement) {
        self.note_looking_at(&chat);
        self.places.entry(chat).or_insert(place);
    }
}

/// A reader that is limited to organizations sees only users of these organizations.
fn shares_organization(reader: &Scope, others: &Limit) -> bool {
    let Some(own) = &reader.orgs else { return true };
    others.as_ref().is_some_and(|theirs| theirs.iter().any(|org| own.contains(org)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Identity;

    fn who(user: &str) -> SessionUser {
        SessionUser::new(&Identity { sub: user.into(), ..Identity::anonymous() })
    }

    fn ids(data: &PresenceUpdate) -> Vec<(&str, usize)> {
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
