//! The whole promise at once: whatever happens to deliveries, sockets and the hubs themselves, a screen that keeps its
//! snapshot current by updates holds what a fresh snapshot says, wherever both hold something. In a cluster the fresh snapshot is
//! another hub's.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::cluster::{cluster, until, until_ready};
use super::placements::differences;
use super::support::keys::{SECRET, token};
use super::support::mirror::Mirror;
use super::support::nats::{Nats, copy_of, nats};
use super::support::{Delivery, Hub, hub_with};

const CHATS: [&str; 5] = ["a", "b", "c", "d", "e"];
const AGENTS: [&str; 2] = ["bia", "caio"];
const SECTORS: [&str; 2] = ["sales", "support"];
const SETTINGS: [(&str, &str); 2] = [("JWT_SECRET", SECRET), ("UPDATES_IN_MEMORY", "8")];
/// As many names of hubs as there are in the largest world.
const HUBS: [&str; 3] = ["a", "b", "c"];

/// What may happen next. `at` chooses the hub, where there are several.
#[derive(Debug, Clone)]
enum Step {
    /// Something happens in a chat, as of a moment that may lie before what is known.
    Deliver { chat: usize, what: What, second: i64, at: usize },
    /// The provider repeats an earlier delivery.
    Repeat { number: usize, at: usize },
    /// A screen loses its socket and comes back.
    Reconnect { screen: usize, at: usize },
    /// A screen's token allows something else from here on.
    Narrow(usize, usize),
    /// `kill -9`, and a new start.
    Restart(usize),
    /// An agent gets a name, another one, or loses it.
    Name { agent: usize, name: Option<u8>, at: usize },
    /// A screen is compared with the truth.
    Compare { screen: usize, at: usize },
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
    let (screens, hubs) = (0..3usize, 0..HUBS.len());
    prop_oneof![
        12 => (0..CHATS.len(), what(), 0..500i64, hubs.clone())
            .prop_map(|(chat, what, second, at)| Step::Deliver { chat, what, second, at }),
        2 => (any::<prop::sample::Index>(), hubs.clone())
            .prop_map(|(index, at)| Step::Repeat { number: index.index(1_000), at }),
        2 => (screens.clone(), hubs.clone()).prop_map(|(screen, at)| Step::Reconnect { screen, at }),
        1 => (screens.clone(), 0..TOKENS.len()).prop_map(|(screen, token)| Step::Narrow(screen, token)),
        1 => hubs.clone().prop_map(Step::Restart),
        2 => (0..AGENTS.len(), prop::option::weighted(0.8, 0..3u8), hubs.clone())
            .prop_map(|(agent, name, at)| Step::Name { agent, name, at }),
        3 => (screens, hubs).prop_map(|(screen, at)| Step::Compare { screen, at }),
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
    hubs: Vec<Hub>,
    screens: Vec<Mirror>,
    /// At which hub each screen is.
    places: Vec<usize>,
    posted: Vec<Delivery>,
    _nats: Option<Nats>,
}

impl World {
    fn alone() -> Self {
        Self::of(vec![hub_with(&SETTINGS)], None)
    }

    /// Three hubs on one stream.
    fn together(nats: Nats) -> Self {
        let home = nats.begun();
        let copies = [copy_of(home.path()), copy_of(home.path())];
        let homes = std::iter::once(home).chain(copies);
        let hubs: Vec<Hub> = homes.zip(HUBS).map(|(home, name)| nats.hub(name, home, &SETTINGS)).collect();
        hubs.iter().for_each(until_ready);
        Self::of(hubs, Some(nats))
    }

    fn of(hubs: Vec<Hub>, nats: Option<Nats>) -> Self {
        let places: Vec<usize> = (0..3).map(|screen| screen % hubs.len()).collect();
        let begin = |screen: usize| Mirror::begin(&hubs[places[screen]], sign(TOKENS[screen], screen));
        let screens = (0..3).map(begin).collect();
        Self { hubs, screens, places, posted: Vec::new(), _nats: nats }
    }

    fn hub(&self, at: usize) -> &Hub {
        &self.hubs[at % self.hubs.len()]
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Deliver { chat, what, second, at } => {
                let delivery = delivery(*chat, what, *second);
                self.hub(*at).provider().posts(&delivery);
                self.posted.push(delivery);
            }
            Step::Repeat { number, at } => {
                if let Some(delivery) = self.posted.get(number % self.posted.len().max(1)) {
                    let answer = self.hub(*at).provider().posts(delivery);
                    // What the stream has not taken within a second is answered before it is known.
                    let is_early = self.hubs.len() > 1 && answer["seq"].is_null();
                    assert!(is_early || answer["status"] == "duplicate", "{answer}");
                }
            }
            Step::Reconnect { screen, at } => self.comes_back(*screen, *at),
            Step::Narrow(screen, token) => self.screens[*screen].sign_in(sign(TOKENS[*token], *screen)),
            Step::Restart(at) => {
                let at = at % self.hubs.len();
                let hub = self.hubs.remove(at).restarted();
                self.hubs.insert(at, hub);
                for screen in (0..3).filter(|screen| self.places[*screen] == at).collect::<Vec<_>>() {
                    // At the next hub: the one that was killed may still start.
                    self.comes_back(screen, at + 1);
                }
                until_ready(&self.hubs[at]);
            }
            Step::Name { agent, name, at } => {
                let root = token(json!({ "sub": "root", "role": "admin" }));
                let name = name.map(|name| format!("{} {name}", ["Ana", "Bia", "Zé"][usize::from(name)]));
                self.hub(*at).names(AGENTS[*agent], name.as_deref(), &root);
            }
            Step::Compare { screen, at } => self.compare(*screen, *at),
        }
    }

    /// A screen comes back, maybe at another hub. One that is not there yet would send it away again.
    fn comes_back(&mut self, screen: usize, at: usize) {
        let at = at % self.hubs.len();
        let hub = &self.hubs[at];
        let known = self.screens[screen].position();
        until("the hub has reached the screen's position", || {
            hub.json("/health")["seq"].as_i64() >= Some(known)
        });
        self.places[screen] = at;
        self.screens[screen].come_back(hub);
    }

    /// Waits until every hub shows everything that was taken.
    fn settle(&self) {
        if self.hubs.len() == 1 {
            return;
        }
        until("no inbox has anything", || self.hubs.iter().all(|hub| cluster(hub)["inbox"] == 0));
        let newest = self.hubs.iter().filter_map(|hub| cluster(hub)["newest"].as_i64()).max();
        until("all have applied it", || {
            self.hubs.iter().all(|hub| cluster(hub)["applied"].as_i64() >= newest)
        });
    }

    fn compare(&mut self, screen: usize, at: usize) {
        self.settle();
        let hub = &self.hubs[at % self.hubs.len()];
        let mirror = &mut self.screens[screen];
        mirror.catch_up();
        mirror.agrees_with(&Mirror::begin(hub, mirror.token().to_owned()));
    }

    fn is_true(&mut self) {
        for screen in 0..3 {
            for at in 0..self.hubs.len() {
                self.compare(screen, at);
            }
        }
        for hub in &self.hubs {
            assert_eq!(differences(hub), Vec::<String>::new());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn a_snapshot_kept_current_by_updates_is_the_truth_whatever_happens(
        steps in prop::collection::vec(step(), 10..80)
    ) {
        let mut world = World::alone();
        for step in &steps {
            world.take(step);
        }
        world.is_true();
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 4, max_shrink_iters: 8, failure_persistence: None, ..ProptestConfig::default()
    })]
    #[test]
    fn a_screen_that_goes_from_hub_to_hub_holds_what_any_of_them_says(
        steps in prop::collection::vec(step(), 10..60)
    ) {
        let Some(nats) = nats() else { return Ok(()) };
        let mut world = World::together(nats);
        for step in &steps {
            world.take(step);
        }
        world.is_true();
    }
}
