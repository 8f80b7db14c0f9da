//! What is guessed about Umbler's API, an entry for each guess. Public integrations contradict each other in some of them, and
//! the API does not complain about a wrong one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Parameters of a question and their values.
pub type Parameters = BTreeMap<String, String>;

/// Items on one page that an entry may ask for. The provider has bounds of its own below this.
const TAKE_MAX: u32 = 1_000;

/// The words of the API. The file that `UMBLER_API_DIALECT` names replaces single entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Dialect {
    /// Asks for chats that are open or closed. Without it the provider shows open ones only.
    pub chats_all: Parameters,
    pub chats_open: Parameters,
    /// Asks for the chats with the newest activity first. Two spellings are known, so both are sent: the wrong one is ignored.
    pub chats_order: Parameters,
    /// The parameter for the earliest creation of the chats that are listed.
    pub chats_created_from: String,
    pub chats_take: u32,
    /// The parameter for how many items are passed over.
    pub skip: String,
    /// The parameter for how many items a page has.
    pub take: String,
    /// The parameter for the moment from which messages are read.
    pub messages_from: String,
    /// Asks for the messages before that moment.
    pub messages_before: Parameters,
    /// Asks for messages without rows about the chat itself.
    pub messages_only: Parameters,
    pub messages_take: u32,
    /// Fields of an agent that may hold the picture's address; the first that does counts.
    pub member_picture: Vec<String>,
    /// Fields of an entry of the webhooks that may hold its channels.
    pub webhook_channels: Vec<String>,
}

fn parameters(pairs: &[(&str, &str)]) -> Parameters {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            chats_all: parameters(&[("ChatState", "All")]),
            chats_open: parameters(&[("ChatState", "Open")]),
            chats_order: parameters(&[
                ("ChatOrderBy", "LastMessage"),
                ("Order", "Desc"),
                ("OrderBy", "LastMessage"),
            ]),
            chats_created_from: "DateStartCreatedAtUTC".to_owned(),
            chats_take: 100,
            skip: "Skip".to_owned(),
            take: "Take".to_owned(),
            messages_from: "FromEventUTC".to_owned(),
            messages_before: parameters(&[("Direction", "TakeBefore")]),
            messages_only: parameters(&[("IncludeMetadata", "false")]),
            messages_take: 100,
            member_picture: words(&["ProfilePictureUrl", "PictureUrl", "PhotoUrl"]),
            webhook_channels: words(&["ForChannels", "Channels", "ChannelIds"]),
        }
    }
}

impl Dialect {
    /// The entries of a JSON object over the defaults. The error says which entry is wrong.
    pub fn read(text: &str) -> Result<Self, String> {
        let dialect: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        for (name, take) in [("chatsTake", dialect.chats_take), ("messagesTake", dialect.messages_take)] {
            if !(1..=TAKE_MAX).contains(&take) {
                return Err(format!("{name} must be 1 to {TAKE_MAX}"));
            }
        }
        let names = [
            ("chatsCreatedFrom", &dialect.chats_created_from),
            ("skip", &dialect.skip),
            ("take", &dialect.take),
            ("messagesFrom", &dialect.messages_from),
        ];
        if let Some((entry, _)) = names.into_iter().find(|(_, name)| name.is_empty()) {
            return Err(format!("{entry} must not be empty"));
        }
        Ok(dialect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_guess_is_mended_by_one_entry_and_a_wrong_entry_is_named() {
        let mended = Dialect::read(r#"{"chatsOrder":{"SortBy":"Activity"},"messagesTake":50}"#).unwrap();
        assert_eq!(mended.chats_order, parameters(&[("SortBy", "Activity")]));
        assert_eq!((mended.messages_take, mended.chats_take), (50, 100));
        assert_eq!(Dialect::read("{}"), Ok(Dialect::default()));
        for (text, named) in [
            (r#"{"order":"x"}"#, "order"),
            (r#"{"chatsTake":0}"#, "chatsTake"),
            (r#"{"skip":""}"#, "skip"),
            ("[", "EOF"),
        ] {
            let error = Dialect::read(text).unwrap_err();
            assert!(error.contains(named), "{text}: {error}");
        }
    }

    #[test]
    fn every_guess_is_documented_with_its_default() {
        let document = include_str!("../../../docs/umbler.md");
        let entries = serde_json::to_value(Dialect::default()).unwrap();
        for (name, default) in entries.as_object().unwrap() {
            let row = format!("| `{name}` | `{default}` |");
            assert!(document.contains(&row), "no row {row}");
        }
    }
}
