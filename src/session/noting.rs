//! Notes for the log of reads what a session is about to be shown, on a socket or an event stream.

use crate::auth::Identity;
use crate::protocol::{Channel, SnapshotLimits};
use crate::reads::{ReadLog, ReadNote};
use crate::telemetry::clock;

/// Who is shown something, and by which route, or request on a socket.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    pub log: &'a ReadLog,
    pub identity: &'a Identity,
    pub route: &'a str,
}

impl Shown<'_> {
    /// Notes the channels that it follows: each chat and contact by its id, and how many lists.
    pub fn channels(self, channels: &[Channel]) {
        let mut lists = 0;
        for channel in channels {
            match channel {
                Channel::Chat(id) => self.note(Some(id), None, 1),
                Channel::Contact(id) => self.note(None, Some(id), 1),
                Channel::Updates
                | Channel::Sector(_)
                | Channel::Member(_)
                | Channel::Line(_)
                | Channel::Tag(_) => {
                    lists += 1;
                }
                Channel::Stats | Channel::Presence | Channel::User(_) | Channel::Metrics(_) => {}
            }
        }
        if lists > 0 {
            self.note(None, None, lists);
        }
    }

    /// Notes a snapshot of at most so many items.
    pub fn snapshot(self, limits: SnapshotLimits) {
        let SnapshotLimits { contacts, chats, messages } = limits;
        self.note(None, None, contacts + chats + messages);
    }

    fn note(self, chat: Option<&String>, contact: Option<&String>, count: u32) {
        self.log.note(ReadNote {
            at: clock::now(),
            user: self.identity.sub.clone(),
            role: self.identity.role.as_str(),
            route: self.route.to_owned(),
            chat: chat.cloned(),
            contact: contact.cloned(),
            count,
        });
    }
}
