//! The names of parameters and fields of Umbler's API, as far as they are assumptions. Public integrations contradict each other in
//! some of them, and the API does not report a wrong one, so an operator can replace each.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Parameters of a request and their values.
pub type Parameters = BTreeMap<String, String>;

/// Most items that an entry may ask for on one page. The provider's own limits are lower.
const TAKE_MAX: u32 = 1_000;

/// Names of the fields of a message to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct SendFields {
    pub chat: String,
    pub organization: String,
    pub text: String,
    pub private: String,
    pub prefix: String,
    pub temp_id: String,
}

impl Default for SendFields {
    fn default() -> Self {
        let name = str::to_owned;
        Self {
            chat: name("chatId"),
            organization: name("organizationId"),
            text: name("message"),
            private: name("isPrivate"),
            prefix: name("prefix"),
            temp_id: name("tempId"),
        }
    }
}

/// Names of the fields of a webhook to create.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct WebhookFields {
    pub organization: String,
    pub name: String,
    pub url: String,
    /// The ids of its lines.
    pub channels: String,
}

impl Default for WebhookFields {
    fn default() -> Self {
        let name = str::to_owned;
        Self {
            organization: name("organizationId"),
            name: name("name"),
            url: name("url"),
            channels: name("channelIds"),
        }
    }
}

/// The encoding of a message to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SendAs {
    Json,
    /// A form of several parts: `multipart/form-data`.
    Multipart,
}

/// One entry for each assumption. The file that `UMBLER_API_DIALECT` names replaces single entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Dialect {
    /// Parameters that list open and closed chats. Without them the provider lists only open ones.
    pub chats_all: Parameters,
    /// Parameters that list open chats.
    pub chats_open: Parameters,
    /// Parameters that put the newest activity first. Two spellings are known, so both are sent: the wrong one is ignored.
    pub chats_order: Parameters,
    /// The parameter that leaves out chats created before a moment.
    pub chats_created_from: String,
    /// The parameter for the latest creation of the chats that are listed.
    pub chats_created_until: String,
    /// Asks how many chats there are, and for none of them.
    pub chats_count: Parameters,
    /// How many chats to ask for on a page.
    pub chats_take: u32,
    /// The parameter for how many items to skip.
    pub skip: String,
    /// The parameter for how many items to put on a page.
    pub take: String,
    /// The parameter for the moment at which a page of messages begins (the cursor).
    pub messages_from: String,
    /// Parameters that ask for messages before that moment.
    pub messages_before: Parameters,
    /// Parameters that leave out rows about the chat itself.
    pub messages_only: Parameters,
    /// How many messages to ask for on a page.
    pub messages_take: u32,
    /// How many sectors, lines or tags to ask for on a page after the first one.
    pub names_take: u32,
    /// Fields of an agent that may hold the picture's address. The first that does is used.
    pub member_picture: Vec<String>,
    /// Names of the fields of a message to send.
    pub send_fields: SendFields,
    /// Further fields of a message to send.
    pub send_also: Map<String, Value>,
    /// The encoding of a message to send.
    pub send_as: SendAs,
    /// Fields of a webhook that may hold its lines. The first that does is used.
    pub webhook_channels: Vec<String>,
    /// Names of the fields of a webhook to create.
    pub webhook_fields: WebhookFields,
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
            chats_created_until: "DateEndCreatedAtUTC".to_owned(),
            chats_count: parameters(&[("Behavior", "CountOnly")]),
            chats_take: 100,
            skip: "Skip".to_owned(),
            take: "Take".to_owned(),
            messages_from: "FromEventUTC".to_owned(),
            messages_before: parameters(&[("Direction", "TakeBefore")]),
            messages_only: parameters(&[("IncludeMetadata", "false")]),
            messages_take: 250,
            names_take: 100,
            member_picture: words(&["ProfilePictureUrl", "PictureUrl", "PhotoUrl"]),
            send_fields: SendFields::default(),
            send_also: Map::from_iter([("skipReassign".to_owned(), Value::Bool(true))]),
            send_as: SendAs::Json,
            webhook_channels: words(&["ForChannels", "Channels", "ChannelIds"]),
            webhook_fields: WebhookFields::default(),
        }
    }
}

impl Dialect {
    /// Reads a JSON object whose entries replace the defaults. The error names the wrong entry.
    pub fn read(text: &str) -> Result<Self, String> {
        let dialect: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        for (name, take) in [
            ("chatsTake", dialect.chats_take),
            ("messagesTake", dialect.messages_take),
            ("namesTake", dialect.names_take),
        ] {
            if !(1..=TAKE_MAX).contains(&take) {
                return Err(format!("{name} must be 1 to {TAKE_MAX}"));
            }
        }
        let names = [
            ("chatsCreatedFrom", &dialect.chats_created_from),
            ("chatsCreatedUntil", &dialect.chats_created_until),
            ("skip", &dialect.skip),
            ("take", &dialect.take),
            ("messagesFrom", &dialect.messages_from),
            ("sendFields.chat", &dialect.send_fields.chat),
            ("sendFields.text", &dialect.send_fields.text),
            ("webhookFields.url", &dialect.webhook_fields.url),
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
    fn one_entry_corrects_an_assumption_and_a_wrong_entry_is_named() {
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
    fn every_entry_is_documented_with_its_default() {
        let document = include_str!("../../../docs/umbler.md");
        let entries = serde_json::to_value(Dialect::default()).unwrap();
        for (name, default) in entries.as_object().unwrap() {
            let row = format!("| `{name}` | `{default}` |");
            assert!(document.contains(&row), "no row {row}");
        }
    }
}
