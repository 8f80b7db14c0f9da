//! How a message is sent, and what is asked about one that was.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::answers::{AnswerError, MessageItem};
use super::dialect::SendAs;
use super::routes::{ApiRequest, RequestBuilder, Route, escaped};
use crate::domain::MessageId;
use crate::umbler::json::Object;

/// The longest words of a refusal that are kept, in characters.
const WORDS_CHARS_MAX: usize = 300;

/// A request that changes something at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiPost {
    pub route: Route,
    pub path: String,
    pub content_type: String,
    pub body: Vec<u8>,
}

/// A message, as it is handed to the provider.
#[derive(Debug, Clone, Copy)]
pub struct ToSend<'a> {
    pub chat: &'a str,
    pub text: &'a str,
    pub private: bool,
    pub prefix: Option<&'a str>,
    pub temp_id: &'a str,
}

impl RequestBuilder {
    /// Sends a message to a chat.
    pub fn send(&self, message: &ToSend<'_>) -> ApiPost {
        let names = &self.dialect.send_fields;
        let mut fields = Map::new();
        for (name, value) in [
            (&names.chat, json!(message.chat)),
            (&names.organization, json!(self.organization)),
            (&names.text, json!(message.text)),
            (&names.private, json!(message.private)),
            (&names.prefix, json!(message.prefix)),
            (&names.temp_id, json!(message.temp_id)),
        ] {
            if !name.is_empty() && !value.is_null() {
                fields.insert(name.clone(), value);
            }
        }
        fields.extend(self.dialect.send_also.clone());
        let (content_type, body) = match self.dialect.send_as {
            SendAs::Json => ("application/json".to_owned(), Value::Object(fields).to_string().into_bytes()),
            SendAs::Multipart => multipart(&fields, message.temp_id),
        };
        ApiPost { route: Route::Send, path: "/v1/messages/".to_owned(), content_type, body }
    }

    /// A request for one message by its id.
    pub fn message(&self, id: &MessageId) -> ApiRequest {
        self.request(Route::Message, format!("/v1/messages/{}/", escaped(id.as_str())))
    }

    /// How far one message was delivered.
    pub fn states(&self, id: &MessageId) -> ApiRequest {
        self.request(Route::States, format!("/v1/messages/{}/states/", escaped(id.as_str())))
    }
}

/// A form of RFC 7578. The boundary occurs in no field.
fn multipart(fields: &Map<String, Value>, seed: &str) -> (String, Vec<u8>) {
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let letters: String = seed.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
    let mut boundary = format!("umbler-hub-{letters}");
    while fields.values().any(|value| plain(value).contains(&boundary)) {
        boundary.push('x');
    }
    let part = |(name, value): (&String, &Value)| {
        let head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"");
        format!("{head}\r\n\r\n{}\r\n", plain(value))
    };
    let parts: Vec<String> = fields.iter().map(part).chain([format!("--{boundary}--\r\n")]).collect();
    let body = parts.concat();
    (format!("multipart/form-data; boundary={boundary}"), body.into_bytes())
}

/// The id of the message that the provider took; `None` where the answer has none.
pub fn taken(bytes: &[u8], at: Timestamp) -> Option<MessageId> {
    Object::parse(bytes, at).ok()?.id("Id").map(MessageId::from)
}

/// The provider's words for a refusal.
pub fn refusal(bytes: &[u8], at: Timestamp) -> Option<String> {
    let answer = Object::parse(bytes, at).ok()?;
    let words = ["Message", "Detail", "Error", "Title"].into_iter().find_map(|name| answer.visible(name))?;
    Some(words.trim().chars().take(WORDS_CHARS_MAX).collect())
}

/// A message that somebody on our side wrote, as far as it tells whether it is one that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentItem {
    pub id: MessageId,
    pub created_at: Timestamp,
    pub text: Option<String>,
    pub private: bool,
    /// It is shown as if it came from outside; of two copies it is the second.
    pub external: bool,
    /// The id that the sender chose, where the provider shows it.
    pub temp_id: Option<String>,
}

impl SentItem {
    /// Reads a message of a page; `None` for what the customer wrote.
    pub fn of(item: &MessageItem, at: Timestamp) -> Option<Self> {
        let object = Object::parse(item.text.as_bytes(), at).ok()?;
        let source = object.id("Source").unwrap_or_default();
        if source == "Contact" {
            return None;
        }
        Some(Self {
            id: item.id.clone(),
            created_at: object.time("CreatedAtUTC").unwrap_or(item.at),
            text: object.visible("Content"),
            private: object.flag("IsPrivate").unwrap_or(false),
            external: source == "External",
            temp_id: object.id("TempId"),
        })
    }
}

/// Reads `GET /v1/messages/{id}/`: the message as it came.
pub fn one_message(bytes: &[u8], at: Timestamp) -> Result<MessageItem, AnswerError> {
    let text = std::str::from_utf8(bytes).map_err(|_not_utf8| AnswerError::new("it is no text"))?;
    let object = Object::parse(bytes, at).map_err(AnswerError::new)?;
    let id = object.id("Id").ok_or_else(|| AnswerError::new("it has no id"))?;
    let at = object.time("EventAtUTC").or_else(|| object.time("CreatedAtUTC"));
    let at = at.ok_or_else(|| AnswerError::new("it has no time"))?;
    Ok(MessageItem { id: id.into(), at, text: text.trim().to_owned() })
}

/// Reads `GET /v1/messages/{id}/states/`: the words of all states, in no certain order.
pub fn states(bytes: &[u8], at: Timestamp) -> Result<Vec<String>, AnswerError> {
    let answer = Object::parse(bytes, at).map_err(AnswerError::new)?;
    let objects = answer.objects("States").ok_or_else(|| AnswerError::new("it has no states"))?;
    if objects.is_empty() {
        return Ok(answer.texts("States"));
    }
    let word = |object: &Object<'_>| {
        ["State", "MessageState", "Status", "Name"].into_iter().find_map(|name| object.id(name))
    };
    Ok(objects.iter().filter_map(word).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::umbler::api::Dialect;

    const AT: Timestamp = Timestamp::UNIX_EPOCH;

    fn post(dialect: &str) -> (String, String) {
        let asking =
            RequestBuilder { dialect: Dialect::read(dialect).unwrap(), organization: "Org".to_owned() };
        let message = ToSend {
            chat: "c",
            text: "Olá\n\"você\"",
            private: false,
            prefix: Some("*Bia:*"),
            temp_id: "t-1",
        };
        let post = asking.send(&message);
        assert_eq!(post.path, "/v1/messages/");
        (post.content_type, String::from_utf8(post.body).unwrap())
    }

    #[test]
    fn a_message_is_sent_in_the_words_of_the_dialect() {
        let (kind, body) = post("{}");
        assert_eq!(kind, "application/json");
        let body: Value = serde_json::from_str(&body).unwrap();
        let expected = json!({ "chatId": "c", "organizationId": "Org", "message": "Olá\n\"você\"", "isPrivate": false,
            "prefix": "*Bia:*", "tempId": "t-1", "skipReassign": true });
        assert_eq!(body, expected);
        let (_, body) = post(r#"{"sendFields":{"text":"Message","tempId":""},"sendAlso":{}}"#);
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((&body["Message"], body.get("tempId")), (&json!("Olá\n\"você\""), None));
    }

    #[test]
    fn a_message_may_be_sent_as_a_form() {
        let (kind, body) = post(r#"{"sendAs":"multipart"}"#);
        assert_eq!(kind, "multipart/form-data; boundary=umbler-hub-t1");
        let field =
            "--umbler-hub-t1\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\nOlá\n\"você\"\r\n";
        assert!(body.contains(field) && body.ends_with("--umbler-hub-t1--\r\n"), "{body}");
    }

    #[test]
    fn an_answer_tells_the_id_or_why_not() {
        assert_eq!(taken(br#"{"_t":"x","id":"m"}"#, AT), Some("m".into()));
        assert_eq!(taken(b"<html>", AT), None);
        assert_eq!(refusal(r#"{"message":" Sem crédito "}"#.as_bytes(), AT).as_deref(), Some("Sem crédito"));
        assert_eq!(refusal(br#"{"errors":{}}"#, AT), None);
        let long = format!(r#"{{"title":"{}"}}"#, "x".repeat(1_000));
        assert_eq!(refusal(long.as_bytes(), AT).map(|words| words.len()), Some(WORDS_CHARS_MAX));
    }

    #[test]
    fn states_are_read_whatever_their_items_are() {
        let words = |answer: &str| states(answer.as_bytes(), AT).unwrap();
        assert_eq!(words(r#"{"states":["Sent","Read"]}"#), ["Sent", "Read"]);
        assert_eq!(
            words(r#"{"states":[{"state":"Sent"},{"messageState":"Delivered"}]}"#),
            ["Sent", "Delivered"]
        );
        assert!(states(b"{}", AT).is_err());
    }
}
