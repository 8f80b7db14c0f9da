//! What requests carry, as it comes: read here, checked in [`request`](super::request), described in
//! `/api/asyncapi.json`.

use serde::Deserialize;
use utoipa::ToSchema;

/// The content of `authenticate`.
#[derive(Deserialize, ToSchema)]
#[schema(as = Authenticate)]
pub struct AuthenticateData {
    /// A JWT.
    pub(super) token: String,
}

/// The content of `request_umbler_data`.
#[derive(Deserialize, Default, ToSchema)]
#[schema(as = RequestUmblerData)]
pub struct SnapshotData {
    /// Latest contacts; 50.
    #[schema(maximum = 200)]
    pub(super) contacts: Option<u32>,
    /// Open chats; 200.
    #[schema(maximum = 200)]
    pub(super) chats: Option<u32>,
    /// Latest messages; 50.
    #[schema(maximum = 200)]
    pub(super) messages: Option<u32>,
}

/// The content of `subscribe_updates`.
#[derive(Deserialize, Default, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SubscribeUpdates)]
pub struct SubscribeData {
    /// What to follow; `updates`.
    #[schema(min_items = 1, max_items = 100)]
    pub(super) channels: Option<Vec<String>>,
    /// The last position that the client has; with `epoch`, in the first subscription of a session only.
    #[schema(minimum = 0)]
    pub(super) since: Option<i64>,
    /// The life of the journal that `since` belongs to.
    pub(super) epoch: Option<String>,
    /// The scope that the client had then.
    pub(super) scope: Option<String>,
    /// Replay what happened from this moment on, instead of what happens now; beside it only `channels`,
    /// `replayUntil` and `speed` may stand.
    #[schema(format = DateTime)]
    pub(super) replay_from: Option<String>,
    /// Up to this moment; now.
    #[schema(format = DateTime)]
    pub(super) replay_until: Option<String>,
    /// So many times as fast as it happened; 1.
    #[schema(minimum = 0.1, maximum = 1000)]
    pub(super) speed: Option<f64>,
}

/// The content of `unsubscribe_updates`.
#[derive(Deserialize, Default, ToSchema)]
#[schema(as = UnsubscribeUpdates)]
pub struct UnsubscribeData {
    /// What not to follow any more; all.
    #[schema(min_items = 1, max_items = 100)]
    pub(super) channels: Option<Vec<String>>,
}

/// The content of `set_presence`.
#[derive(Deserialize, Default, ToSchema)]
#[schema(as = SetPresence)]
pub struct PresenceData {
    /// The chat in view; `null`: none.
    #[schema(min_length = 1, max_length = 128)]
    pub(super) chat: Option<String>,
}
