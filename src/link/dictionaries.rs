//! Reads the names of sectors, lines and tags from the API: those that deliveries do not carry, and those that were changed there.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Transaction};

use super::archive::Archive;
use super::client::Client;
use super::fault::LinkError;
use crate::domain::{GivenName, NamedKind};
use crate::reads::{Query, ReadError};
use crate::umbler::api::{NamesPage, RequestBuilder, Route};

/// Most names of one kind that are taken. A company has some hundreds of tags.
const NAMES_MAX: usize = 5_000;
/// Most pages of one list that are read: a provider that answers with a few items on each must not be asked for ever.
const PAGES_MAX: usize = 100;
/// Names in one record, so that an update stays small.
const NAMES_OF_A_RECORD: usize = 500;

/// Reads all names and records those that are new. A list that the token may not see is left out. Returns how many names there are.
pub fn refresh(
    client: &mut Client,
    requests: &RequestBuilder,
    archive: &Archive,
) -> Result<usize, LinkError> {
    let mut count = 0;
    for (what, route) in [
        (NamedKind::Sector, Route::Sectors),
        (NamedKind::Channel, Route::Channels),
        (NamedKind::Tag, Route::Tags),
    ] {
        let listed = match read_list(client, requests, route) {
            Ok(listed) => listed,
            Err(error @ (LinkError::NotAllowed(403) | LinkError::Refused { .. })) => {
                log::debug!("names of {} cannot be read: {error}", route.as_str());
                continue;
            }
            Err(error) => return Err(error),
        };
        count += listed.len();
        let named = |(id, name): (String, String)| GivenName { what, id: id.into(), name: Some(name) };
        let news = archive.ask(FindChangedNames { listed: listed.into_iter().map(named).collect() })?;
        for part in news.chunks(NAMES_OF_A_RECORD) {
            archive.name_places(part.to_vec())?;
        }
    }
    Ok(count)
}

/// Reads a list to its end. The provider may ignore the parameters of the page, so a page that repeats what is known ends it.
fn read_list(
    client: &mut Client,
    requests: &RequestBuilder,
    route: Route,
) -> Result<BTreeMap<String, String>, LinkError> {
    let (mut names, mut seen) = (BTreeMap::new(), std::collections::BTreeSet::new());
    for _ in 0..PAGES_MAX {
        let page = client.ask(&requests.list_after(route, seen.len()), NamesPage::read)?.said;
        let before = seen.len();
        for (id, name) in page.items {
            seen.insert(id.clone());
            names.extend(name.map(|name| (id, name.trim().to_owned())));
        }
        let is_whole = page.total.is_none_or(|total| seen.len() as u64 >= total);
        if is_whole || seen.len() == before || seen.len() >= NAMES_MAX {
            break;
        }
    }
    while names.len() > NAMES_MAX {
        names.pop_last();
    }
    Ok(names)
}

/// Finds the names that differ from what is known of the provider.
#[derive(Debug)]
struct FindChangedNames {
    listed: Vec<GivenName>,
}

impl Query for FindChangedNames {
    type Answer = Vec<GivenName>;

    fn answer(self, tx: &Transaction<'_>) -> Result<Vec<GivenName>, ReadError> {
        let mut select = tx.prepare_cached("SELECT name FROM names WHERE what = ?1 AND id = ?2")?;
        let mut news = Vec::new();
        for given in self.listed {
            let known: Option<Option<String>> =
                select.query_row([given.what.as_str(), given.id.as_str()], |row| row.get(0)).optional()?;
            if known.flatten() != given.name {
                news.push(given);
            }
        }
        Ok(news)
    }
}
