//! Parses the answers of the API into typed values.

use jiff::Timestamp;

use super::dialect::Dialect;
use crate::domain::{ChatId, Member, MessageId, RefId};
use crate::umbler::json::Object;

/// The answer is not of the form that the route has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the answer has not the form that this route answers with: {0}")]
pub struct AnswerError(String);

impl AnswerError {
    pub fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

fn object(bytes: &[u8], at: Timestamp) -> Result<Object<'_>, AnswerError> {
    Object::parse(bytes, at).map_err(AnswerError)
}

fn missing(name: &str) -> AnswerError {
    AnswerError(format!("\"{name}\" is missing"))
}

/// Who the token belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    /// Ids and names of their organizations.
    pub organizations: Vec<(String, Option<String>)>,
}

impl Me {
    /// Reads `GET /v1/members/me/`. `at` is when the answer was received.
    pub fn read(bytes: &[u8], at: Timestamp) -> Result<Self, AnswerError> {
        let list = object(bytes, at)?.objects("Organizations").ok_or_else(|| missing("organizations"))?;
        let organizations = list.iter().filter_map(|object| Some((object.id("Id")?, object.visible("Name"))));
        Ok(Self { organizations: organizations.collect() })
    }
}

/// The agents of an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// The agents that have a name, with their pictures where the answer has them.
    pub members: Vec<Member>,
}

impl Organization {
    /// Reads `GET /v1/organizations/{id}/`. Bots and other integrations are not agents.
    pub fn read(bytes: &[u8], at: Timestamp, dialect: &Dialect) -> Result<Self, AnswerError> {
        let list = object(bytes, at)?
            .objects("OrganizationMembers")
            .ok_or_else(|| missing("organizationMembers"))?;
        let is_human = |object: &Object<'_>| object.text("_t").is_none_or(|kind| kind.contains("HumanAgent"));
        let member = |object: &Object<'_>| {
            Some(Member {
                name: Some(object.visible("DisplayName")?.trim().to_owned()),
                photo_url: dialect.member_picture.iter().find_map(|name| object.url(name)),
                ..Member::unknown(object.id("Id")?.into())
            })
        };
        Ok(Self { members: list.iter().filter(|object| is_human(object)).filter_map(member).collect() })
    }
}

/// Ids and names of the agents who are online, from `GET /v1/members/online/`.
pub fn online(bytes: &[u8], at: Timestamp) -> Result<Vec<(String, Option<String>)>, AnswerError> {
    let named = |object: &Object<'_>| Some((object.id("Id")?, object.visible("DisplayName")));
    list(bytes, at).map(|list| list.iter().filter_map(named).collect())
}

/// Ids and names of lines, sectors or tags, from a plain list or from a page of items.
pub fn names(bytes: &[u8], at: Timestamp) -> Result<Vec<(String, Option<String>)>, AnswerError> {
    let named = |object: &Object<'_>| Some((object.id("Id")?, object.visible("Name")));
    list(bytes, at).map(|list| list.iter().filter_map(named).collect())
}

/// A page of a list of lines, sectors or tags.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NamesPage {
    /// Ids and names, in the order of the answer.
    pub items: Vec<(String, Option<String>)>,
    /// How many the whole list has. `None`: the answer does not say, so it is the whole list.
    pub total: Option<u64>,
}

impl NamesPage {
    /// Reads a plain list, or a page of items with its count.
    pub fn read(bytes: &[u8], at: Timestamp) -> Result<Self, AnswerError> {
        let items = names(bytes, at)?;
        let page = object(bytes, at).ok().and_then(|answer| answer.object("Page"));
        Ok(Self { items, total: page.and_then(|page| page.count("TotalItems")) })
    }
}

fn list(bytes: &[u8], at: Timestamp) -> Result<Vec<Object<'_>>, AnswerError> {
    Object::parse_list(bytes, at).or_else(|_no_list| {
        object(bytes, at)?
            .objects("Items")
            .ok_or_else(|| AnswerError("it is neither a list nor an object with \"items\"".to_owned()))
    })
}

/// A webhook that is set up at the provider.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebhookItem {
    pub name: Option<String>,
    /// The address that it posts to. It may contain the secret, so it must never be shown or logged.
    pub url: String,
    /// The provider sends nothing to it at present.
    pub is_paused: bool,
    /// Ids of the lines whose events it gets. `None`: the answer does not say.
    pub channels: Option<Vec<String>>,
    /// The types of events that it gets. `None`: the answer does not say.
    pub events: Option<Vec<String>>,
}

impl WebhookItem {
    /// Reads the list that `GET /v1/webhooks/` answers.
    pub fn read(bytes: &[u8], at: Timestamp, dialect: &Dialect) -> Result<Vec<Self>, AnswerError> {
        let entry = |object: &Object<'_>| {
            Some(Self {
                name: object.visible("Name"),
                url: object.text("Url")?,
                is_paused: object.flag("Paused").unwrap_or(false),
                channels: dialect.webhook_channels.iter().find_map(|name| ids(object, name)),
                events: object.field_is_list("Events").then(|| object.texts("Events")),
            })
        };
        list(bytes, at).map(|list| list.iter().filter_map(entry).collect())
    }
}

/// The ids in a list of objects, or in a list of plain ids.
fn ids(object: &Object<'_>, name: &str) -> Option<Vec<String>> {
    let objects = object.objects(name)?;
    if objects.is_empty() {
        return Some(object.texts(name));
    }
    Some(objects.iter().filter_map(|object| object.id("Id")).collect())
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChatsPage {
    /// The chats, in the order of the answer.
    pub items: Vec<ChatItem>,
    /// How many chats the whole list has. `None`: the answer does not say.
    pub total: Option<u64>,
    /// How many chats fit on a page. `None`: the answer does not say.
    pub take_max: Option<u64>,
}

/// A chat of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatItem {
    pub id: ChatId,
    pub created_at: Option<Timestamp>,
    /// When something last happened in it: a message, or anything else such as a close.
    pub active_at: Option<Timestamp>,
    /// Its newest message and the time of that.
    pub last_message: Option<(MessageId, Timestamp)>,
    /// The token's owner may not see its messages.
    pub is_redacted: bool,
    /// When it was assigned, and to whom. Empty if the answer does not say.
    pub transfers: Vec<(Timestamp, RefId)>,
    /// The chat's JSON as it came, without fields that hold messages.
    pub text: String,
}

/// Fields of a chat that hold messages. They are left out, because the messages are read from the chat's history.
const MESSAGE_FIELDS: [&str; 4] = ["LastMessage", "Message", "LatestMessages", "LastMessageReaction"];

/// Fields that are left out if the token's owner may not see the chat's messages. The contact is one of them, because its name and
/// phone may be replaced by asterisks.
const REDACTED_FIELDS: [&str; 5] =
    ["LastMessage", "Message", "LatestMessages", "LastMessageReaction", "Contact"];

impl ChatsPage {
    /// Reads a page of `GET /v1/chats/`, with its counts.
    pub fn read(bytes: &[u8], at: Timestamp) -> Result<Self, AnswerError> {
        let answer = object(bytes, at)?;
        let page = answer.object("Page");
        // An answer that only counts may leave the items out.
        let items = match answer.objects("Items") {
            Some(items) => items,
            None if page.is_some() => Vec::new(),
            None => return Err(missing("items")),
        };
        let count = |name| page.as_ref().and_then(|page| page.count(name));
        Ok(Self {
            items: items.iter().filter_map(ChatItem::of).collect(),
            total: count("TotalItems"),
            take_max: count("MaxTake"),
        })
    }
}

impl ChatItem {
    /// True: nothing happened in it since then, as far as the answer tells.
    pub fn is_quiet_since(&self, moment: Timestamp) -> bool {
        let message_at = self.last_message.as_ref().map(|(_, at)| *at);
        [self.active_at, message_at].iter().all(|at| at.is_some_and(|at| at < moment))
    }

    fn of(object: &Object<'_>) -> Option<Self> {
        // The list may show a row that tells of the chat itself. It is not among the chat's messages.
        let is_of_chat = |row: &Object<'_>| row.text("_t").is_some_and(|kind| !kind.ends_with(MESSAGE_KIND));
        let message = object.object("LastMessage").filter(|row| !is_of_chat(row));
        let last_message = message.as_ref().and_then(|message| {
            Some((
                MessageId::from(message.id("Id")?),
                message.time("EventAtUTC").or_else(|| message.time("CreatedAtUTC"))?,
            ))
        });
        let transfer =
            |entry: &Object<'_>| Some((entry.time("EnteredAt")?, RefId::from(entry.id("MemberId")?)));
        let history = object.objects("OrganizationMemberHistory").unwrap_or_default();
        let is_hidden = object.flag("Private") == Some(true) && last_message.is_none();
        let is_redacted = object.id("RedactReason").is_some() || is_hidden;
        Some(Self {
            id: object.id("Id")?.into(),
            created_at: object.time("CreatedAtUTC"),
            active_at: object.time("EventAtUTC").max(last_message.as_ref().map(|(_, at)| *at)),
            last_message,
            is_redacted,
            transfers: history.iter().filter_map(transfer).collect(),
            text: object.without(if is_redacted { &REDACTED_FIELDS[..] } else { &MESSAGE_FIELDS[..] }),
        })
    }
}

/// How `_t` ends for a message. Rows that tell of the chat itself, such as the start of a bot, have another one.
const MESSAGE_KIND: &str = "MessageModel";

/// A page of messages of a chat, in any order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessagesPage {
    /// The messages, without the rows that tell of the chat itself, such as the start of a bot.
    pub items: Vec<MessageItem>,
    /// The provider says that the plan hides earlier messages. It was seen to say `false` although messages were hidden.
    pub is_cut: bool,
}

/// A message of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageItem {
    pub id: MessageId,
    pub at: Timestamp,
    /// The message's JSON as it came.
    pub text: String,
}

impl MessagesPage {
    /// Reads `GET /v1/chats/{id}/relative-messages/`.
    pub fn read(bytes: &[u8], at: Timestamp) -> Result<Self, AnswerError> {
        let answer = object(bytes, at)?;
        let items = answer.items("Messages").ok_or_else(|| missing("messages"))?;
        Ok(Self {
            items: items.iter().filter_map(|(text, object)| MessageItem::of(text, object)).collect(),
            is_cut: answer.flag("HasMessagesBeforeAllowedOrganizationPlan").unwrap_or(false),
        })
    }
}

/// Reads the answer of `GET /v1/messages/{id}/`.
pub fn message(bytes: &[u8], at: Timestamp) -> Result<MessageItem, AnswerError> {
    let text = std::str::from_utf8(bytes).map_err(|_no_text| missing("text"))?;
    MessageItem::of(text, &object(bytes, at)?).ok_or_else(|| missing("id, or no time"))
}

impl MessageItem {
    fn of(text: &str, object: &Object<'_>) -> Option<Self> {
        let is_message = match object.text("_t") {
            Some(kind) => kind.ends_with(MESSAGE_KIND),
            None => object.id("Source").is_some(),
        };
        let at = object.time("EventAtUTC").or_else(|| object.time("CreatedAtUTC"))?;
        let id = object.id("Id")?;
        is_message.then(|| Self { id: id.into(), at, text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: &str = "2026-03-02T14:00:00Z";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn agents_are_read_with_names_and_pictures_and_bots_are_left_out() {
        let answer = br#"{"organizationMembers":[
            {"_t":"OrganizationHumanAgentReferenceModel","id":"a","displayName":" Ana ","active":true,
             "profilePictureUrl":"https://files.example.com/a.png"},
            {"_t":"OrganizationBotReferenceModel","id":"b","displayName":"Bot"},
            {"id":"c","displayName":"Caio","pictureUrl":"javascript:x"},{"id":"d","displayName":" "},{"displayName":"x"}]}"#;
        let members = Organization::read(answer, at(AT), &Dialect::default()).unwrap().members;
        let told: Vec<_> = members
            .iter()
            .map(|member| (member.id.as_str(), member.name.as_deref(), member.photo_url.as_deref()))
            .collect();
        assert_eq!(
            told,
            [("a", Some("Ana"), Some("https://files.example.com/a.png")), ("c", Some("Caio"), None)]
        );
        assert!(Organization::read(b"{}", at(AT), &Dialect::default()).is_err());
    }

    #[test]
    fn who_is_online_comes_as_a_list_or_as_a_page_and_without_a_name_too() {
        let expected = vec![("a".to_owned(), Some("Ana".to_owned())), ("b".to_owned(), None)];
        for answer in [
            r#"[{"id":"a","displayName":"Ana"},{"id":"b","displayName":" "},{"displayName":"x"}]"#,
            r#"{"items":[{"Id":"a","DisplayName":"Ana"},{"Id":"b"}]}"#,
        ] {
            assert_eq!(online(answer.as_bytes(), at(AT)), Ok(expected.clone()));
        }
        assert_eq!(online(b"[]", at(AT)), Ok(Vec::new()), "nobody is");
        assert!(online(b"{}", at(AT)).is_err());
    }

    #[test]
    fn names_come_as_a_list_or_as_a_page() {
        let expected = vec![("a".to_owned(), Some("A".to_owned())), ("b".to_owned(), None)];
        for answer in [
            r#"[{"id":"a","name":"A"},{"id":"b"},7]"#,
            r#"{"page":{},"items":[{"Id":"a","Name":"A"},{"id":"b"}]}"#,
        ] {
            assert_eq!(names(answer.as_bytes(), at(AT)), Ok(expected.clone()));
        }
        for wrong in ["{}", "<html>", "", "[{\"id\":\"a\""] {
            assert!(names(wrong.as_bytes(), at(AT)).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_chat_is_read_without_its_messages_and_a_hidden_one_is_recognized() {
        let answer = br#"{"page":{"totalItems":2,"maxTake":50},"items":[
            {"id":"a","open":true,"eventAtUTC":"2026-03-02T13:00:00Z","lastMessage":{"id":"m","eventAtUTC":"2026-03-02T13:00:05Z"}},
            {"id":"b","private":true,"contact":{"id":"k","name":"***"},"lastMessage":null},{"open":true}]}"#;
        let page = ChatsPage::read(answer, at(AT)).unwrap();
        assert_eq!((page.total, page.take_max, page.items.len()), (Some(2), Some(50), 2));
        assert_eq!(page.items[0].active_at, Some(at("2026-03-02T13:00:05Z")));
        assert_eq!(page.items[0].text, r#"{"id":"a","open":true,"eventAtUTC":"2026-03-02T13:00:00Z"}"#);
        assert_eq!(page.items.iter().map(|item| item.is_redacted).collect::<Vec<_>>(), [false, true]);
        assert_eq!(page.items[1].text, r#"{"id":"b","private":true}"#, "a hidden name is left out");
    }

    #[test]
    fn rows_about_the_chat_itself_are_not_messages() {
        let answer = br#"{"messages":[{"_t":"MessageModel","id":"m","eventAtUTC":"2026-03-02T13:00:00Z"},
            {"_t":"SentMessageModel","id":"n","createdAtUTC":"2026-03-02T13:00:01Z"},
            {"_t":"BotStartedModel","id":"o","eventAtUTC":"2026-03-02T13:00:00Z"},
            {"id":"p","source":"Contact","eventAtUTC":"2026-03-02T13:00:00Z"},{"id":"q","source":"Contact"}]}"#;
        let page = MessagesPage::read(answer, at(AT)).unwrap();
        assert_eq!(page.items.iter().map(|item| item.id.as_str()).collect::<Vec<_>>(), ["m", "n", "p"]);
        assert!(!page.is_cut);
    }

    #[test]
    fn a_webhook_is_read_whether_its_channels_are_ids_or_objects() {
        for channels in [r#"["x","y"]"#, r#"[{"id":"x"},{"id":"y"}]"#] {
            let answer = format!(
                r#"[{{"id":"1","name":"Hub","url":"https://hub.example/w","paused":true,"forChannels":{channels},"events":["Message"]}}]"#
            );
            let entries = WebhookItem::read(answer.as_bytes(), at(AT), &Dialect::default()).unwrap();
            assert_eq!(
                entries,
                [WebhookItem {
                    name: Some("Hub".to_owned()),
                    url: "https://hub.example/w".to_owned(),
                    is_paused: true,
                    channels: Some(vec!["x".to_owned(), "y".to_owned()]),
                    events: Some(vec!["Message".to_owned()]),
                }]
            );
        }
    }
}
