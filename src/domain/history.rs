//! A chat's history: its state after each entry of its timeline, and what changed between two entries.
//!
//! An entry holds what one delivery said. What it does not say stays as before. Entries are given in the chat's
//! order, so a late delivery takes its place among them.

use jiff::Timestamp;

use super::audience::Placement;
use super::ids::{EventId, RefId};
use super::order::Close;

/// One entry of a timeline, as it is stored. An outer `None` means not said; an inner `None` means said to be
/// nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// When the delivery was emitted.
    pub at: Timestamp,
    pub event_id: EventId,
    pub organization: Option<RefId>,
    /// True where the chat is open, false where it is closed.
    pub open: Option<bool>,
    /// True where the provider has the chat in its waiting list.
    pub waiting: Option<bool>,
    /// True where only its members, admins and supervisors see the chat.
    pub private: Option<bool>,
    /// The agent who has the chat.
    pub owner: Option<Option<RefId>>,
    pub sector: Option<Option<RefId>>,
    pub channel: Option<RefId>,
    pub tags: Option<Vec<RefId>>,
    /// The agents who take part in the chat.
    pub members: Option<Vec<RefId>>,
    /// True while a bot answers in the chat.
    pub bot_running: Option<bool>,
    /// When the chat was closed; `None` for an entry that does not show it closed.
    pub closed_at: Option<Timestamp>,
}

/// The state of a chat after some entries of its timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// True until an entry says that the chat is closed.
    pub open: bool,
    /// True where the provider has the chat in its waiting list, even after its close; see
    /// [`is_waiting`](Self::is_waiting).
    pub waiting: bool,
    /// True while a bot answers in the chat.
    pub bot_running: bool,
    pub tags: Vec<RefId>,
    /// Organization, sector, line, agents and privacy.
    pub place: Placement,
    /// When the chat was closed, by the first of the consecutive entries that show it closed; `None` while it
    /// is open.
    pub closed_since: Option<Timestamp>,
    pub last_close: Option<Close>,
}

impl Default for Standing {
    fn default() -> Self {
        Self {
            open: true,
            waiting: false,
            bot_running: false,
            tags: Vec::new(),
            place: Placement::default(),
            closed_since: None,
            last_close: None,
        }
    }
}

impl Standing {
    /// The state after these entries, which are in the chat's order; `None` where there are none.
    pub fn after(entries: &[HistoryEntry]) -> Option<Self> {
        let mut standing = (!entries.is_empty()).then(Self::default)?;
        for entry in entries {
            standing.hear(entry);
        }
        Some(standing)
    }

    /// True for an open chat in the waiting list.
    pub fn is_waiting(&self) -> bool {
        self.open && self.waiting
    }

    pub(super) fn hear(&mut self, entry: &HistoryEntry) {
        let place = &mut self.place;
        place.organization = place.organization.take().or_else(|| entry.organization.clone());
        keep(&mut place.sector, entry.sector.as_ref());
        keep(&mut place.owner, entry.owner.as_ref());
        keep(&mut place.members, entry.members.as_ref());
        keep(&mut place.private, entry.private.as_ref());
        keep(&mut self.tags, entry.tags.as_ref());
        keep(&mut self.open, entry.open.as_ref());
        keep(&mut self.waiting, entry.waiting.as_ref());
        keep(&mut self.bot_running, entry.bot_running.as_ref());
        if let Some(channel) = &entry.channel {
            place.channel = Some(channel.clone());
        }
        if entry.open == Some(false) {
            if let Some(at) = entry.closed_at {
                Close::keep_latest(&mut self.last_close, Close { at, told_at: entry.at });
            }
            self.closed_since = self.closed_since.or(entry.closed_at);
        }
        if self.open {
            self.closed_since = None;
        }
    }
}

fn keep<T: Clone>(known: &mut T, said: Option<&T>) {
    if let Some(said) = said {
        known.clone_from(said);
    }
}

/// The kinds of changes in a chat's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// The chat was first seen, open.
    Opened,
    /// The chat is open again.
    Reopened,
    /// From one sector to another; `None`: no sector.
    SectorChanged(Option<RefId>, Option<RefId>),
    /// From one agent to another; `None`: no agent.
    Transferred(Option<RefId>, Option<RefId>),
    /// Tags that the chat did not have before.
    TagsAdded(Vec<RefId>),
    /// Tags that the chat no longer has.
    TagsRemoved(Vec<RefId>),
    /// From here on only its members, admins and supervisors see the chat.
    MadePrivate,
    /// From here on the chat is no longer private.
    MadePublic,
    /// A bot began to answer.
    BotStarted,
    BotStopped,
    /// The chat came into the waiting list.
    WaitingStarted,
    /// The chat left the waiting list, or was closed.
    WaitingEnded,
    /// The chat was closed, or was closed when it was first seen.
    Closed,
    /// The chat entered the viewer's scope.
    Entered,
    /// The chat left the viewer's scope.
    Gone,
}

/// One change in a chat's history, and when it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// When the delivery that showed it was emitted.
    pub at: Timestamp,
    pub event_id: EventId,
    /// Counts the changes that one delivery showed, from 0.
    pub number: usize,
    pub what: Happening,
}

/// The changes of a chat in order, for a viewer who sees it wherever `sees` is true. The first entry has
/// nothing before it: what it says is the chat's state when it was first heard of.
pub fn transitions(entries: &[HistoryEntry], sees: impl Fn(&Placement) -> bool) -> Vec<Transition> {
    let mut transitions = Vec::new();
    let mut before: Option<Standing> = None;
    for entry in entries {
        let mut after = before.clone().unwrap_or_default();
        after.hear(entry);
        let seen_before = before.as_ref().map(|before| sees(&before.place));
        let happened = match (seen_before, sees(&after.place)) {
            (Some(false), true) => vec![Happening::Entered],
            (Some(true), false) => vec![Happening::Gone],
            (Some(false) | None, false) => Vec::new(),
            (Some(true) | None, true) => happenings(before.as_ref(), &after),
        };
        transitions.extend(happened.into_iter().enumerate().map(|(number, what)| Transition {
            at: entry.at,
            event_id: entry.event_id.clone(),
            number,
            what,
        }));
        before = Some(after);
    }
    transitions
}

/// The changes between two neighbouring states.
fn happenings(before: Option<&Standing>, after: &Standing) -> Vec<Happening> {
    let nothing = Standing::default();
    let is_first = before.is_none();
    let before = before.unwrap_or(&nothing);
    let lacking = |these: &[RefId], those: &[RefId]| -> Vec<RefId> {
        these.iter().filter(|tag| !those.contains(tag)).cloned().collect()
    };
    let (added, removed) = (lacking(&after.tags, &before.tags), lacking(&before.tags, &after.tags));
    let mut happened = Vec::new();
    let mut note = |is_so: bool, what: Happening| {
        if is_so {
            happened.push(what);
        }
    };
    note(is_first && after.open, Happening::Opened);
    note(!before.open && after.open, Happening::Reopened);
    let (was, is) = (&before.place, &after.place);
    note(was.sector != is.sector, Happening::SectorChanged(was.sector.clone(), is.sector.clone()));
    note(was.owner != is.owner, Happening::Transferred(was.owner.clone(), is.owner.clone()));
    note(!added.is_empty(), Happening::TagsAdded(added));
    note(!removed.is_empty(), Happening::TagsRemoved(removed));
    note(!was.private && is.private, Happening::MadePrivate);
    note(was.private && !is.private, Happening::MadePublic);
    note(!before.bot_running && after.bot_running, Happening::BotStarted);
    note(before.bot_running && !after.bot_running, Happening::BotStopped);
    note(!before.is_waiting() && after.is_waiting(), Happening::WaitingStarted);
    note(before.is_waiting() && !after.is_waiting(), Happening::WaitingEnded);
    note(before.open && !after.open, Happening::Closed);
    happened
}

#[cfg(test)]
mod tests {
    use super::Happening::{
        BotStarted, BotStopped, Closed, Entered, Gone, MadePrivate, MadePublic, Opened, Reopened,
        SectorChanged, TagsAdded, TagsRemoved, Transferred, WaitingEnded, WaitingStarted,
    };
    use super::*;

    fn id(id: &str) -> RefId {
        id.into()
    }

    fn entry(second: i64) -> HistoryEntry {
        let at = Timestamp::from_second(second).unwrap();
        HistoryEntry {
            at,
            event_id: format!("e{second}").as_str().into(),
            organization: None,
            open: None,
            waiting: None,
            private: None,
            owner: None,
            sector: None,
            channel: None,
            tags: None,
            members: None,
            bot_running: None,
            closed_at: None,
        }
    }

    /// A day of a chat, entry by entry, and what happened at each.
    fn day() -> Vec<(HistoryEntry, Vec<Happening>)> {
        vec![
            (
                HistoryEntry {
                    open: Some(true),
                    waiting: Some(true),
                    sector: Some(Some(id("sales"))),
                    ..entry(1)
                },
                vec![Opened, SectorChanged(None, Some(id("sales"))), WaitingStarted],
            ),
            (HistoryEntry { bot_running: Some(true), ..entry(2) }, vec![BotStarted]),
            (HistoryEntry { bot_running: Some(true), open: Some(true), ..entry(3) }, vec![]),
            (
                HistoryEntry {
                    bot_running: Some(false),
                    owner: Some(Some(id("bia"))),
                    waiting: Some(false),
                    ..entry(4)
                },
                vec![Transferred(None, Some(id("bia"))), BotStopped, WaitingEnded],
            ),
            (
                HistoryEntry { tags: Some(vec![id("new"), id("big")]), ..entry(5) },
                vec![TagsAdded(vec![id("new"), id("big")])],
            ),
            (
                HistoryEntry { tags: Some(vec![id("big"), id("paid")]), ..entry(6) },
                vec![TagsAdded(vec![id("paid")]), TagsRemoved(vec![id("new")])],
            ),
            (
                HistoryEntry {
                    owner: Some(Some(id("caio"))),
                    sector: Some(Some(id("support"))),
                    private: Some(true),
                    ..entry(7)
                },
                vec![
                    SectorChanged(Some(id("sales")), Some(id("support"))),
                    Transferred(Some(id("bia")), Some(id("caio"))),
                    MadePrivate,
                ],
            ),
            (
                HistoryEntry { private: Some(false), waiting: Some(true), ..entry(8) },
                vec![MadePublic, WaitingStarted],
            ),
            (
                HistoryEntry { open: Some(false), closed_at: Some(entry(9).at), ..entry(9) },
                vec![WaitingEnded, Closed],
            ),
            (
                HistoryEntry { open: Some(true), waiting: Some(false), owner: Some(None), ..entry(10) },
                vec![Reopened, Transferred(Some(id("caio")), None)],
            ),
        ]
    }

    #[test]
    fn transitions_are_read_off_neighbours() {
        let (entries, expected): (Vec<_>, Vec<_>) = day().into_iter().unzip();
        let found = transitions(&entries, |_| true);
        for (entry, expected) in entries.iter().zip(expected) {
            let here = found.iter().filter(|found| found.at == entry.at);
            assert_eq!(
                here.map(|found| found.what.clone()).collect::<Vec<_>>(),
                expected,
                "{}",
                entry.event_id
            );
        }
    }

    #[test]
    fn a_chat_first_seen_closed_was_closed_and_not_opened() {
        let closed = HistoryEntry { open: Some(false), ..entry(1) };
        let what: Vec<_> = transitions(&[closed], |_| true).into_iter().map(|found| found.what).collect();
        assert_eq!(what, [Closed]);
    }

    #[test]
    fn where_it_was_is_not_told_to_one_who_did_not_see_it_there() {
        let (entries, _): (Vec<_>, Vec<_>) = day().into_iter().unzip();
        let in_sector = |sector: &'static str| move |place: &Placement| place.sector == Some(id(sector));
        let what = |sector| -> Vec<_> {
            transitions(&entries, in_sector(sector))
                .into_iter()
                .map(|found| (found.event_id, found.what))
                .collect()
        };
        assert_eq!(what("support")[0], ("e7".into(), Entered));
        assert_eq!(what("sales").last(), Some(&("e7".into(), Gone)));
        assert_eq!(what("nowhere"), []);
    }

    #[test]
    fn a_standing_is_what_the_newest_entry_that_spoke_of_it_said() {
        let (entries, _): (Vec<_>, Vec<_>) = day().into_iter().unzip();
        let closed = Standing::after(&entries[..9]).unwrap();
        assert!(!closed.open && !closed.is_waiting() && closed.waiting);
        let close = Close { at: entry(9).at, told_at: entry(9).at };
        assert_eq!((closed.closed_since, closed.last_close), (Some(entry(9).at), Some(close)));
        let reopened = Standing::after(&entries).unwrap();
        assert_eq!((reopened.open, reopened.closed_since), (true, None));
        assert_eq!(reopened.last_close, Some(close));
        assert_eq!(reopened.place.sector, Some(id("support")));
        assert_eq!(Standing::after(&[]), None);
    }
}
