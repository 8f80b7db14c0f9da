//! The schemas of messages, made from the types that are sent, and restricted to the words of the tables.

use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::reference;
use crate::domain::metrics::Metric;
use crate::domain::{AlertKind, Change};
use crate::http::openapi::is_left_out;
use crate::protocol::alerts::{AlertChange, AlertData, SETTINGS_UPDATED, SettingsData};
use crate::protocol::channel::CHANNEL_FORM;
use crate::protocol::daily_report::{DAILY_REPORT, DailyReportData};
use crate::protocol::erasure::{CONTACT_ERASED, ErasureData};
use crate::protocol::link::{LINK_UPDATED, LinkData};
use crate::protocol::members::{MEMBER_UPDATED, MembersData};
use crate::protocol::names::{NAMES_UPDATED, NamesData};
use crate::protocol::outbox::{OUTBOX_UPDATED, OutboxData, OutboxReason, OutboxState};
use crate::protocol::update::{NOTIFICATION, NoticeData, UpdateData};
use crate::protocol::view::{CHAT_ENTERED, CHAT_GONE};
use crate::protocol::{
    AwayReason, Board, CloseCode, ContactShape, ErrorCode, FaultKind, HubState, PROTOCOL_VERSION,
    RecoveryReason, ReplayEnd, ResyncReason,
};

/// The schemas that messages refer to, by name.
#[derive(Default)]
pub(super) struct Schemas(pub(super) Map<String, Value>);

impl Schemas {
    /// Adds what a client sends. Fields that are optional may be missing.
    pub(super) fn said<T: ToSchema>(&mut self) -> Value {
        let mut all = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut all);
        // Our own structures can always be encoded.
        self.0.extend(all.into_iter().map(|(name, schema)| (name, json!(schema))));
        reference("components/schemas", &T::name())
    }

    /// Adds what the hub sends. What is unknown is `null`, so nearly all fields are required.
    pub(super) fn told<T: ToSchema>(&mut self) -> Value {
        let mut all = Self::default();
        let top = all.said::<T>();
        for (name, schema) in &mut all.0 {
            let Some(fields) = schema["properties"].as_object() else { continue };
            let there: Vec<&String> = fields.keys().filter(|field| !may_be_missing(name, field)).collect();
            schema["required"] = json!(there);
        }
        self.0.append(&mut all.0);
        top
    }

    /// Adds what an `umbler_update` may contain.
    pub(super) fn updates(&mut self) -> Value {
        let only_id =
            json!({ "type": "object", "required": ["id"], "properties": { "id": { "type": "string" } } });
        let or_null = |schema: &Value| json!({ "oneOf": [{ "type": "null" }, schema] });
        let contact = self.told::<ContactShape>();
        let (update, notification) = (self.told::<UpdateData>(), self.told::<NoticeData<'_>>());
        let gone = json!({
            "type": "object",
            "description": "A chat left the session's scope.",
            "required": ["eventId", "type", "changes", "chat", "contact", "contactGone"],
            "properties": {
                "eventId": { "type": "string" },
                "type": { "const": CHAT_GONE },
                "changes": { "type": "array", "items": { "const": CHAT_GONE } },
                "chat": or_null(&only_id),
                "contact": {
                    "description": "The contact as another chat shows it; or only its id.",
                    "anyOf": [{ "type": "null" }, contact, only_id],
                },
                "contactGone": { "type": "boolean", "description": "The contact is no longer visible either." },
            },
        });
        self.0.insert("ChatGone".to_owned(), gone);
        let (members, names) = (self.told::<MembersData<'_>>(), self.told::<NamesData<'_>>());
        let (alert, settings) = (self.told::<AlertData<'_>>(), self.told::<SettingsData<'_>>());
        let (link, outbox) = (self.told::<LinkData<'_>>(), self.told::<OutboxData<'_>>());
        let (report, erased) = (self.told::<DailyReportData<'_>>(), self.told::<ErasureData<'_>>());
        let gone = reference("components/schemas", "ChatGone");
        json!({ "oneOf": [update, gone, notification, members, alert, settings, link, outbox, report, erased, names] })
    }

    /// Restricts words that are in a table of the code to that table.
    pub(super) fn narrow_to_tables(&mut self) {
        let mut types: Vec<&str> = Change::ALL.iter().map(|change| change.as_str()).collect();
        types.push(CHAT_ENTERED);
        let errors = ErrorCode::ALL.map(ErrorCode::as_str);
        self.narrow("Update", "type", json!({ "enum": types }));
        self.narrow("Update", "origin", json!({ "const": "reconcile" }));
        self.narrow("Update", "changes", json!({ "type": "array", "items": { "enum": types } }));
        for (schema, words) in [
            ("Notification", vec![NOTIFICATION]),
            ("MemberUpdated", vec![MEMBER_UPDATED]),
            ("NamesUpdated", vec![NAMES_UPDATED]),
            ("SettingsUpdated", vec![SETTINGS_UPDATED]),
            ("LinkUpdated", vec![LINK_UPDATED]),
            ("OutboxUpdated", vec![OUTBOX_UPDATED]),
            ("DailyReported", vec![DAILY_REPORT]),
            ("ContactErased", vec![CONTACT_ERASED]),
            ("AlertUpdated", AlertChange::ALL.map(AlertChange::as_str).to_vec()),
        ] {
            self.narrow(schema, "type", json!({ "enum": words }));
            self.narrow(schema, "changes", json!({ "type": "array", "items": { "enum": words } }));
            for nothing in ["chat", "contact"] {
                self.narrow(schema, nothing, json!({ "const": null }));
            }
        }
        self.narrow("OutboxEntry", "state", json!({ "enum": OutboxState::ALL.map(OutboxState::as_str) }));
        let reasons = OutboxReason::ALL.map(|reason| json!(reason.as_str()));
        let reasons: Vec<Value> = reasons.into_iter().chain([Value::Null]).collect();
        self.narrow("OutboxEntry", "reason", json!({ "enum": reasons }));
        self.narrow("Alert", "kind", json!({ "enum": AlertKind::ALL.map(AlertKind::as_str) }));
        self.narrow("Error", "code", json!({ "enum": errors }));
        self.narrow("Closed", "code", json!({ "enum": CloseCode::ALL.map(CloseCode::number) }));
        self.narrow("Closed", "reason", json!({ "enum": CloseCode::ALL.map(CloseCode::reason) }));
        self.narrow(
            "Subscribed",
            "reason",
            json!({ "enum": RecoveryReason::ALL.map(RecoveryReason::as_str) }),
        );
        self.narrow(
            "ResyncRequired",
            "reason",
            json!({ "enum": ResyncReason::ALL.map(ResyncReason::as_str) }),
        );
        let ends = ReplayEnd::ALL.map(ReplayEnd::as_str);
        self.narrow("ReplayEnded", "reason", json!({ "enum": ends }));
        let refused = json!({ "enum": [RecoveryReason::TooOld.as_str()] });
        self.narrow("Error", "reason", refused);
        self.narrow("HubStatus", "status", json!({ "enum": HubState::ALL.map(HubState::as_str) }));
        self.narrow("HubStatus", "reason", json!({ "enum": FaultKind::ALL.map(FaultKind::as_str) }));
        self.narrow("MetricsUpdate", "channel", json!({ "enum": Board::ALL.map(Board::as_str) }));
        let metrics = json!({ "enum": Metric::ALL.map(Metric::as_str) });
        self.narrow("TodayCells", "metric", metrics.clone());
        self.narrow("TodayGone", "metric", metrics);
        self.narrow("GoingAway", "reason", json!({ "enum": AwayReason::ALL.map(AwayReason::as_str) }));
        self.narrow("ConnectionEstablished", "protocol", json!({ "const": PROTOCOL_VERSION }));
        let channel = json!({ "type": "string", "pattern": format!("^{CHANNEL_FORM}$") });
        for (schema, types) in [
            ("SubscribeUpdates", json!(["array", "null"])),
            ("UnsubscribeUpdates", json!(["array", "null"])),
            ("Subscribed", json!("array")),
            ("Unsubscribed", json!("array")),
        ] {
            self.narrow(schema, "channels", json!({ "type": types, "items": channel }));
        }
        // Nothing refers to these any more.
        for name in ["Change", "OutboxState", "OutboxReason"] {
            self.0.remove(name);
        }
    }

    /// Restricts a field further than its type does.
    fn narrow(&mut self, schema: &str, field: &str, more: Value) {
        let place = self.0.get_mut(schema).and_then(|schema| schema["properties"].get_mut(field));
        debug_assert!(place.is_some(), "{schema} has no {field}");
        let (Some(Value::Object(known)), Value::Object(more)) = (place, more) else { return };
        // A word of a table is not a reference, and a type beside it would be redundant.
        if more.contains_key("enum") || more.contains_key("const") {
            known.retain(|key, _| key == "description");
        }
        known.extend(more);
    }
}

/// True where a field is left out when it has nothing to say.
fn may_be_missing(schema: &str, field: &str) -> bool {
    match schema {
        "Previous" | "LiveCells" => true,
        "TodayCells" => field != "metric",
        "Update" => matches!(field, "message" | "otherMessages" | "previous" | "reason" | "origin"),
        "OutboxUpdated" => field == "message",
        "Subscribed" => matches!(field, "reason" | "replay"),
        "HubStatus" | "Error" => field == "reason",
        _ => is_left_out(schema, field),
    }
}
