//! Deliveries as the provider sends them, made from the fixtures: the same bytes with ids and times of their own.
//!
//! Put together from ready pieces, so that making one costs the load next to nothing.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// Fixtures of a day's mix, each as often as it is named: customers, agents, a bot, a document, and states of
/// messages that are known already.
const MIX: [&str; 10] = [
    "01_message_text_contact",
    "02_message_text_member",
    "01_message_text_contact",
    "13b_message_state_read",
    "02_message_text_member",
    "01_message_text_contact",
    "03_message_text_bot",
    "02_message_text_member",
    "01_message_text_contact",
    "08_message_document",
];
/// The one that tells more of a known message.
const STATE: &str = "13b_message_state_read";
/// The shortest common one, for the fan-out.
const TEXT: &str = "01_message_text_contact";
/// What changes a number of the team each time: messages of customers and agents.
const NEWS: [&str; 4] = [
    "01_message_text_contact",
    "02_message_text_member",
    "01_message_text_contact",
    "02_message_text_member",
];
/// Agents that own chats, where they are told apart.
const AGENTS: u64 = 40;
/// Sectors of a history; each has four of its agents.
pub const SECTORS: u64 = 10;
/// Lines of a history, every other one of a second organization.
pub const LINES: u64 = 4;
/// Of so many chats of a history one is private.
const PRIVATE_ONE_IN: u64 = 20;
/// What a fixture says of the chat, and not of its message.
const PUBLIC: &str = "\"Private\": false";
const PRIVATE: &str = "\"Private\": true";
/// The first moment of all that is made up: early enough for a year of messages to lie in the past.
const START: &str = "2025-01-06T11:00:00Z";

/// What is put between the pieces.
#[derive(Debug, Clone, Copy)]
enum Slot {
    Event,
    Message,
    Chat,
    Contact,
    Agent,
    Sector,
    Line,
    Organization,
    Private,
    EmittedAt,
    HappenedAt,
    BegunAt,
}

/// One fixture, cut at its ids and times.
struct Template {
    pieces: Vec<(String, Slot)>,
    end: String,
    repeats: bool,
    /// Who owns the chat in the fixture.
    agent: String,
    /// Where it stands there.
    place: Place,
}

/// The ids of one delivery.
struct Names {
    event: String,
    message: String,
    chat: String,
    contact: String,
    agent: Option<String>,
    place: Option<Place>,
    emitted_at: String,
    happened_at: String,
    begun_at: String,
}

/// Where a chat of a history stands.
struct Place {
    sector: String,
    line: String,
    organization: String,
    private: bool,
}

/// Makes deliveries, each with ids of its own.
pub struct Deliveries {
    mix: Vec<Template>,
    chats: u64,
    /// Chats that are active at the same time; all, where a chat lasts for ever.
    messages_per_chat: Option<u64>,
    number: u64,
    start: Timestamp,
    pause: SignedDuration,
    series: String,
    /// Chats belong to several agents, and not all to one.
    many_agents: bool,
    /// And they stand in several sectors and on several lines.
    many_places: bool,
}

impl Deliveries {
    /// A day's mix over so many chats, without an end. The series keeps ids apart from those of other makers.
    pub fn mixed(series: &str, chats: u64) -> io::Result<Self> {
        Self::new(series, &MIX, chats, None, SignedDuration::from_millis(20))
    }

    /// Texts of customers only: every one is an update of the same length.
    pub fn texts(series: &str, chats: u64) -> io::Result<Self> {
        Self::new(series, &[TEXT], chats, None, SignedDuration::from_millis(20))
    }

    /// A history: each chat gets so many messages, and then the next ones come.
    pub fn history(
        series: &str,
        at_once: u64,
        messages_per_chat: u64,
        pause: SignedDuration,
    ) -> io::Result<Self> {
        let mix: Vec<&str> = MIX.into_iter().filter(|name| *name != STATE).collect();
        let history = Self::new(series, &mix, at_once, Some(messages_per_chat), pause)?;
        Ok(Self { many_agents: true, many_places: true, ..history })
    }

    /// Messages of customers and agents from this moment on, in chats of many agents.
    pub fn news(series: &str, chats: u64, start: Timestamp, pause: SignedDuration) -> io::Result<Self> {
        let news = Self::new(series, &NEWS, chats, None, pause)?;
        Ok(Self { start, many_agents: true, ..news })
    }

    fn new(
        series: &str,
        mix: &[&str],
        chats: u64,
        messages_per_chat: Option<u64>,
        pause: SignedDuration,
    ) -> io::Result<Self> {
        let start = START.parse().map_err(io::Error::other)?;
        let mix = mix.iter().map(|name| Template::read(name)).collect::<io::Result<_>>()?;
        let (series, many_agents, many_places) = (series.to_owned(), false, false);
        Ok(Self { mix, chats, messages_per_chat, number: 0, start, pause, series, many_agents, many_places })
    }

    /// Appends the next one.
    pub fn write_next(&mut self, body: &mut String) {
        let number = self.number;
        self.number += 1;
        let template = &self.mix[index(number, self.mix.len())];
        // A state repeats the message that its chat had one round before.
        let message = if template.repeats { number.saturating_sub(self.chats) } else { number };
        let at = self.moment_of(number);
        let (series, chat) = (&self.series, self.chat_of(number));
        let names = Names {
            event: format!("{series}-event-{number:09}"),
            message: format!("{series}-message-{message:09}"),
            chat: chat_id(series, chat),
            contact: format!("{series}-contact-{chat:07}"),
            agent: self.many_agents.then(|| agent_id(series, chat % AGENTS)),
            place: self.many_places.then(|| Place::of(series, chat)),
            emitted_at: format!("{:.7}", at + SignedDuration::from_millis(1_100)),
            happened_at: format!("{at:.3}"),
            begun_at: format!("{:.3}", self.moment_of(self.first_of_chat(number))),
        };
        template.write(&names, body);
    }

    fn moment_of(&self, number: u64) -> Timestamp {
        self.start + self.pause * i32::try_from(number).unwrap_or(i32::MAX)
    }

    fn chat_of(&self, number: u64) -> u64 {
        let lane = number % self.chats;
        match self.messages_per_chat {
            None => lane,
            Some(messages) => number / (self.chats * messages) * self.chats + lane,
        }
    }

    /// The first delivery of the same chat.
    fn first_of_chat(&self, number: u64) -> u64 {
        let lane = number % self.chats;
        let round = self.messages_per_chat.map_or(0, |messages| number / (self.chats * messages) * messages);
        round * self.chats + lane
    }
}

impl Place {
    fn of(series: &str, chat: u64) -> Self {
        let line = chat / AGENTS % LINES;
        Self {
            sector: sector_id(series, chat % SECTORS),
            line: line_id(series, line),
            organization: organization_id(series, line % 2),
            private: (chat / 7).is_multiple_of(PRIVATE_ONE_IN),
        }
    }
}

/// The id of an agent of a series.
pub fn agent_id(series: &str, agent: u64) -> String {
    format!("{series}-agent-{agent:02}")
}

/// The id of a sector of a series.
pub fn sector_id(series: &str, sector: u64) -> String {
    format!("{series}-sector-{sector:02}")
}

/// The id of a line of a series.
pub fn line_id(series: &str, line: u64) -> String {
    format!("{series}-line-{line}")
}

/// The id of an organization of a series.
pub fn organization_id(series: &str, organization: u64) -> String {
    format!("{series}-organization-{organization}")
}

/// The id of a chat of a series.
pub fn chat_id(series: &str, chat: u64) -> String {
    format!("{series}-chat-{chat:07}")
}

impl Template {
    fn read(name: &str) -> io::Result<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/deliveries");
        let text = std::fs::read_to_string(folder.join(format!("{name}.json")))?;
        let value: Value = serde_json::from_str(&text)?;
        let word = |pointer: &str| {
            let word = value.pointer(pointer).and_then(Value::as_str).map(|word| format!("\"{word}\""));
            word.ok_or_else(|| io::Error::other(format!("{name} has no {pointer}")))
        };
        // Nobody owns the chats of some.
        let agent = word("/Payload/Content/OrganizationMember/Id").unwrap_or_default();
        let mut slots = vec![
            (word("/EventId")?, Slot::Event),
            (word("/EventDate")?, Slot::EmittedAt),
            (word("/Payload/Content/Id")?, Slot::Chat),
            (word("/Payload/Content/Contact/Id")?, Slot::Contact),
            (word("/Payload/Content/LastMessage/Id")?, Slot::Message),
            (word("/Payload/Content/LastMessage/EventAtUTC")?, Slot::HappenedAt),
            (word("/Payload/Content/CreatedAtUTC")?, Slot::BegunAt),
            (word("/Payload/Content/Sector/Id")?, Slot::Sector),
            (word("/Payload/Content/Channel/Id")?, Slot::Line),
            (word("/Payload/Content/Organization/Id")?, Slot::Organization),
            (PUBLIC.to_owned(), Slot::Private),
        ];
        if !agent.is_empty() {
            slots.push((agent.clone(), Slot::Agent));
        }
        let (pieces, end) = cut(&text, &slots);
        let stands = |at: usize| slots[at].0.trim_matches('"').to_owned();
        let place = Place { sector: stands(7), line: stands(8), organization: stands(9), private: false };
        Ok(Self { pieces, end, repeats: name == STATE, agent: agent.trim_matches('"').to_owned(), place })
    }

    fn write(&self, names: &Names, body: &mut String) {
        let place = names.place.as_ref().unwrap_or(&self.place);
        for (piece, slot) in &self.pieces {
            body.push_str(piece);
            if matches!(slot, Slot::Private) {
                body.push_str(if place.private { PRIVATE } else { PUBLIC });
                continue;
            }
            body.push('"');
            body.push_str(match slot {
                Slot::Event => &names.event,
                Slot::Message => &names.message,
                Slot::Chat => &names.chat,
                Slot::Contact => &names.contact,
                Slot::Agent => names.agent.as_ref().unwrap_or(&self.agent),
                Slot::Sector => &place.sector,
                Slot::Line => &place.line,
                Slot::Organization => &place.organization,
                Slot::Private => "",
                Slot::EmittedAt => &names.emitted_at,
                Slot::HappenedAt => &names.happened_at,
                Slot::BegunAt => &names.begun_at,
            });
            body.push('"');
        }
        body.push_str(&self.end);
    }
}

/// Cuts a text at each place where one of these words stands.
fn cut(text: &str, slots: &[(String, Slot)]) -> (Vec<(String, Slot)>, String) {
    let mut pieces = Vec::new();
    let mut rest = text;
    loop {
        let next = slots.iter().filter_map(|(word, slot)| Some((rest.find(word.as_str())?, word, *slot)));
        let Some((at, word, slot)) = next.min_by_key(|(at, ..)| *at) else {
            return (pieces, rest.to_owned());
        };
        pieces.push((rest[..at].to_owned(), slot));
        rest = &rest[at + word.len()..];
    }
}

fn index(number: u64, length: usize) -> usize {
    usize::try_from(number % u64::try_from(length).unwrap_or(1)).unwrap_or(0)
}

/// Puts a delivery into a request of its own.
pub fn write_request(body: &str, request: &mut String) -> io::Result<()> {
    request.clear();
    write!(
        request,
        "POST /api/umbler/webhook HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    )
    .map_err(io::Error::other)?;
    request.push_str(body);
    Ok(())
}
