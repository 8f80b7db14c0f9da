//! What is acknowledged is there after any end of the process, once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use rand::{RngExt, SeedableRng};
use serde_json::Value;

use super::support::provider::Delivery;
use super::support::{Hub, PATIENCE, Screen, hub_with, spawn_hub};

/// Connections that post at the same time.
const CONNECTIONS: usize = 6;

/// Position by `EventId`, as the hub acknowledged it.
pub type Acknowledged = BTreeMap<String, i64>;

/// Posts fresh deliveries until the hub does not answer; hands every acknowledgement over, and keeps the delivery
/// that was on its way, to post it again as the provider does.
fn post_until_it_dies(
    url: &str,
    unanswered: &mut Option<Delivery>,
    acknowledge: &Sender<(String, i64)>,
    over: &AtomicBool,
) {
    let agent = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).build().new_agent();
    while !over.load(Ordering::Acquire) {
        let delivery = unanswered.take().unwrap_or_else(|| Delivery::message("chat").text("hello"));
        let answer = agent
            .post(url)
            .send(&delivery.bytes())
            .and_then(|mut answer| answer.body_mut().read_json::<Value>());
        let Ok(answer) = answer else {
            *unanswered = Some(delivery);
            return;
        };
        let seq = answer["seq"].as_i64().expect("a position");
        acknowledge.send((delivery.id().to_owned(), seq)).expect("the test listens");
    }
}

/// Waits for so many acknowledgements.
fn gather(acknowledged: &mut Acknowledged, heard: &Receiver<(String, i64)>, count: usize) {
    for _ in 0..count {
        let (id, seq) = heard.recv_timeout(PATIENCE).expect("the hub acknowledges");
        assert_eq!(acknowledged.insert(id, seq), None, "posted again only if it was not acknowledged");
    }
}

/// Every stored update, by `EventId`; each once.
pub fn stored(hub: &Hub) -> Acknowledged {
    let (mut all, mut after) = (Acknowledged::new(), 0);
    loop {
        let page = hub.json(&format!("/api/umbler/updates?after={after}&limit=1000"));
        for update in page["updates"].as_array().expect("a list") {
            let id = update["data"]["eventId"].as_str().expect("an id").to_owned();
            let seq = update["seq"].as_i64().expect("a position");
            assert_eq!(all.insert(id, seq), None, "stored twice");
        }
        after = page["next"].as_i64().expect("a position");
        if after == page["seq"] {
            return all;
        }
    }
}

/// A screen that follows everything over all lives of the hub.
struct Follower {
    screen: Screen,
    known: i64,
}

impl Follower {
    fn new(hub: &Hub) -> Self {
        Self { screen: hub.screen().watching(&["updates"]), known: 0 }
    }

    /// Each update is the next one, none is missing and none comes twice.
    fn hear(&mut self, envelope: &Value) {
        assert_eq!(envelope["event"], "umbler_update", "{envelope}");
        self.known += 1;
        assert_eq!(envelope["seq"], self.known, "{envelope}");
    }

    fn hear_the_end(&mut self) {
        for envelope in self.screen.hears_until_it_breaks() {
            self.hear(&envelope);
        }
    }

    /// Comes back with its position, and is where the hub is.
    fn come_back(&mut self, hub: &Hub, epoch: &Value) {
        self.screen = hub.screen();
        let subscribed = self.screen.comes_back(&["updates"], self.known, epoch);
        assert_eq!(subscribed["recovered"], true, "a screen was never told of what is lost: {subscribed}");
        self.hear_up_to(subscribed["seq"].as_i64().expect("a position"));
    }

    fn hear_up_to(&mut self, seq: i64) {
        while self.known < seq {
            let envelope = self.screen.hears_anything();
            self.hear(&envelope);
        }
    }
}

#[test]
fn kill_9_under_load_loses_and_doubles_nothing_acknowledged_and_no_update_of_a_screen() {
    kill_again_and_again(8, 20);
}

#[test]
#[ignore = "takes a minute; for releases: cargo test --test it -- --ignored"]
fn fifty_kills_under_load_lose_and_double_nothing_with_two_hundred_screens() {
    kill_again_and_again(50, 200);
}

fn kill_again_and_again(kills: usize, screens: usize) {
    let seed = rand::rng().random::<u64>();
    eprintln!("seed {seed}");
    let mut random = rand::rngs::StdRng::seed_from_u64(seed);
    let mut hub = hub_with(&[("MAX_SESSIONS_PER_ADDRESS", "0")]);
    let epoch = hub.json("/health")["epoch"].clone();
    let mut screens: Vec<Follower> = (0..screens).map(|_| Follower::new(&hub)).collect();
    let mut acknowledged = Acknowledged::new();
    let mut unanswered: Vec<Option<Delivery>> = vec![None; CONNECTIONS];
    for round in 0..=kills {
        let last = round == kills;
        let url = hub.url("/api/umbler/webhook");
        let over = AtomicBool::new(false);
        let (acknowledge, heard) = channel();
        std::thread::scope(|scope| {
            for unanswered in &mut unanswered {
                let (url, over, acknowledge) = (&url, &over, acknowledge.clone());
                scope.spawn(move || post_until_it_dies(url, unanswered, &acknowledge, over));
            }
            drop(acknowledge);
            // The moment is a number of acknowledgements, so that no clock is needed to hit the middle of the load.
            gather(&mut acknowledged, &heard, CONNECTIONS + random.random_range(0..60));
            if last {
                over.store(true, Ordering::Release);
            } else {
                hub.kill();
            }
            for (id, seq) in heard {
                assert_eq!(acknowledged.insert(id, seq), None);
            }
        });
        if !last {
            screens.iter_mut().for_each(Follower::hear_the_end);
            hub = hub.started_again();
            for screen in &mut screens {
                screen.come_back(&hub, &epoch);
            }
        }
        let stored = stored(&hub);
        for (id, seq) in &acknowledged {
            assert_eq!(stored.get(id), Some(seq), "{id} was acknowledged at {seq}");
        }
        let on_their_way =
            unanswered.iter().flatten().filter(|delivery| stored.contains_key(delivery.id())).count();
        assert_eq!(stored.len(), acknowledged.len() + on_their_way, "nothing else is stored");
        assert_eq!(hub.json("/api/umbler/stats")["totalMessages"], stored.len());
    }
    let newest = hub.json("/health")["seq"].as_i64().expect("a position");
    for screen in &mut screens {
        screen.hear_up_to(newest);
    }
    assert!(unanswered.iter().all(Option::is_none), "every delivery was acknowledged in the end");
}

#[test]
fn the_same_deliveries_in_two_orders_make_two_equal_hubs() {
    let deliveries: Vec<Delivery> = (0..60)
        .map(|number| {
            let chat = format!("chat-{}", number % 5);
            let message = Delivery::message(&chat).text(&format!("message {number}"));
            match number % 6 {
                0 => message.by_member("bia").owner("bia").waiting(false),
                1 => Delivery::of_type("ChatTagChanged", &chat)
                    .chat_field("Tags", serde_json::json!([{ "Id": format!("tag-{number}"), "Name": "t" }])),
                2 => Delivery::of_type("ChatClosed", &chat).closed(number),
                3 => Delivery::of_type("MemberTransfer", &chat).owner("caio"),
                _ => message,
            }
        })
        .collect();
    let forwards = spawn_hub();
    let backwards = spawn_hub();
    for (one, other) in deliveries.iter().zip(deliveries.iter().rev()) {
        forwards.provider().posts(one);
        backwards.provider().posts(other);
    }
    for path in ["/stats", "/chats?limit=200", "/contacts?limit=200", "/messages?limit=200"] {
        let path = format!("/api/umbler{path}");
        let shown = |hub: &Hub| {
            let mut answer = hub.json(&path);
            answer["nextCursor"] = Value::Null;
            answer
        };
        assert_eq!(shown(&forwards), shown(&backwards), "{path}");
    }
}

#[test]
fn what_was_stored_is_shown_after_a_restart() {
    let hub = spawn_hub();
    for file in ["01_message_text_contact.json", "02_message_text_member.json", "22_unknown_event_type.json"]
    {
        hub.provider().posts_fixture(file);
    }
    let paths =
        ["/stats", "/contacts", "/chats", "/messages", "/updates"].map(|path| format!("/api/umbler{path}"));
    let before = paths.each_ref().map(|path| hub.json(path));
    let (epoch, webhook) = (hub.json("/health")["epoch"].clone(), hub.json("/api/umbler/webhook/status"));
    let hub = hub.restarted();
    assert_eq!(paths.each_ref().map(|path| hub.json(path)), before);
    assert_eq!(hub.json("/health")["epoch"], epoch, "one life of the journal");
    assert_eq!(hub.json("/health")["lastWebhookAt"], webhook["lastDeliveryAt"]);
    assert_eq!(hub.json("/api/umbler/webhook/status")["counts"], webhook["counts"]);
    let again = hub.provider().posts_fixture("01_message_text_contact.json");
    assert_eq!((&again["status"], &again["seq"]), (&"duplicate".into(), &1.into()));
    hub.provider().says("another", "after the restart");
    assert_eq!(hub.json("/health")["seq"], 4, "positions go on");
}
