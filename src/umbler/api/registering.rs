//! How a webhook is created at the provider.

use serde_json::{Map, Value, json};

use super::routes::{RequestBuilder, Route};
use super::sending::ApiPost;

/// A webhook that is to be created.
pub struct NewWebhook<'a> {
    /// What people read in the provider's panel.
    pub name: &'a str,
    /// The address that it posts to, with the secret.
    pub url: &'a str,
    /// Ids of the lines whose events it gets.
    pub channels: &'a [String],
}

impl RequestBuilder {
    /// The request that creates this webhook at the provider.
    pub fn register(&self, webhook: &NewWebhook<'_>) -> ApiPost {
        let names = &self.dialect.webhook_fields;
        let fields: Map<String, Value> = [
            (&names.organization, json!(self.organization)),
            (&names.name, json!(webhook.name)),
            (&names.url, json!(webhook.url)),
            (&names.channels, json!(webhook.channels)),
        ]
        .into_iter()
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, value)| (name.clone(), value))
        .collect();
        ApiPost {
            route: Route::Webhooks,
            path: "/v1/webhooks/".to_owned(),
            content_type: "application/json".to_owned(),
            body: Value::Object(fields).to_string().into_bytes(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::umbler::api::Dialect;

    #[test]
    fn a_webhook_is_created_with_the_fields_of_the_dialect() {
        let dialect = Dialect::read(r#"{"webhookFields":{"channels":"channels","name":""}}"#).unwrap();
        let requests = RequestBuilder { dialect, organization: "o".to_owned() };
        let webhook =
            NewWebhook { name: "Hub", url: "https://hub.example/w?token=s", channels: &["x".to_owned()] };
        let post = requests.register(&webhook);
        assert_eq!(post.path, "/v1/webhooks/");
        assert_eq!(
            serde_json::from_slice::<Value>(&post.body).unwrap(),
            json!({ "organizationId": "o", "url": "https://hub.example/w?token=s", "channels": ["x"] })
        );
    }
}
