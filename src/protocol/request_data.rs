//! The `data` of requests as it is sent: read here, checked in [`request`](super::request), described in
//! `/api/asyncapi.json`.

use serde::Deserialize;
use utoipa::ToSchema;

/// The `data` of an `authenticate` request.
#[derive(Deserialize, ToSchema)]
#[schema(as = Authenticate)]
pub struct AuthenticateData {
    /// A signed JSON Web Token.
    pub(super) token: String,
}

/// The `data` of a `request_umbler_data` request.
#[derive(Deserialize, Default, ToSchema)]
#[schema(as = RequestUmblerData)]
pub struct SnapshotData {
    /// How many contacts, those with the latest activity first; default 50.
    #[schema(maximum = 200)]
    pub(super) contacts: Option<u32>,
    /// How many open chats; default 200.
    #[schema(maximum = 200)]
    pub(super) chats: Option<u32>,
    /// How many of the latest messages; default 50.
    #[schema(maximum = 200)]
    pub(super) messages: Option<u32>,
}

/// The `data` of a `subscribe_updates` request.
#[derive(Deserialize, Default, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SubscribeUpdates)]
pub struct SubscribeData {
    /// The channels to follow; default `updates`.
    #[schema(min_items = 1, max_items = 100)]
    pub(super) channels: Option<Vec<String>>,
    /// The last position that the client has. Needs `epoch`, and only counts in the first subscription of a
    /// session.
    #[schema(minimum = 0)]
    pub(super) since: Option<i64>,
    /// The epoch of the journal that `since` belongs to.
    pub(super) epoch: Option<String>,
    /// The hash of the scope that the client had at `since`.
    pub(super) scope: Option<String>,
    /// Play what was received from this moment on instead of live updates. Only `channels`, `replayUntil` and
    /// `speed` may be given beside it.
    #[schema(format = DateTime)]
    pub(super) replay_from: Option<String>,
    /// Play what was received up to this moment; default now.
    #[schema(format = DateTime)]
    pub(super) replay_until: Option<String>,
    /// How many times faster than it happened; default 1.
    #[schema(minimum = 0.1, maximum = 1000)]
    pub(super) speed: Option<f64>,
}

/// The `data` of an `unsubscribe_updates` request.
#[derive(Deserialize, Default, ToSchema)]
#[schema(as = UnsubscribeUpdates)]
pub struct UnsubscribeData {
    /// The channels to stop following; default all.
    #[schema(min_items = 1, max_items = 100)]
    pub(super) channels: Option<Vec<String>>,
}

/// The `data` of a `set_presence` request.
#[derive(Deserialize, Default, ToSchema)]
#[schema(as = SetPresence)]
pub struct PresenceData {
    /// The chat that the screen shows; `null`: none.
    #[schema(min_length = 1, max_length = 128)]
    pub(super) chat: Option<String>,
}
