//! Builds requests to the API: routes and their parameters.

use jiff::Timestamp;

use super::dialect::{Dialect, Parameters};

/// A route of the API. Each has its own budget of requests and its own label in metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Route {
    /// The token's owner and their organizations.
    Me,
    /// An organization with its agents.
    Organization,
    /// The agents who have the provider's own screens open at the moment.
    Online,
    Channels,
    Sectors,
    Tags,
    /// The webhooks that are set up at the provider.
    Webhooks,
    Chats,
    Messages,
    /// Sends a message to a chat.
    Send,
    /// One message by its id.
    Message,
    /// The states of one message.
    States,
}

impl Route {
    /// The label in metrics and logs. It contains no id, so the number of labels is limited.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Me => "members_me",
            Self::Organization => "organization",
            Self::Online => "members_online",
            Self::Channels => "channels",
            Self::Sectors => "sectors",
            Self::Tags => "tags",
            Self::Webhooks => "webhooks",
            Self::Chats => "chats",
            Self::Messages => "relative_messages",
            Self::Send => "send",
            Self::Message => "message",
            Self::States => "message_states",
        }
    }
}

/// A request, without the address of the API and without the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiRequest {
    pub route: Route,
    /// With a trailing slash, as in the provider's own examples.
    pub path: String,
    /// The parameters of the query, which are escaped when the address is made.
    pub query: Vec<(String, String)>,
}

impl ApiRequest {
    /// What to append to the address of the API.
    pub fn path_and_query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.query);
        let query = query.finish();
        if query.is_empty() { self.path.clone() } else { format!("{}?{query}", self.path) }
    }
}

#[must_use]
pub fn me() -> ApiRequest {
    ApiRequest { route: Route::Me, path: "/v1/members/me/".to_owned(), query: Vec::new() }
}

/// Builds requests about one organization.
#[derive(Debug, Clone)]
pub struct RequestBuilder {
    pub dialect: Dialect,
    pub organization: String,
}

impl RequestBuilder {
    pub(super) fn request(&self, route: Route, path: String) -> ApiRequest {
        ApiRequest { route, path, query: vec![("organizationId".to_owned(), self.organization.clone())] }
    }

    /// The organization with its agents.
    pub fn organization(&self) -> ApiRequest {
        let path = format!("/v1/organizations/{}/", escaped(&self.organization));
        self.request(Route::Organization, path)
    }

    /// The agents who have the provider's own screens open at the moment, in no order.
    pub fn online(&self) -> ApiRequest {
        self.request(Route::Online, "/v1/members/online/".to_owned())
    }

    /// A list that comes whole: lines, sectors, tags or webhooks.
    pub fn list(&self, route: Route) -> ApiRequest {
        let name = match route {
            Route::Sectors => "sectors",
            Route::Tags => "tags",
            Route::Webhooks => "webhooks",
            Route::Me
            | Route::Organization
            | Route::Online
            | Route::Channels
            | Route::Chats
            | Route::Messages
            | Route::Send
            | Route::Message
            | Route::States => "channels",
        };
        self.request(route, format!("/v1/{name}/"))
    }

    /// The same list after the first `skip` items.
    pub fn list_after(&self, route: Route, skip: usize) -> ApiRequest {
        let mut request = self.list(route);
        if skip > 0 {
            request.query.push((self.dialect.skip.clone(), skip.to_string()));
            request.query.push((self.dialect.take.clone(), self.dialect.names_take.to_string()));
        }
        request
    }

    /// A page of all chats, newest activity first, after the first `skip`.
    pub fn chats(&self, skip: usize) -> ApiRequest {
        self.chats_that(&self.dialect.chats_all, None, skip)
    }

    /// A page of open chats, after the first `skip`.
    pub fn open_chats(&self, skip: usize) -> ApiRequest {
        self.chats_that(&self.dialect.chats_open, None, skip)
    }

    /// A page of open and closed chats that were created since a moment, after the first `skip`.
    pub fn chats_created_since(&self, since: Timestamp, skip: usize) -> ApiRequest {
        self.chats_that(&self.dialect.chats_all, Some(since), skip)
    }

    /// Chats, open or not, that were created from one moment to another, after the first so many.
    pub fn chats_created_between(&self, from: Timestamp, until: Timestamp, skip: usize) -> ApiRequest {
        let mut request = self.chats_created_since(from, skip);
        request.query.push((self.dialect.chats_created_until.clone(), moment(until)));
        request
    }

    /// How many chats were created from one moment to another.
    pub fn count_created_between(&self, from: Timestamp, until: Timestamp) -> ApiRequest {
        let mut request = self.chats_created_between(from, until, 0);
        request.add(&self.dialect.chats_count);
        request
    }

    fn chats_that(&self, state: &Parameters, since: Option<Timestamp>, skip: usize) -> ApiRequest {
        let mut request = self.request(Route::Chats, "/v1/chats/".to_owned());
        request.add(state);
        request.add(&self.dialect.chats_order);
        if let Some(since) = since {
            request.query.push((self.dialect.chats_created_from.clone(), moment(since)));
        }
        request.query.push((self.dialect.skip.clone(), skip.to_string()));
        request.query.push((self.dialect.take.clone(), self.dialect.chats_take.to_string()));
        request
    }

    /// A page of a chat's messages before a moment.
    pub fn messages(&self, chat: &str, before: Timestamp) -> ApiRequest {
        let path = format!("/v1/chats/{}/relative-messages/", escaped(chat));
        let mut request = self.request(Route::Messages, path);
        request.query.push((self.dialect.messages_from.clone(), moment(before)));
        request.add(&self.dialect.messages_before);
        request.add(&self.dialect.messages_only);
        request.query.push((self.dialect.take.clone(), self.dialect.messages_take.to_string()));
        request
    }
}

impl ApiRequest {
    fn add(&mut self, parameters: &Parameters) {
        self.query.extend(parameters.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
}

/// A time as the provider writes it, with seven decimals of a second.
fn moment(at: Timestamp) -> String {
    format!("{at:.7}")
}

/// An id, escaped for a path.
pub(super) fn escaped(id: &str) -> String {
    form_urlencoded::byte_serialize(id.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_carries_the_organization_and_the_parameters_of_the_dialect() {
        let requests = RequestBuilder { dialect: Dialect::default(), organization: "Org_1".to_owned() };
        let at = "2026-03-02T13:00:00.5Z".parse().unwrap();
        assert_eq!(me().path_and_query(), "/v1/members/me/");
        assert_eq!(requests.organization().path_and_query(), "/v1/organizations/Org_1/?organizationId=Org_1");
        assert_eq!(
            requests.chats(200).path_and_query(),
            "/v1/chats/?organizationId=Org_1&ChatState=All&ChatOrderBy=LastMessage&Order=Desc&OrderBy=LastMessage\
             &Skip=200&Take=100"
        );
        assert_eq!(
            requests.messages("a/b", at).path_and_query(),
            "/v1/chats/a%2Fb/relative-messages/?organizationId=Org_1&FromEventUTC=2026-03-02T13%3A00%3A00.5000000Z\
             &Direction=TakeBefore&IncludeMetadata=false&Take=250"
        );
    }
}
