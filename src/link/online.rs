//! Reads who is online in Umbler Talk.

use super::archive::Archive;
use super::client::Client;
use super::directory::NameAgents;
use super::fault::LinkError;
use crate::protocol::link::{OnlineAgentShape, OnlineShape};
use crate::umbler::api::RequestBuilder;
use crate::umbler::api::answers::online;

/// Most agents who are told to be online; of more, those with the first ids.
const ONLINE_MAX: usize = 2_000;

/// Asks who is online, once.
pub fn read(
    client: &mut Client,
    requests: &RequestBuilder,
    archive: &Archive,
) -> Result<OnlineShape, LinkError> {
    let answer = client.ask_briefly(&requests.online(), online)?;
    let named = archive.ask(NameAgents(bounded(answer.said)))?;
    let agents = named.into_iter().map(|(id, name)| OnlineAgentShape { id, name }).collect();
    Ok(OnlineShape { read_at: answer.received_at, agents })
}

/// Each agent once, in the order of the ids.
fn bounded(mut agents: Vec<(String, Option<String>)>) -> Vec<(String, Option<String>)> {
    agents.sort_unstable();
    agents.dedup_by(|one, other| one.0 == other.0);
    agents.truncate(ONLINE_MAX);
    agents
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_agent_is_told_once_and_two_thousand_at_most() {
        let agent = |number: usize| (format!("agent-{number:05}"), None);
        let named =
            vec![("b".to_owned(), Some("Bia".to_owned())), ("a".to_owned(), None), ("a".to_owned(), None)];
        assert_eq!(bounded(named), [("a".to_owned(), None), ("b".to_owned(), Some("Bia".to_owned()))]);
        let many = bounded((0..3_000).rev().map(agent).collect());
        assert_eq!((many.len(), many.last()), (2_000, Some(&agent(1_999))));
    }
}
