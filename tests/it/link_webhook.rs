//! An admin has the hub create its webhook at the provider. It never does that by itself.

use serde_json::{Value, json};
use umbler_hub::facade::testing::{ApiFault, FakeApi};

use super::support::api::{api, linked, rechecked};
use super::support::keys::{SECRET, token};
use super::support::{Answer, Hub};

const ADDRESS: (&str, &str) = ("UMBLER_WEBHOOK_URL", "https://hub.example/api/umbler/webhook");
const WEBHOOK_SECRET: (&str, &str) = ("WEBHOOK_SECRET", "a secret of the webhook");
const POSTED_TO: &str = "https://hub.example/api/umbler/webhook?token=a+secret+of+the+webhook";

fn registers(hub: &Hub) -> Answer {
    hub.provider().post_to("/api/umbler/link/webhook", &[], "")
}

/// The addresses of the provider's webhooks, each with the number of its lines.
fn webhooks(api: &FakeApi) -> Vec<(String, usize)> {
    let lines = |webhook: &Value| webhook["forChannels"].as_array().expect("lines").len();
    let url = |webhook: &Value| webhook["url"].as_str().expect("an address").to_owned();
    api.world(|world| world.webhooks.iter().map(|webhook| (url(webhook), lines(webhook))).collect())
}

fn lines(api: &FakeApi) -> usize {
    api.world(|world| world.channels.len())
}

/// A webhook of another application gets all lines.
fn feeds_another_application(api: &FakeApi) {
    api.world(|world| {
        world.posts_to("https://crm.example/w");
        world.webhooks[0]["name"] = json!("CRM");
    });
}

#[test]
fn a_webhook_is_created_on_an_admins_click_and_not_before() {
    let api = api();
    feeds_another_application(&api);
    let hub = linked(&api, &[ADDRESS, WEBHOOK_SECRET, ("RUST_LOG", "trace")]);
    let link = rechecked(&hub);
    assert_eq!(link["webhook"]["finding"], "missing");
    assert_eq!(
        link["webhook"]["otherApplications"],
        json!(["CRM"]),
        "an admin is told who feeds on the lines"
    );
    assert_eq!(webhooks(&api).len(), 1, "nothing was created by itself");

    let created = registers(&hub);
    assert_eq!(created.status, 200, "{}", created.text);
    assert_eq!(created.json()["lines"].as_array().map(Vec::len), Some(lines(&api)));
    assert_eq!(
        webhooks(&api),
        [("https://crm.example/w".to_owned(), 0), (POSTED_TO.to_owned(), lines(&api))]
    );
    assert_eq!(rechecked(&hub)["webhook"]["finding"], "ok");
    registers(&hub).refuses(409, "webhook_not_created");
    assert_eq!(webhooks(&api).len(), 2);
    assert!(!hub.log().contains("secret of the webhook"), "the secret is in the log");
    assert!(!hub.log().contains("secret+of+the+webhook"), "the secret is in the log");
}

#[test]
fn only_the_lines_that_post_nothing_here_get_a_webhook_and_a_paused_one_gets_no_second() {
    let api = api();
    api.world(|world| {
        world.posts_to(ADDRESS.1);
        world.webhooks[0]["forChannels"].as_array_mut().expect("lines").truncate(1);
    });
    let hub = linked(&api, &[ADDRESS]);
    assert_eq!(rechecked(&hub)["webhook"]["finding"], "channels_missing");
    assert_eq!(registers(&hub).status, 200);
    assert_eq!(webhooks(&api), [(ADDRESS.1.to_owned(), 1), (ADDRESS.1.to_owned(), lines(&api) - 1)]);
    assert_eq!(rechecked(&hub)["webhook"]["finding"], "ok");

    api.world(|world| world.webhooks.iter_mut().for_each(|webhook| webhook["paused"] = json!(true)));
    let error = registers(&hub).refuses(409, "webhook_not_created");
    assert!(error.to_string().contains("paused"), "{error}");
    assert_eq!(webhooks(&api).len(), 2);
}

#[test]
fn a_webhook_that_was_created_although_no_answer_came_is_not_created_again() {
    let api = api();
    let hub = linked(&api, &[ADDRESS]);
    rechecked(&hub);
    // The first answer is that of the list.
    api.fail("webhooks", &ApiFault::Slow(std::time::Duration::ZERO), 1);
    api.fail("webhooks", &ApiFault::Reset, 1);
    assert_eq!(registers(&hub).status, 200, "it was found in the list");
    assert_eq!(webhooks(&api).len(), 1);

    // The check after it is over, so that it uses up no fault.
    rechecked(&hub);
    api.world(|world| world.webhooks.clear());
    api.fail("webhooks", &ApiFault::Slow(std::time::Duration::ZERO), 1);
    api.fail("webhooks", &ApiFault::Lost, 1);
    registers(&hub).refuses(503, "unavailable");
    assert_eq!(webhooks(&api).len(), 0);
}

#[test]
fn what_hinders_a_webhook_is_said() {
    let api = api();
    let hub = linked(&api, &[]);
    let error = registers(&hub).refuses(409, "webhook_not_created");
    assert!(error.to_string().contains("UMBLER_WEBHOOK_URL"), "{error}");

    let hub = linked(&api, &[ADDRESS]);
    rechecked(&hub);
    api.fail("webhooks", &ApiFault::Slow(std::time::Duration::ZERO), 1);
    api.fail("webhooks", &ApiFault::Status(422), 1);
    let error = registers(&hub).refuses(409, "webhook_not_created");
    assert!(error.to_string().contains("Umbler refused the webhook: a fault"), "{error}");
    api.behave(|behavior| behavior.refuses_with = Some(403));
    let error = registers(&hub).refuses(409, "webhook_not_created");
    assert!(error.to_string().contains("does not let this token"), "{error}");
    assert_eq!(webhooks(&api).len(), 0);
}

#[test]
fn only_admins_create_a_webhook() {
    let api = api();
    let hub = linked(&api, &[ADDRESS, ("JWT_SECRET", SECRET)]);
    let asks = |role: &str| {
        let bearer = format!("Bearer {}", token(json!({ "sub": "x", "role": role })));
        hub.provider().post_to("/api/umbler/link/webhook", &[("authorization", &bearer)], "")
    };
    for role in ["viewer", "agent", "supervisor"] {
        asks(role).refuses(403, "forbidden");
    }
    assert_eq!(webhooks(&api).len(), 0);
    assert_eq!(asks("admin").status, 200);
    assert_eq!(webhooks(&api).len(), 1);
}
