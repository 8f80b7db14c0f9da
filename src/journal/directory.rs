//! The directory of agents. The writer holds it in memory, so that names can be added to updates without a
//! query. It is changed only through the journal.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::entry::Origin;
use super::fault::StoreError;
use super::fold::fold;
use crate::domain::register::to_nanos;
use crate::domain::{Member, RefId};

/// The most entries of the directory. All of them are held in memory.
pub const MEMBERS_MAX: usize = 20_000;
/// The most ids without an entry that are listed, so that a provider that makes up ids cannot fill the
/// memory.
const UNKNOWN_MAX: usize = 100_000;

/// All agents who are in the directory, or who occur without being in it.
#[derive(Debug, Default)]
pub struct Directory {
    members: HashMap<String, DirectoryEntry>,
    known: usize,
}

#[derive(Debug)]
struct DirectoryEntry {
    member: Member,
    /// The agent owns a chat, takes part in one, or wrote a message.
    occurs: bool,
    /// The entry came from the provider.
    provided: bool,
}

impl Directory {
    pub fn load(connection: &Connection) -> Result<Self, StoreError> {
        let mut select =
            connection.prepare("SELECT id, name, photo_url, sector_id, occurs, provided FROM members")?;
        let members = select.query_map([], |row| {
            let sector: Option<String> = row.get(3)?;
            let id: String = row.get(0)?;
            let (name, photo_url) = (row.get(1)?, row.get(2)?);
            let member =
                Member { id: id.clone().into(), name, photo_url, sector_id: sector.map(RefId::from) };
            Ok((id, DirectoryEntry { member, occurs: row.get(4)?, provided: row.get(5)? }))
        })?;
        let members: HashMap<String, DirectoryEntry> = members.collect::<Result<_, _>>()?;
        let known = members.values().filter(|entry| entry.member.is_known()).count();
        Ok(Self { members, known })
    }

    /// The agent's name; `None` if the directory has none.
    pub fn name_of(&self, id: &str) -> Option<&str> {
        self.members.get(id)?.member.name.as_deref()
    }

    /// Notes that an agent owns a chat, takes part in one, or wrote a message.
    pub fn note(&mut self, connection: &Connection, id: &RefId) -> Result<(), StoreError> {
        self.note_up_to(UNKNOWN_MAX, connection, id)
    }

    fn note_up_to(&mut self, most: usize, connection: &Connection, id: &RefId) -> Result<(), StoreError> {
        let is_full = self.members.len() - self.known >= most;
        match self.members.get_mut(id.as_str()) {
            Some(entry) if entry.occurs => return Ok(()),
            Some(entry) => entry.occurs = true,
            None if is_full => return Ok(()),
            None => {
                let member = Member::unknown(id.clone());
                put(connection, &member, None, false)?;
                self.members.insert(id.to_string(), DirectoryEntry { member, occurs: true, provided: false });
            }
        }
        connection.prepare_cached("UPDATE members SET occurs = 1 WHERE id = ?1")?.execute([id.as_str()])?;
        Ok(())
    }

    /// Those of the given entries that differ from the directory. What an admin set, the provider does not change.
    pub(super) fn changes<'a>(&self, members: &'a [Member], origin: &Origin) -> Vec<&'a Member> {
        let is_provider = *origin == Origin::Hub;
        let is_new = |member: &&Member| match self.members.get(member.id.as_str()) {
            Some(known) if known.member == **member => known.provided && !is_provider && member.is_known(),
            Some(known) => !is_provider || known.provided || !known.member.is_known(),
            None => member.is_known(),
        };
        members.iter().filter(is_new).collect()
    }

    /// How many entries the directory would have with these changes.
    pub(super) fn known_after(&self, changes: &[&Member]) -> usize {
        let is_known = |member: &&&Member| self.name_of(member.id.as_str()).is_some();
        let added = changes.iter().filter(|member| member.is_known()).count();
        self.known + added - changes.iter().filter(is_known).count()
    }

    /// Sets entries, and removes those that have no name.
    pub(super) fn change(
        &mut self,
        connection: &Connection,
        changes: &[&Member],
        origin: &Origin,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let provided = *origin == Origin::Hub;
        self.known = self.known_after(changes);
        for member in changes {
            let occurs = self.members.get(member.id.as_str()).is_some_and(|entry| entry.occurs);
            if !member.is_known() && !occurs {
                forget(connection, member)?;
                self.members.remove(member.id.as_str());
                continue;
            }
            let provided = provided && member.is_known();
            put(connection, member, member.is_known().then_some(at), provided)?;
            self.members.insert(
                member.id.to_string(),
                DirectoryEntry { member: (*member).clone(), occurs, provided },
            );
        }
        Ok(())
    }
}

/// Writes an entry. Leaves alone whether its id occurs in chats: such an id stays listed even without an
/// entry.
fn put(
    connection: &Connection,
    member: &Member,
    at: Option<Timestamp>,
    provided: bool,
) -> Result<(), StoreError> {
    let name = member.name.as_deref();
    let mut upsert = connection.prepare_cached(
        "INSERT INTO members (id, name, photo_url, sector_id, updated_at, occurs, name_key, search_key, provided)
         VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7, ?8)
         ON CONFLICT (id) DO UPDATE SET name = ?2, photo_url = ?3, sector_id = ?4, updated_at = ?5, name_key = ?6,
             search_key = ?7, provided = ?8",
    )?;
    let id = member.id.as_str();
    upsert.execute(params![
        id,
        name,
        member.photo_url,
        member.sector_id.as_ref().map(RefId::as_str),
        at.map(to_nanos),
        name.map(fold).unwrap_or_default(),
        member_search_key(name, id),
        provided,
    ])?;
    Ok(())
}

/// The text in which agents are searched: name and id, folded.
pub(super) fn member_search_key(name: Option<&str>, id: &str) -> String {
    format!("{} {}", name.map(fold).unwrap_or_default(), fold(id)).trim_start().to_owned()
}

/// Deletes the row. Nothing must refer to it.
fn forget(connection: &Connection, member: &Member) -> Result<(), StoreError> {
    connection.prepare_cached("DELETE FROM members WHERE id = ?1")?.execute([member.id.as_str()])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database() -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        crate::journal::steps::migrate_to_latest(&mut connection).unwrap();
        connection
    }

    fn named(id: &str, name: Option<&str>) -> Member {
        Member { name: name.map(str::to_owned), ..Member::unknown(id.into()) }
    }

    fn rows(connection: &Connection) -> Vec<(String, bool)> {
        let mut select = connection.prepare("SELECT id, occurs FROM members ORDER BY id").unwrap();
        select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn ids_beyond_the_bound_are_not_listed_and_a_name_makes_room() {
        let database = database();
        let mut directory = Directory::default();
        for id in ["a", "b", "c", "a"] {
            directory.note_up_to(2, &database, &id.into()).unwrap();
        }
        assert_eq!(rows(&database), [("a".into(), true), ("b".into(), true)]);
        let user = Origin::User("root".to_owned());
        directory.change(&database, &[&named("a", Some("Ana"))], &user, Timestamp::UNIX_EPOCH).unwrap();
        directory.note_up_to(2, &database, &"c".into()).unwrap();
        assert_eq!(rows(&database).len(), 3);
    }

    #[test]
    fn what_is_held_is_what_is_stored() {
        let database = database();
        let mut directory = Directory::default();
        let (at, user) = (Timestamp::UNIX_EPOCH, Origin::User("root".to_owned()));
        directory
            .change(&database, &[&named("a", Some("Ana")), &named("b", Some("Bia"))], &user, at)
            .unwrap();
        directory.note(&database, &"a".into()).unwrap();
        let gone = [named("a", None), named("b", None)];
        assert_eq!(directory.known_after(&gone.iter().collect::<Vec<_>>()), 0);
        directory.change(&database, &gone.iter().collect::<Vec<_>>(), &user, at).unwrap();
        assert_eq!(rows(&database), [("a".into(), true)], "b occurs nowhere");
        for directory in [&directory, &Directory::load(&database).unwrap()] {
            assert_eq!((directory.name_of("a"), directory.known, directory.members.len()), (None, 0, 1));
            assert!(directory.changes(&gone, &user).is_empty());
        }
    }

    #[test]
    fn the_provider_names_whom_no_admin_named_and_an_admin_may_name_everybody() {
        let database = database();
        let (at, admin, provider) = (Timestamp::UNIX_EPOCH, Origin::User("root".to_owned()), Origin::Hub);
        let mut directory = Directory::default();
        let mut say = |origin: &Origin, id: &str, name: Option<&str>| {
            let said = [named(id, name)];
            let news = directory.changes(&said, origin);
            directory.change(&database, &news, origin, at).unwrap();
            let held = directory.name_of(id).map(str::to_owned);
            assert_eq!(Directory::load(&database).unwrap().name_of(id), held.as_deref());
            (news.len(), held.unwrap_or_default())
        };
        assert_eq!(say(&provider, "a", Some("Ana")), (1, "Ana".to_owned()));
        assert_eq!(say(&provider, "a", Some("Ana")), (0, "Ana".to_owned()), "nothing new");
        assert_eq!(say(&provider, "a", Some("Ana B.")), (1, "Ana B.".to_owned()));
        assert_eq!(
            say(&admin, "a", Some("Ana B.")),
            (1, "Ana B.".to_owned()),
            "from here on it is the admin's"
        );
        assert_eq!(say(&provider, "a", Some("Ana C.")), (0, "Ana B.".to_owned()));
        assert_eq!(say(&admin, "a", None), (1, String::new()));
        assert_eq!(say(&provider, "a", Some("Ana C.")), (1, "Ana C.".to_owned()), "nobody named her now");
    }
}
