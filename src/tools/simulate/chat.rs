//! One simulated chat, and the delivery that shows it: the complete `BasicChatModel`, as the provider sends it.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::cast::{CHANNELS, ORGANIZATION, SECTORS, TAGS};

/// Who a simulated chat is held with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SimKind {
    Direct,
    Group,
    Internal,
}

/// The state of one simulated chat.
#[derive(Debug, Clone)]
pub(super) struct SimChat {
    pub(super) id: String,
    pub(super) contact_id: String,
    pub(super) name: String,
    pub(super) phone: String,
    pub(super) kind: SimKind,
    pub(super) channel: usize,
    pub(super) sector: usize,
    pub(super) owner: Option<&'static str>,
    pub(super) last_owner: Option<&'static str>,
    pub(super) tags: Vec<usize>,
    pub(super) contact_tags: Vec<usize>,
    pub(super) open: bool,
    pub(super) private: bool,
    pub(super) waiting_since: Option<Timestamp>,
    pub(super) bot: Option<String>,
    pub(super) created_at: Timestamp,
    pub(super) closed_at: Option<Timestamp>,
    pub(super) active_at: Timestamp,
    pub(super) last_message: Value,
}

/// A time with milliseconds, as messages have it.
pub(super) fn millis(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// A time with seven fractional digits, as the provider's own rows have it.
pub(super) fn stamp(at: Timestamp) -> String {
    format!("{at:.7}")
}

fn nullable(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, |at| json!(millis(at)))
}

fn named((id, name): (&str, &str)) -> Value {
    json!({ "Name": name, "Id": id })
}

fn tags(chosen: &[usize]) -> Value {
    chosen.iter().filter_map(|tag| TAGS.get(*tag)).map(|tag| named(*tag)).collect()
}

impl SimChat {
    /// The chat as a delivery shows it now.
    pub(super) fn content(&self) -> Value {
        let member = |id: &str| json!({ "Id": id, "Muted": false, "TotalUnread": null });
        let owner = self.owner.filter(|_| self.open);
        json!({
            "_t": "BasicChatModel",
            "Organization": { "Id": ORGANIZATION },
            "Contact": self.contact(),
            "Channel": self.channel(),
            "Sector": self.sector(),
            "OrganizationMember": owner.map(member),
            "OrganizationMembers": owner.map(member).into_iter().collect::<Vec<_>>(),
            "Tags": tags(&self.tags),
            "LastMessage": self.last_message,
            "LastMessageReaction": null,
            "RedactReason": null,
            "UsingInactivityFlow": false,
            "UsingWaitingFlow": false,
            "InactivityFlowAt": null,
            "WaitingFlowAt": null,
            "Open": self.open,
            "Private": self.private,
            "Waiting": self.open && self.waiting_since.is_some(),
            "WaitingSinceUTC": nullable(self.waiting_since.filter(|_| self.open)),
            "TotalUnread": 0,
            "TotalAIResponses": null,
            "ClosedAtUTC": nullable(self.closed_at),
            "EventAtUTC": millis(self.active_at),
            "FirstMemberReplyMessage": null,
            "FirstContactMessage": null,
            "Bots": self.bots(),
            "LastOrganizationMember": self.last_owner.map(|id| json!({ "Id": id })),
            "Message": null,
            "Visibility": null,
            "Id": self.id,
            "CreatedAtUTC": millis(self.created_at),
        })
    }

    fn contact(&self) -> Value {
        let (contact_type, group) = match self.kind {
            SimKind::Direct => ("DirectMessage", Value::Null),
            SimKind::Group => ("Group", json!(format!("{}@g.us", self.contact_id))),
            SimKind::Internal => ("MemberDirectMessage", Value::Null),
        };
        json!({
            "LastActiveUTC": millis(self.active_at),
            "PhoneNumber": if self.kind == SimKind::Direct { json!(self.phone) } else { Value::Null },
            "ProfilePictureUrl": null,
            "IsBlocked": false,
            "ScheduledMessages": [],
            "GroupIdentifier": group,
            "ContactType": contact_type,
            "Tags": tags(&self.contact_tags),
            "Preferences": [],
            "Name": self.name,
            "Id": self.contact_id,
        })
    }

    fn channel(&self) -> Value {
        let Some((id, name, channel_type, phone)) = CHANNELS.get(self.channel) else { return Value::Null };
        json!({
            "_t": "ChatGupshupWhatsappChannelReferenceModel",
            "ChannelType": channel_type,
            "PhoneNumber": phone,
            "Name": name,
            "Id": id,
        })
    }

    fn sector(&self) -> Value {
        let Some((id, name)) = SECTORS.get(self.sector) else { return Value::Null };
        json!({ "Default": self.sector == 0, "Order": self.sector, "GroupIds": [], "Name": name, "Id": id })
    }

    fn bots(&self) -> Value {
        let Some(instance) = &self.bot else { return json!([]) };
        json!([{
            "Status": "Running",
            "BotId": "Z4ELwFoR_gBOTAAA",
            "BotTitle": "Triagem",
            "BotInstanceId": instance,
            "TriggerName": "Início",
            "StopReason": null,
        }])
    }

    /// A message of this chat with every key that the provider sends.
    pub(super) fn message(&self, id: &str, at: Timestamp, source: &str, message_type: &str) -> Value {
        json!({
            "Prefix": null, "HeaderContent": null, "Content": null, "Footer": null, "File": null,
            "Thumbnail": null, "QuotedStatusUpdate": null, "Contacts": [], "MessageType": message_type,
            "SentByOrganizationMember": null, "IsPrivate": false, "Location": null, "Question": null,
            "Source": source, "InReplyTo": null,
            "MessageState": if source == "Contact" { "Read" } else { "Sent" },
            "EventAtUTC": millis(at), "Chat": { "Id": self.id }, "FromContact": null, "TemplateId": null,
            "Buttons": [], "LatestEdit": null, "BotInstance": null, "ForwardedFrom": null,
            "ScheduledMessage": null, "BulkSendSession": null, "Elements": null, "Mentions": [], "Ad": null,
            "FileId": null, "Reactions": [], "DeductedAiCredits": null, "Carousel": [], "Billable": null,
            "Id": id, "CreatedAtUTC": stamp(at),
        })
    }
}
