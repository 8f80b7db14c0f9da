//! `umbler-hub check --umbler`: asks every route once, and says of each assumption about the API whether the answers confirm it.

use jiff::{SignedDuration, Timestamp};

use super::client::{ApiAnswer, Client};
use super::fault::LinkError;
use super::{LinkSettings, webhook};
use crate::http::link::LinkHandle;
use crate::telemetry::metrics::Metrics;
use crate::umbler::api::answers::{names, online};
use crate::umbler::api::routes::me;
use crate::umbler::api::{
    ApiRequest, ChatItem, ChatsPage, Dialect, Me, MessageItem, MessagesPage, Organization, RequestBuilder,
    Route, WebhookItem,
};

/// Most chats whose messages are read. The search ends at the first chat whose messages have different times.
const CHATS_LOOKED_AT: usize = 10;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The assumption: an entry of the dialect, or a route.
    pub of: &'static str,
    pub verdict: Verdict,
    /// What the answers showed, for people.
    pub seen: String,
}

/// Whether the answers confirm an assumption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Holds,
    Fails,
    /// The answers neither confirm nor refute it.
    Open,
}

impl Verdict {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Fails => "FAILS",
            Self::Open => "open",
        }
    }

    fn of(holds: bool) -> Self {
        if holds { Self::Holds } else { Self::Fails }
    }
}

/// Asks every route once. After an error it returns what was found until then, together with the error.
pub fn probe(settings: &LinkSettings, metrics: &Metrics) -> (Vec<Proof>, Result<(), LinkError>) {
    let mut probe = Probe {
        client: Client::new(settings.access.clone(), LinkHandle::default(), metrics.clone()),
        dialect: settings.dialect.clone(),
        proofs: Vec::new(),
    };
    let outcome = probe.run(settings);
    (probe.proofs, outcome)
}

struct Probe {
    client: Client,
    dialect: Dialect,
    proofs: Vec<Proof>,
}

impl Probe {
    fn note(&mut self, of: &'static str, verdict: Verdict, seen: impl Into<String>) {
        self.proofs.push(Proof { of, verdict, seen: seen.into() });
    }

    fn run(&mut self, settings: &LinkSettings) -> Result<(), LinkError> {
        let owner = self.client.ask(&me(), Me::read)?;
        let organizations = owner.said.organizations;
        let date = owner
            .date
            .map_or_else(|| "it does not tell its clock".to_owned(), |date| format!("its clock says {date}"));
        self.note("members/me", Verdict::Holds, format!("{} organizations; {date}", organizations.len()));
        let only = if let [(id, _)] = &organizations[..] { Some(id.clone()) } else { None };
        let Some(organization) = settings.organization.clone().or(only) else {
            self.note(
                "organization",
                Verdict::Open,
                "the token belongs to more than one organization, or to none: set UMBLER_ORGANIZATION_ID",
            );
            return Ok(());
        };
        let requests = RequestBuilder { dialect: self.dialect.clone(), organization };
        self.lists(&requests, settings)?;
        for chat in self.chats(&requests)? {
            if self.messages(&requests, &chat)? {
                return Ok(());
            }
        }
        self.note("messagesFrom", Verdict::Open, "no chat has messages of different times");
        Ok(())
    }

    fn lists(&mut self, requests: &RequestBuilder, settings: &LinkSettings) -> Result<(), LinkError> {
        let dialect = self.dialect.clone();
        let found =
            self.client.ask(&requests.organization(), |bytes, at| Organization::read(bytes, at, &dialect))?;
        let members = found.said.members;
        let pictures = members.iter().filter(|member| member.photo_url.is_some()).count();
        self.note(
            "organizations/{id}",
            Verdict::of(!members.is_empty()),
            format!("{} agents", members.len()),
        );
        let verdict = if pictures > 0 { Verdict::Holds } else { Verdict::Open };
        self.note("memberPicture", verdict, format!("{pictures} pictures"));
        match self.client.ask(&requests.online(), online) {
            Ok(answer) => {
                self.note("members/online", Verdict::Holds, format!("{} agents", answer.said.len()));
            }
            Err(LinkError::NotAllowed(_) | LinkError::Refused { .. }) => {
                self.note("members/online", Verdict::Fails, "who is online cannot be read");
            }
            Err(error) => return Err(error),
        }
        let mut channels = Vec::new();
        for (of, route) in [("sectors", Route::Sectors), ("tags", Route::Tags), ("channels", Route::Channels)]
        {
            channels = self.client.ask(&requests.list(route), names)?.said;
            self.note(of, Verdict::Holds, format!("{} items", channels.len()));
        }
        let asked = self
            .client
            .ask(&requests.list(Route::Webhooks), |bytes, at| WebhookItem::read(bytes, at, &dialect));
        let entries = match asked {
            Ok(ApiAnswer { said, received_at, .. }) => (said, received_at),
            Err(LinkError::NotAllowed(403)) => {
                self.note("webhooks", Verdict::Open, "the token's owner may not see webhooks");
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let (entries, at) = entries;
        let finding = webhook::inspect(&entries, &channels, settings.webhook_url.as_deref(), at).finding;
        self.note("webhooks", Verdict::Holds, format!("{} webhooks; this hub's: {finding:?}", entries.len()));
        let told = entries.iter().filter(|entry| entry.channels.is_some()).count();
        let verdict = if told > 0 { Verdict::Holds } else { Verdict::Open };
        self.note("webhookChannels", verdict, format!("{told} webhooks list their lines"));
        Ok(())
    }

    fn page(&mut self, request: &ApiRequest) -> Result<ChatsPage, LinkError> {
        Ok(self.client.ask(request, ChatsPage::read)?.said)
    }

    /// Checks the list of chats. Returns chats with messages for [`Self::messages`].
    fn chats(&mut self, requests: &RequestBuilder) -> Result<Vec<ChatItem>, LinkError> {
        let all = self.page(&requests.chats(0))?;
        let open = self.page(&requests.open_chats(0))?;
        let seen = format!("All shows {:?}, Open {:?}", all.total, open.total);
        let verdict =
            if all.total.is_some() && all.total > open.total { Verdict::Holds } else { Verdict::Open };
        self.note("chatsAll", verdict, seen.clone());
        self.note("chatsOpen", verdict, seen);
        // A chat without a message, say one that was only opened, may stand anywhere in an order by messages.
        let by_activity = all.items.iter().filter_map(|item| item.active_at).is_sorted_by(|a, b| a >= b);
        let messages = all.items.iter().filter_map(|item| item.last_message.as_ref());
        let by_message = messages.map(|(_, at)| *at).is_sorted_by(|a, b| a >= b);
        let verdict =
            if all.items.len() < 3 { Verdict::Open } else { Verdict::of(by_activity || by_message) };
        let seen = format!("newest first by activity: {by_activity}; by last message: {by_message}");
        self.note("chatsOrder", verdict, seen);
        let few =
            RequestBuilder { dialect: Dialect { chats_take: 1, ..self.dialect.clone() }, ..requests.clone() };
        let one = self.page(&few.chats(0))?.items;
        let next = self.page(&few.chats(1))?.items;
        let has_two = all.items.len() > 1;
        let take = if has_two { Verdict::of(one.len() == 1) } else { Verdict::Open };
        self.note("take", take, format!("asked for 1 chat, got {}", one.len()));
        let moved = one.first().map(|item| &item.id) != next.first().map(|item| &item.id);
        let skip = if has_two { Verdict::of(moved) } else { Verdict::Open };
        self.note("skip", skip, format!("skipping one chat changes the first of the page: {moved}"));
        let take_max = all.take_max.map_or_else(
            || "the provider does not say how many fit on a page".to_owned(),
            |most| format!("the provider sends at most {most} a page"),
        );
        self.note("chatsTake", Verdict::Holds, format!("got {} chats; {take_max}", all.items.len()));
        let future =
            Timestamp::MAX.checked_sub(SignedDuration::from_hours(24 * 366)).unwrap_or(Timestamp::MAX);
        let later = self.page(&requests.chats_created_since(future, 0))?.items;
        let created = if all.items.is_empty() { Verdict::Open } else { Verdict::of(later.is_empty()) };
        self.note(
            "chatsCreatedFrom",
            created,
            format!("asked for chats created in the far future, got {}", later.len()),
        );
        let with_messages =
            all.items.into_iter().filter(|item| item.last_message.is_some() && !item.is_redacted);
        Ok(with_messages.take(CHATS_LOOKED_AT).collect())
    }

    /// Checks the messages of a chat. False: its messages all have one time, so they show nothing about order and cursor.
    fn messages(&mut self, requests: &RequestBuilder, chat: &ChatItem) -> Result<bool, LinkError> {
        let Some((_, newest_at)) = chat.last_message else { return Ok(false) };
        let after = newest_at.checked_add(SignedDuration::from_secs(60)).unwrap_or(newest_at);
        let page = self.messages_before(requests, chat, after)?;
        let mut times: Vec<Timestamp> = page.items.iter().map(|item: &MessageItem| item.at).collect();
        times.sort_unstable();
        let middle = times.get(times.len() / 2).copied().filter(|middle| times.first() != Some(middle));
        let Some(middle) = middle else { return Ok(false) };
        let count = times.len();
        self.note(
            "messagesBefore",
            Verdict::Holds,
            format!("got {count} messages, none later than the newest one"),
        );
        self.note("messagesTake", Verdict::Holds, format!("got {count} messages"));
        self.note("messagesOnly", Verdict::Open, "rows about the chat itself are skipped in any case");
        let back = self.messages_before(requests, chat, middle)?.items;
        let holds = back.iter().all(|item| item.at <= middle);
        let inclusive = back.iter().any(|item| item.at == middle);
        let seen = format!("only earlier messages came: {holds}; the moment itself is included: {inclusive}");
        self.note("messagesFrom", Verdict::of(holds), seen);
        Ok(true)
    }

    fn messages_before(
        &mut self,
        requests: &RequestBuilder,
        chat: &ChatItem,
        before: Timestamp,
    ) -> Result<MessagesPage, LinkError> {
        Ok(self.client.ask(&requests.messages(chat.id.as_str(), before), MessagesPage::read)?.said)
    }
}
