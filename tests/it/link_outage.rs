//! What an outage at 300 deliveries a second costs until everything is known again. They run with
//! `cargo nextest run --run-ignored only -E 'test(/link_outage/)' --no-capture` and print figures.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use umbler_hub::facade::testing::{Day, FakeApi};

use super::link_bars::no_message_is_doubled;
use super::support::api::{ago, api, deliver, linked, lose, message_ids, rechecked, until_complete};
use super::support::environment::from_environment;
use super::support::{Delivery, Hub, OverAtDrop};

/// Where deliveries come from.
enum Source {
    /// A team that opens and closes chats all the time.
    Team(Box<Day>),
    /// So many chats, in which customers write in turn.
    Chats { chats: usize, number: usize, organization: String },
}

impl Source {
    /// As the variable `OUTAGE_CHATS` says; without it a team.
    fn new(api: &FakeApi, seed: u64, begun: Timestamp) -> Self {
        match from_environment::<usize>("OUTAGE_CHATS") {
            Some(chats) => {
                let organization = api.world(|world| world.organization.clone());
                Self::Chats {
                    chats,
                    number: usize::try_from(seed).expect("small") * 10_000_000,
                    organization,
                }
            }
            None => Self::Team(Box::new(Day::new(seed, begun))),
        }
    }

    fn step(&mut self, at: Timestamp) -> Vec<u8> {
        let (chats, number, organization) = match self {
            Self::Team(day) => return day.step(at).body,
            Self::Chats { chats, number, organization } => (*chats, number, organization),
        };
        *number += 1;
        let moment = json!(format!("{at:.3}"));
        Delivery::message(&format!("chat-{:05}", *number % chats))
            .event_id(&format!("lasting-event-{number}"))
            .message_id(&format!("lasting-{number}"))
            .set("/EventDate", json!(format!("{at:.7}")))
            .message_field("EventAtUTC", moment.clone())
            .message_field("CreatedAtUTC", moment.clone())
            .chat_field("EventAtUTC", moment)
            .chat_field("Organization", json!({ "Id": organization }))
            .bytes()
    }
}

/// What happens at the provider, at this pace, until `is_over`. Its webhooks come while they are let through. Returns how many deliveries
/// there were.
fn happens(
    hub: &Hub,
    api: &FakeApi,
    per_second: u64,
    is_let_through: &AtomicBool,
    is_over: &AtomicBool,
) -> u32 {
    let (mut live, begun, mut count) = (Source::new(api, 78, ago(30)), Instant::now(), 0);
    while !is_over.load(Ordering::Relaxed) {
        let delivery = live.step(ago(0));
        if is_let_through.load(Ordering::Relaxed) {
            while hub.provider().post(&delivery).status == 503 {}
        }
        api.world(|world| world.absorb(&delivery));
        count += 1;
        let due = begun + Duration::from_micros(1_000_000 / per_second) * count;
        std::thread::park_timeout(due.saturating_duration_since(Instant::now()));
    }
    count
}

/// Checks that the hub knows what the provider has, each message once. Returns how many chats there are.
fn all_is_known_once(hub: &Hub, api: &FakeApi, link: &Value) -> Value {
    assert_eq!(message_ids(hub), api.world(|world| world.message_ids()), "gap and doubles: {link}");
    no_message_is_doubled(hub);
    hub.json("/api/umbler/stats")["totalChats"].clone()
}

#[test]
#[ignore = "it takes more than ten minutes; OUTAGE_SECONDS=120 makes it shorter, OUTAGE_CHATS=400 has lasting chats"]
fn ten_minutes_without_webhooks_at_300_deliveries_a_second_are_made_up_for() {
    const BEFORE: Duration = Duration::from_secs(30);
    let outage = Duration::from_secs(from_environment("OUTAGE_SECONDS").unwrap_or(600));
    let per_second: u64 = from_environment("LIVE_PER_SECOND").unwrap_or(300);
    let api = api();
    // The hub compares as often as it does by itself.
    let settings = [("UMBLER_API_REQUESTS_PER_5_SECONDS", "100"), ("UMBLER_RECONCILE_SECONDS", "300")];
    let hub = linked(&api, &settings);
    rechecked(&hub);
    let (is_let_through, is_over) = (AtomicBool::new(true), AtomicBool::new(false));
    let wait = |time: Duration| {
        let until = Instant::now() + time;
        while Instant::now() < until {
            std::thread::park_timeout(until.saturating_duration_since(Instant::now()));
        }
    };
    let (happened, took, link) = std::thread::scope(|scope| {
        let end = OverAtDrop(&is_over);
        let happening = scope.spawn(|| happens(&hub, &api, per_second, &is_let_through, &is_over));
        wait(BEFORE);
        is_let_through.store(false, Ordering::Relaxed);
        wait(outage);
        is_let_through.store(true, Ordering::Relaxed);
        let (ended, recovered) = (ago(0), Instant::now());
        // Nobody asks the hub to look: it sees by itself that webhooks come again.
        let link = until_complete(&hub, ended, || {
            println!("a comparison ended {:?} after recovery", recovered.elapsed());
        });
        let took = recovered.elapsed();
        drop(end);
        (happening.join().expect("it happens"), took, link)
    });
    let chats = all_is_known_once(&hub, &api, &link);
    println!(
        "{outage:?} without webhooks among {happened} deliveries, {chats} chats: complete {took:?} after recovery, {} requests, gap 0, doubles 0\n{link}",
        api.requests().len()
    );
}

#[test]
#[ignore = "180,000 lost deliveries are minutes of work; OUTAGE_SECONDS=60 makes it shorter, OUTAGE_CHATS=400 has lasting chats"]
fn ten_minutes_in_which_nothing_was_read_either_are_made_up_for() {
    let seconds: i32 = from_environment("OUTAGE_SECONDS").unwrap_or(600);
    let live_per_second: u64 = from_environment("LIVE_PER_SECOND").unwrap_or(300);
    let api = api();
    let hub = linked(&api, &[("UMBLER_API_REQUESTS_PER_5_SECONDS", "100"), ("RUST_LOG", "warn")]);
    let mut source = Source::new(&api, 77, ago(3_000));
    let mut spread = |from: Timestamp, until: Timestamp, count: i32| -> Vec<Vec<u8>> {
        let pause = until.duration_since(from) / count;
        (0..count).map(|number| source.step(from + pause * number)).collect()
    };
    deliver(&api, &hub, &spread(ago(3_000), ago(1_400), 400));
    rechecked(&hub);
    // The ten minutes end as soon as everything is made that was lost in them, and nothing of them is ever posted.
    let begun = Instant::now();
    let sample = spread(ago(500), ago(490), 1_000);
    lose(&api, &sample);
    let lead = begun.elapsed() * u32::try_from(seconds).expect("seconds") * 300 / 1_000 * 3;
    let ended = ago(-i64::try_from(lead.as_secs()).expect("seconds") - 2);
    for minute in (0..seconds).step_by(60) {
        let from = ended - SignedDuration::from_secs(i64::from(seconds - minute));
        let length = 60.min(seconds - minute);
        lose(&api, &spread(from, from + SignedDuration::from_secs(length.into()), length * 300));
    }
    assert!(ago(0) < ended, "they took longer than was expected");
    std::thread::park_timeout(ended.duration_since(ago(0)).unsigned_abs());
    let lost = api.world(|world| world.message_ids()).len();
    let (recovered, is_over) = (Instant::now(), AtomicBool::new(false));
    let (posted, took, link) = std::thread::scope(|scope| {
        let end = OverAtDrop(&is_over);
        let posting = scope.spawn(|| happens(&hub, &api, live_per_second, &AtomicBool::new(true), &is_over));
        // A comparison is complete until a minute before its beginning, so the second one ends later. It answers when it is finished,
        // or after a while.
        let recheck = || drop(scope.spawn(|| hub.provider().post_to("/api/umbler/link/recheck", &[], "")));
        let link = until_complete(&hub, ended, recheck);
        let took = recovered.elapsed();
        drop(end);
        (posting.join().expect("it posts"), took, link)
    });
    // What was posted last may not be in the last comparison.
    let chats = all_is_known_once(&hub, &api, &link);
    println!(
        "{seconds} s without webhooks, {lost} messages, {posted} posted meanwhile, {chats} chats: \
         complete after {took:?}, {} requests, gap 0, doubles 0\n{link}",
        api.requests().len()
    );
}
