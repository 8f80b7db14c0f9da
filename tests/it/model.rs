//! The whole promise at once: whatever happens to deliveries, sockets and the hub itself, a screen that keeps its
//! snapshot current by updates holds what a fresh snapshot says, wherever both hold something.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::placements::differences;
use super::support::keys::{SECRET, token};
use super::support::mirror::Mirror;
use super::support::{Delivery, Hub, hub_with};

const CHATS: [&str; 5] = ["a", "b", "c", "d", "e"];
const AGENTS: [&str; 2] = ["bia", "caio"];
const SECTORS: [&str; 2] = ["sales", "support"];

/// What may happen next.
#[derive(Debug, Clone)]
enum Step {
    /// Something happens in a chat, as of a moment that may lie before what is known.
    Deliver { chat: usize, what: What, second: i64 },
    /// The provider repeats an earlier delivery.
    Repeat(usize),
    /// A screen loses its socket and comes back.
    Reconnect(usize),
    /// A screen's token allows something else from here on.
    Narrow(usize, usize),
    /// `kill -9`, and a new start.
    Restart,
    /// An agent gets a name, another one, or loses it.
    Name { agent: usize, name: Option<u8> },
    /// A screen is compared with the truth.
    Compare(usize),
}

#[derive(Debug, Clone)]
enum What {
    Says(u8),
    Answers(usize, u8),
    Closes,
    Moves(usize),
    Hides(bool),
    Tags(u8),
    Renames(u8),
    Reads(u8),
}

fn what() -> impl Strategy<Value = What> {
    prop_oneof![
        4 => (0..12u8).prop_map(What::Says),
        3 => (0..AGENTS.len(), 0..12u8).prop_map(|(agent, number)| What::Answers(agent, number)),
        1 => Just(What::Closes),
        2 => (0..SECTORS.len()).prop_map(What::Moves),
        1 => any::<bool>().prop_map(What::Hides),
        1 => (0..3u8).prop_map(What::Tags),
        1 => (0..3u8).prop_map(What::Renames),
        2 => (0..12u8).prop_map(What::Reads),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let screens = 0..3usize;
    prop_oneof![
        12 => (0..CHATS.len(), what(), 0..500i64)
            .prop_map(|(chat, what, second)| Step::Deliver { chat, what, second }),
        2 => any::<prop::sample::Index>().prop_map(|index| Step::Repeat(index.index(1_000))),
        2 => screens.clone().prop_map(Step::Reconnect),
        1 => (screens.clone(), 0..TOKENS.len()).prop_map(|(screen, token)| Step::Narrow(screen, token)),
        1 => Just(Step::Restart),
        2 => (0..AGENTS.len(), prop::option::weighted(0.8, 0..3u8))
            .prop_map(|(agent, name)| Step::Name { agent, name }),
        3 => screens.prop_map(Step::Compare),
    ]
}

/// Roles and limits that a screen may have.
const TOKENS: [&str; 5] = [
    r#"{"sub":"root","role":"admin"}"#,
    r#"{"sub":"bia","role":"agent","sectors":["sales"]}"#,
    r#"{"sub":"vera","role":"viewer"}"#,
    r#"{"sub":"caio","role":"agent"}"#,
    r#"{"sub":"duda","role":"supervisor","sectors":["support"]}"#,
];

fn sign(claims: &str, screen: usize) -> String {
    let mut claims: Value = serde_json::from_str(claims).expect("claims");
    // One socket belongs to one user for good.
    claims["sub"] = json!(format!("user{screen}"));
    token(claims)
}

fn delivery(chat: usize, what: &What, second: i64) -> Delivery {
    let id = CHATS[chat];
    // Two chats share a contact.
    let contact = if chat < 2 { "shared".to_owned() } else { format!("contact-of-{id}") };
    let known = |number: u8| format!("message-of-{id}-{number}");
    let base = match what {
        What::Says(number) => Delivery::message(id).message_id(&known(*number)).text("says"),
        What::Answers(agent, number) => Delivery::message(id)
            .message_id(&known(*number))
            .by_member(AGENTS[*agent])
            .owner(AGENTS[*agent])
            .waiting(false),
        What::Closes => Delivery::of_type("ChatClosed", id).closed(second),
        What::Moves(sector) => Delivery::of_type("ChatSectorChanged", id)
            .chat_field("Sector", json!({ "Id": SECTORS[*sector], "Name": SECTORS[*sector] })),
        What::Hides(private) => {
            Delivery::of_type("ChatPrivateStatusChanged", id).chat_field("Private", json!(private))
        }
        What::Tags(count) => {
            let tags: Vec<Value> =
                (0..*count).map(|tag| json!({ "Id": format!("t{tag}"), "Name": "t" })).collect();
            Delivery::of_type("ChatTagChanged", id).chat_field("Tags", json!(tags))
        }
        What::Renames(number) => Delivery::of_type("Message", id)
            .set("/Payload/Content/Contact/Name", json!(format!("name {number}"))),
        What::Reads(number) => Delivery::message(id)
            .message_id(&known(*number))
            .by_member("bia")
            .message_field("MessageState", json!("Read")),
    };
    let base = base.set("/Payload/Content/Contact/Id", json!(contact));
    if base.0["Payload"]["Content"]["LastMessage"].is_null() {
        base.emitted_at(second)
    } else {
        base.at(second)
    }
}

struct World {
    hub: Option<Hub>,
    screens: Vec<Mirror>,
    posted: Vec<Delivery>,
}

impl World {
    fn new() -> Self {
        let hub = hub_with(&[("JWT_SECRET", SECRET), ("UPDATES_IN_MEMORY", "8")]);
        let screens = (0..3).map(|at| Mirror::begin(&hub, sign(TOKENS[at], at))).collect();
        Self { hub: Some(hub), screens, posted: Vec::new() }
    }

    fn hub(&self) -> &Hub {
        self.hub.as_ref().expect("the hub runs")
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Deliver { chat, what, second } => {
                let delivery = delivery(*chat, what, *second);
                self.hub().provider().posts(&delivery);
                self.posted.push(delivery);
            }
            Step::Repeat(at) => {
                if let Some(delivery) = self.posted.get(at % self.posted.len().max(1)) {
                    assert_eq!(self.hub().provider().posts(delivery)["status"], "duplicate");
                }
            }
            Step::Reconnect(screen) => {
                let hub = self.hub.as_ref().expect("the hub runs");
                self.screens[*screen].come_back(hub);
            }
            Step::Narrow(screen, token) => self.screens[*screen].sign_in(sign(TOKENS[*token], *screen)),
            Step::Restart => {
                let hub = self.hub.take().expect("the hub runs").restarted();
                for screen in &mut self.screens {
                    screen.come_back(&hub);
                }
                self.hub = Some(hub);
            }
            Step::Name { agent, name } => {
                let root = token(json!({ "sub": "root", "role": "admin" }));
                let name = name.map(|name| format!("{} {name}", ["Ana", "Bia", "Zé"][usize::from(name)]));
                self.hub().names(AGENTS[*agent], name.as_deref(), &root);
            }
            Step::Compare(screen) => self.compare(*screen),
        }
    }

    fn compare(&mut self, screen: usize) {
        let hub = self.hub.as_ref().expect("the hub runs");
        let mirror = &mut self.screens[screen];
        mirror.catch_up();
        mirror.agrees_with(&Mirror::begin(hub, mirror.token().to_owned()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn a_snapshot_kept_current_by_updates_is_the_truth_whatever_happens(
        steps in prop::collection::vec(step(), 10..80)
    ) {
        let mut world = World::new();
        for step in &steps {
            world.take(step);
        }
        for screen in 0..3 {
            world.compare(screen);
        }
        prop_assert_eq!(differences(world.hub()), Vec::<String>::new());
    }
}
