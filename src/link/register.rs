//! Creates a webhook at the provider, because an admin has asked for it. The hub never does that by itself: a line posts to one
//! application, so a new webhook may take the line away from another one.

use super::LinkSettings;
use super::client::{Client, Posted};
use super::fault::LinkError;
use super::organization::AskedOrganization;
use super::webhook::uncovered;
use crate::auth::Secret;
use crate::http::link::RegisterError;
use crate::protocol::link::WebhookFinding;
use crate::umbler::api::answers::names;
use crate::umbler::api::registering::NewWebhook;
use crate::umbler::api::routes::me;
use crate::umbler::api::sending::refusal;
use crate::umbler::api::{Me, RequestBuilder, Route, WebhookItem};
use jiff::Timestamp;

/// The webhook's name in the provider's panel.
const NAME: &str = "Umbler Hub";

/// Creates a webhook for all lines that no webhook posts here. Returns the names of these lines.
pub fn register(
    client: &mut Client,
    settings: &LinkSettings,
    secret: Option<&Secret>,
) -> Result<Vec<String>, RegisterError> {
    let ours = settings.webhook_url.as_deref().ok_or(RegisterError::NoAddress)?;
    let requests = requests(client, settings)?;
    let lines = lines_without_webhook(client, &requests, ours)?;
    let (channels, names): (Vec<String>, Vec<String>) = lines.into_iter().unzip();
    let url = with_secret(ours, secret);
    let post = requests.register(&NewWebhook { name: NAME, url: &url, channels: &channels });
    match client.post(&post).map_err(|error| unreachable(&error))? {
        Posted::Answered { status: 200..=299, .. } => Ok(names),
        Posted::Answered { status: 401 | 403, .. } => Err(RegisterError::NotAllowed),
        Posted::Answered { status: status @ (408 | 429 | 500..), .. } => {
            existing(client, &requests, ours, names, format!("status {status}"))
        }
        Posted::Answered { status, bytes, .. } => Err(RegisterError::Refused(
            refusal(&bytes, Timestamp::UNIX_EPOCH).unwrap_or_else(|| format!("status {status}")),
        )),
        Posted::NotConnected(reason) => Err(RegisterError::Unreachable(reason)),
        Posted::Unanswered(reason) => existing(client, &requests, ours, names, reason),
    }
}

/// After a request without a usable answer: only the provider's list shows whether the webhook was created.
fn existing(
    client: &mut Client,
    requests: &RequestBuilder,
    ours: &str,
    names: Vec<String>,
    reason: String,
) -> Result<Vec<String>, RegisterError> {
    match lines_without_webhook(client, requests, ours) {
        Err(RegisterError::Exists(_)) => Ok(names),
        Ok(_) | Err(_) => Err(RegisterError::Unreachable(reason)),
    }
}

fn requests(client: &mut Client, settings: &LinkSettings) -> Result<RequestBuilder, RegisterError> {
    let replacements = client.authorization().replacements();
    let ask = || Ok(client.ask_briefly(&me(), Me::read)?.said);
    AskedOrganization::new(settings).requests(replacements, ask).map_err(|error| unreachable(&error))
}

/// Ids and names of the lines that no webhook posts here, of which there is at least one.
fn lines_without_webhook(
    client: &mut Client,
    requests: &RequestBuilder,
    ours: &str,
) -> Result<Vec<(String, String)>, RegisterError> {
    let entries = client.ask_briefly(&requests.list(Route::Webhooks), |bytes, at| {
        WebhookItem::read(bytes, at, &requests.dialect)
    });
    let entries = entries.map_err(|error| unreachable(&error))?.said;
    let channels = client.ask_briefly(&requests.list(Route::Channels), names);
    let channels = channels.map_err(|error| unreachable(&error))?.said;
    let lines = uncovered(&entries, &channels, ours).map_err(RegisterError::Exists)?;
    if lines.is_empty() {
        // Either all lines have their webhook, or there is none to post for.
        let finding = if channels.is_empty() { WebhookFinding::Missing } else { WebhookFinding::Ok };
        return Err(RegisterError::Exists(finding));
    }
    Ok(lines)
}

/// The address with the secret as the provider must send it.
fn with_secret(url: &str, secret: Option<&Secret>) -> String {
    let Some(secret) = secret else { return url.to_owned() };
    let joint = if url.contains('?') { '&' } else { '?' };
    let query =
        form_urlencoded::Serializer::new(String::new()).append_pair("token", secret.expose()).finish();
    format!("{url}{joint}{query}")
}

fn unreachable(error: &LinkError) -> RegisterError {
    match error {
        LinkError::NotAllowed(_) => RegisterError::NotAllowed,
        LinkError::Undecided(_) => RegisterError::Undecided,
        LinkError::Refused { .. }
        | LinkError::Unreachable { .. }
        | LinkError::Misled { .. }
        | LinkError::Hub(_)
        | LinkError::Panicked(_)
        | LinkError::Stopping => RegisterError::Unreachable(error.to_string()),
    }
}
