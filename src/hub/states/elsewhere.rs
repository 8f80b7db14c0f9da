//! Who is present at the other hubs of a cluster, as they tell it. Plain data.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::auth::{Limit, Role};
use crate::domain::ChatId;

/// Ticks after a user's last screen has gone until the user counts as gone. A reload takes less.
pub const GRACE_TICKS: u64 = 10;
/// Ticks between two times that a hub tells of everybody.
pub const WHOLE_TICKS: u64 = 5;
/// Ticks without a word after which everybody at a hub counts as gone.
pub const SILENT_TICKS: u64 = 15;
/// Hubs whose presence is kept: more than a cluster has.
const HUBS_MAX: usize = 64;

/// The presence of one user at one hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StayElsewhere {
    pub name: Option<String>,
    pub role: Role,
    /// The organizations that the user's scope is limited to.
    pub orgs: Limit,
    pub since: Timestamp,
    /// The chat that is open on each screen, if any.
    pub screens: Vec<Option<ChatId>>,
}

/// What a hub tells of its own presence.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PresenceTold {
    /// True if `stays` are all.
    pub full: bool,
    pub stays: BTreeMap<String, StayElsewhere>,
    /// Users who are gone.
    pub left: Vec<String>,
    /// The hub ends now, and its screens come back elsewhere.
    pub leaving: bool,
}

#[derive(Debug)]
struct HubElsewhere {
    stays: BTreeMap<Arc<str>, StayElsewhere>,
    /// The tick at which it counts as gone, if it does not tell anything until then.
    gone_at: u64,
}

/// The presence at all other hubs.
#[derive(Debug, Default)]
pub struct Elsewhere(BTreeMap<String, HubElsewhere>);

impl Elsewhere {
    /// Takes over what a hub tells. Returns the users whose presence has changed.
    pub fn hear(&mut self, node: &str, told: PresenceTold, tick: u64) -> BTreeSet<Arc<str>> {
        let mut changed = BTreeSet::new();
        if !self.0.contains_key(node) && self.0.len() >= HUBS_MAX {
            log::warn!("the presence at {node} is not shown: there are more than {HUBS_MAX} hubs");
            return changed;
        }
        let new = || HubElsewhere { stays: BTreeMap::new(), gone_at: 0 };
        let hub = self.0.entry(node.to_owned()).or_insert_with(new);
        if told.leaving {
            // They come back at another hub within seconds, as after a reload.
            hub.gone_at = tick + GRACE_TICKS;
            for (user, stay) in &mut hub.stays {
                stay.screens.clear();
                changed.insert(Arc::clone(user));
            }
            return changed;
        }
        hub.gone_at = tick + SILENT_TICKS;
        let gone: Vec<Arc<str>> = if told.full {
            hub.stays.keys().filter(|user| !told.stays.contains_key(&***user)).cloned().collect()
        } else {
            told.left.into_iter().map(Arc::from).collect()
        };
        changed.extend(gone.into_iter().filter(|user| hub.stays.remove(user).is_some()));
        for (user, stay) in told.stays {
            let user: Arc<str> = user.into();
            if hub.stays.get(&user) != Some(&stay) {
                hub.stays.insert(Arc::clone(&user), stay);
                changed.insert(user);
            }
        }
        changed
    }

    /// Forgets hubs that have told nothing for long. Returns the users who were there.
    pub fn expire(&mut self, tick: u64) -> BTreeSet<Arc<str>> {
        let mut gone = BTreeSet::new();
        self.0.retain(|_, hub| {
            let is_gone = hub.gone_at <= tick;
            if is_gone {
                gone.extend(hub.stays.keys().cloned());
            }
            !is_gone
        });
        gone
    }

    /// The stays of a user, one for each hub.
    pub fn of<'a>(&'a self, user: &'a str) -> impl Iterator<Item = &'a StayElsewhere> {
        self.0.values().filter_map(move |hub| hub.stays.get(user))
    }

    pub fn users(&self) -> impl Iterator<Item = &Arc<str>> {
        self.0.values().flat_map(|hub| hub.stays.keys())
    }

    /// Chats that are open on screens elsewhere.
    pub fn chats(&self) -> impl Iterator<Item = &ChatId> {
        let stays = self.0.values().flat_map(|hub| hub.stays.values());
        stays.flat_map(|stay| stay.screens.iter().flatten())
    }

    /// Users who have this chat open elsewhere.
    pub fn looking_at<'a>(&'a self, chat: &'a ChatId) -> impl Iterator<Item = &'a Arc<str>> {
        let stays = self.0.values().flat_map(|hub| &hub.stays);
        stays
            .filter(move |(_, stay)| stay.screens.iter().flatten().any(|viewed| viewed == chat))
            .map(|(user, _)| user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(full: bool, users: &[(&str, usize)]) -> PresenceTold {
        let stay = |screens| StayElsewhere {
            name: None,
            role: Role::Agent,
            orgs: None,
            since: Timestamp::UNIX_EPOCH,
            screens: vec![None; screens],
        };
        let stays = users.iter().map(|(user, screens)| ((*user).to_owned(), stay(*screens))).collect();
        PresenceTold { full, stays, ..PresenceTold::default() }
    }

    fn names(users: &BTreeSet<Arc<str>>) -> String {
        users.iter().map(|user| &**user).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn everybody_at_a_hub_is_known_by_its_last_word() {
        let mut elsewhere = Elsewhere::default();
        assert_eq!(names(&elsewhere.hear("b", told(true, &[("ana", 1), ("bia", 2)]), 0)), "ana bia");
        assert_eq!(names(&elsewhere.hear("b", told(true, &[("ana", 1), ("bia", 2)]), 5)), "", "no news");
        assert_eq!(names(&elsewhere.hear("b", told(false, &[("bia", 1)]), 6)), "bia");
        let left = PresenceTold { left: vec!["ana".to_owned(), "eva".to_owned()], ..told(false, &[]) };
        assert_eq!(names(&elsewhere.hear("b", left, 7)), "ana");
        assert_eq!(names(&elsewhere.hear("b", told(true, &[("leo", 1)]), 8)), "bia leo");
        assert_eq!(elsewhere.of("leo").map(|stay| stay.screens.len()).sum::<usize>(), 1);
    }

    #[test]
    fn a_silent_hub_is_forgotten_and_one_that_leaves_has_no_screens_at_once() {
        let mut elsewhere = Elsewhere::default();
        elsewhere.hear("b", told(true, &[("ana", 1)]), 0);
        elsewhere.hear("c", told(true, &[("ana", 1), ("bia", 1)]), 10);
        assert_eq!(names(&elsewhere.expire(SILENT_TICKS - 1)), "");
        assert_eq!(names(&elsewhere.expire(SILENT_TICKS)), "ana");
        assert_eq!(elsewhere.of("ana").count(), 1, "at the other hub");
        let leaving = PresenceTold { leaving: true, ..PresenceTold::default() };
        assert_eq!(names(&elsewhere.hear("c", leaving, 20)), "ana bia");
        assert!(elsewhere.of("bia").all(|stay| stay.screens.is_empty()));
        assert_eq!(names(&elsewhere.expire(20 + GRACE_TICKS)), "ana bia");
        assert_eq!(elsewhere.users().count(), 0);
    }

    #[test]
    fn so_many_hubs_are_kept_and_no_more() {
        let mut elsewhere = Elsewhere::default();
        for number in 0..HUBS_MAX {
            elsewhere.hear(&number.to_string(), told(true, &[("ana", 1)]), 0);
        }
        assert_eq!(names(&elsewhere.hear("another", told(true, &[("bia", 1)]), 0)), "");
        assert_eq!(elsewhere.of("ana").count(), HUBS_MAX);
    }
}
