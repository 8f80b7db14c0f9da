//! `subscribe_updates` with `replayFrom`: which part of the past to play, and how fast.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::channel::Channel;
use super::codes::ErrorCode;
use super::refusal::{EnvelopeError, refuse};
use super::request_data::SubscribeData;

/// The slowest playback: a tenth of the real pace.
pub const SPEED_MIN: f64 = 0.1;
/// The fastest playback: a day in a minute and a half.
pub const SPEED_MAX: f64 = 1_000.0;

/// The fields that `subscribe_updates` may have beside `replayFrom`. Others are refused, because a misspelt
/// `speed` would otherwise play at the wrong speed.
const FIELDS: [&str; 4] = ["channels", "replayFrom", "replayUntil", "speed"];

/// A request to play a part of the past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayRequest {
    /// Play what was received from this moment on.
    pub from: Timestamp,
    /// Play what was received up to and including this moment; `None`: up to now.
    pub until: Option<Timestamp>,
    pub speed: Speed,
}

/// How many times faster than it happened: [`SPEED_MIN`] to [`SPEED_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Speed(f64);

// The number is within bounds, so it is never NaN.
impl Eq for Speed {}

impl Default for Speed {
    fn default() -> Self {
        Self(1.0)
    }
}

impl Speed {
    /// A speed; `None` where the number is out of bounds.
    pub fn new(speed: f64) -> Option<Self> {
        (SPEED_MIN..=SPEED_MAX).contains(&speed).then_some(Self(speed))
    }

    /// How many times faster than it happened.
    pub fn factor(self) -> f64 {
        self.0
    }
}

/// The `replay` of `subscribed`: what will be played.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = Replay)]
pub struct ReplayShape {
    /// Play what was received from this moment on.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// Play what was received up to and including this moment.
    #[schema(value_type = String, format = DateTime)]
    pub until: Timestamp,
    /// How many times faster than it happened.
    #[schema(value_type = f64)]
    pub speed: Speed,
    /// How many updates of it this token sees on these channels.
    pub updates: usize,
}

/// The content of a `replay_ended` event.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct ReplayEnded {
    /// Why the playback ended: `done`, `stopped` or `gone`.
    pub reason: &'static str,
    /// The position of the last update that was sent; 0 where none was.
    pub seq: i64,
}

/// The request for a playback; `None` where live updates are wanted.
pub(super) fn read_replay(
    data: &SubscribeData,
    channels: &[Channel],
    raw: Option<&RawValue>,
) -> Result<Option<ReplayRequest>, EnvelopeError> {
    let bad = |message: String| Err(refuse(ErrorCode::BadRequest, message));
    let Some(from) = &data.replay_from else {
        let given = [("replayUntil", data.replay_until.is_some()), ("speed", data.speed.is_some())];
        return match given.into_iter().find(|(_, is_given)| *is_given) {
            Some((name, _)) => bad(format!("data.{name} belongs to data.replayFrom, which is missing")),
            None => Ok(None),
        };
    };
    let since = data.since.map(|_| "since".to_owned());
    if let Some(name) = since.or_else(|| raw.and_then(foreign_field)) {
        return bad(format!("data.{name} does not go with data.replayFrom"));
    }
    if let Some(channel) = channels.iter().find(|channel| channel.is_state()) {
        return bad(format!("data.channels: {channel} has no past to be replayed"));
    }
    let from = moment("replayFrom", from)?;
    let until = data.replay_until.as_deref().map(|until| moment("replayUntil", until)).transpose()?;
    if until.is_some_and(|until| until < from) {
        return bad("data.replayUntil lies before data.replayFrom".to_owned());
    }
    let speed = data.speed.map_or(Some(Speed::default()), Speed::new);
    let Some(speed) = speed else {
        return bad(format!("data.speed must be {SPEED_MIN} to {SPEED_MAX}"));
    };
    Ok(Some(ReplayRequest { from, until, speed }))
}

fn moment(name: &str, text: &str) -> Result<Timestamp, EnvelopeError> {
    text.parse().map_err(|_not_one| {
        refuse(ErrorCode::BadRequest, format!("data.{name} must be a moment in RFC 3339, with its offset"))
    })
}

/// The first field that a playback does not have.
fn foreign_field(data: &RawValue) -> Option<String> {
    let fields: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(data.get()).unwrap_or_default();
    let foreign = fields.into_keys().find(|name| !FIELDS.contains(&name.as_ref()));
    foreign.map(|name| name.chars().take(40).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Envelope, Request};

    fn read(data: &str) -> Result<Option<ReplayRequest>, String> {
        let text = format!(r#"{{"event":"subscribe_updates","data":{data}}}"#);
        match Envelope::parse(&text).unwrap().request {
            Ok(Request::Subscribe(request)) => Ok(request.replay),
            Ok(other) => panic!("{other:?}"),
            Err(error) => {
                assert_eq!(error.code, ErrorCode::BadRequest, "{data}");
                Err(error.message)
            }
        }
    }

    #[test]
    fn a_stretch_is_read_with_its_defaults() {
        let from: Timestamp = "2026-03-02T13:00:00Z".parse().unwrap();
        assert_eq!(
            read(r#"{"replayFrom":"2026-03-02T10:00:00-03:00"}"#),
            Ok(Some(ReplayRequest { from, until: None, speed: Speed::default() }))
        );
        let all = r#"{"channels":["chat:a"],"replayFrom":"2026-03-02T13:00:00Z","replayUntil":"2026-03-02T13:00:00Z","speed":0.1}"#;
        assert_eq!(
            read(all),
            Ok(Some(ReplayRequest { from, until: Some(from), speed: Speed::new(0.1).unwrap() }))
        );
        assert_eq!(read(r#"{"channels":["updates"]}"#), Ok(None));
    }

    #[test]
    fn what_cannot_be_replayed_is_refused_by_the_name_of_its_field() {
        let from = r#""replayFrom":"2026-03-02T13:00:00Z""#;
        for (data, named) in [
            (r#"{"replayFrom":"yesterday"}"#.to_owned(), "data.replayFrom"),
            (r#"{"replayFrom":"2026-03-02T13:00:00"}"#.to_owned(), "data.replayFrom"),
            (format!(r#"{{{from},"replayUntil":"2026-03-02T12:59:59Z"}}"#), "data.replayUntil"),
            (format!(r#"{{{from},"replayUntil":"x"}}"#), "data.replayUntil"),
            (format!(r#"{{{from},"speed":0.09}}"#), "data.speed"),
            (format!(r#"{{{from},"speed":1000.5}}"#), "data.speed"),
            (format!(r#"{{{from},"speed":"fast"}}"#), "data"),
            (format!(r#"{{{from},"since":1,"epoch":"e"}}"#), "data.since"),
            (format!(r#"{{{from},"scope":"s"}}"#), "data.scope"),
            (format!(r#"{{{from},"sped":2}}"#), "data.sped"),
            (format!(r#"{{{from},"channels":["updates","stats"]}}"#), "data.channels: stats"),
            (r#"{"replayUntil":"2026-03-02T13:00:00Z"}"#.to_owned(), "data.replayUntil"),
            (r#"{"speed":2}"#.to_owned(), "data.speed"),
        ] {
            let message = read(&data).expect_err(&data);
            assert!(message.starts_with(named), "{data}: {message}");
        }
    }
}
