//! The description of the REST API, held against a running hub: what it allows is taken, what it does not is refused by
//! name, and every answer has the described fields and no other. `scripts/api-fuzz.sh` does the same with requests by
//! the thousand.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::support::{Answer, Delivery, Hub, fixture, fixtures, spawn_hub};

/// Where the validator finds the description; nothing is fetched.
const PLACE: &str = "file:///openapi.json";
/// A stream has no end, and the counters for Prometheus are no JSON.
const NO_JSON: [&str; 2] = ["/api/umbler/stream", "/metrics"];
/// What is refused although its form is right: other parameters, or the journal, decide.
const REFUSED_FOR_OTHERS: [&str; 4] = [
    "is only allowed with explain=true",
    "must name the one metric that is to be explained",
    "the journal has not reached this position",
    "is missing: since is a position in one epoch",
];

/// A hub that knows something of everything.
fn town() -> Hub {
    let hub = spawn_hub();
    let manifest = std::fs::read(fixtures().join("manifest.json")).expect("a manifest");
    let manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
    for known in manifest.as_array().expect("a list") {
        hub.provider().post(fixture(known["file"].as_str().expect("a name")));
    }
    for owner in ["ana", "bia"] {
        hub.provider().posts(&Delivery::message("a").owner(owner));
    }
    hub.names("ana", Some("Ana"), "none");
    hub
}

/// Every path that is read, with the row that describes it.
fn questions(document: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let paths = document["paths"].as_object().expect("paths").iter();
    paths.map(|(path, methods)| (path.as_str(), &methods["get"])).filter(|(_, row)| row.is_object())
}

/// The same path of something that is there.
fn real(path: &str) -> String {
    path.replace("/contacts/{id}", "/contacts/contact-of-a").replace("/chats/{id}", "/chats/a")
}

/// The parameters of a query that a row describes.
fn parameters(row: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let all = row["parameters"].as_array().into_iter().flatten();
    all.filter(|one| one["in"] == "query").map(|one| (one["name"].as_str().expect("a name"), &one["schema"]))
}

/// Values on either side of what a schema allows: the right ones, and the wrong ones.
fn sides(schema: &Value) -> (Vec<String>, Vec<String>) {
    let accents = |count: u64| "é".repeat(usize::try_from(count).expect("few"));
    let (mut right, mut wrong) = (Vec::new(), Vec::new());
    if let Some(words) = schema["enum"].as_array() {
        right.extend(words.iter().map(|word| word.as_str().expect("a word").to_owned()));
        wrong.extend(["", "no such word"].map(str::to_owned));
        wrong.push(right[0].to_uppercase());
    } else if schema["type"] == "integer" {
        let bound = |name: &str| i128::from(schema[name].as_i64().expect(name));
        right.extend([bound("minimum"), bound("maximum")].map(|number| number.to_string()));
        wrong.extend([bound("minimum") - 1, bound("maximum") + 1].map(|number| number.to_string()));
        wrong.extend(["", "one", "1.5", "0x1"].map(str::to_owned));
    } else if schema["format"] == "date-time" {
        right.extend(["2026-03-02T10:00:00Z", "2026-03-02t07:00:00.5-03:00"].map(str::to_owned));
        wrong.extend(
            ["", "yesterday", "2026-03-02", "2026-03-02T10:00:00", "2026-02-30T10:00:00Z"].map(str::to_owned),
        );
    } else if schema["pattern"].is_string() {
        wrong.extend(["", "?", "no such word"].map(str::to_owned));
    } else {
        right.push(accents(schema["maxLength"].as_u64().expect("a bound")));
        wrong.push(accents(schema["maxLength"].as_u64().expect("a bound") + 1));
        let empty = if schema["minLength"] == 1 { &mut wrong } else { &mut right };
        empty.push(String::new());
    }
    (right, wrong)
}

fn asked(hub: &Hub, path: &str, name: &str, value: &str) -> Answer {
    let beside = match name {
        // A stretch without an end ends now, and is too long for a beginning of years ago.
        "from" => "until=2026-03-09T10:00:00Z&",
        "q" => "",
        // `q` is the one parameter that must be given.
        _ if path == "/api/umbler/search" => "q=x&",
        _ => "",
    };
    let value: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
    hub.get(&format!("{}?{beside}{name}={value}", real(path)))
}

#[test]
fn every_described_bound_and_word_is_the_hubs_own() {
    let hub = town();
    let document = hub.json("/api/openapi.json");
    for (path, row) in questions(&document).filter(|(path, _)| path.starts_with("/api/umbler")) {
        for (name, schema) in parameters(row) {
            let (right, wrong) = sides(schema);
            for value in wrong {
                let error = asked(&hub, path, name, &value).refuses(400, "bad_parameter");
                assert_eq!(error["parameter"], name, "{path} {name}={value:?}: {error}");
            }
            for value in right.iter().filter(|_| !NO_JSON.contains(&path)) {
                let answer = asked(&hub, path, name, value);
                let is_about_others = || {
                    let error = answer.json()["error"]["message"].clone();
                    REFUSED_FOR_OTHERS.iter().any(|message| error == *message)
                };
                // 404: it was not there at that moment. 410: no other epoch is ours.
                let is_known = matches!(answer.status, 200 | 404 | 410) || is_about_others();
                assert!(is_known, "{path} {name}={value:?}: {answer:?}");
            }
        }
        asked(&hub, path, "nobodyDescribedThis", "1").refuses(400, "bad_parameter");
    }
}

/// The description, with every object closed: an undescribed field is an error here, and none to a client.
struct Closed {
    document: Value,
    compiler: boon::Compiler,
    schemas: boon::Schemas,
}

impl Closed {
    fn of(hub: &Hub) -> Self {
        let mut document = hub.json("/api/openapi.json");
        let parts = parts(&document["components"]["schemas"]);
        for (name, schema) in document["components"]["schemas"].as_object_mut().expect("schemas") {
            if !parts.contains(name) {
                close(schema);
            }
        }
        let mut compiler = boon::Compiler::new();
        compiler.set_default_draft(boon::Draft::V2020_12);
        compiler.enable_format_assertions();
        compiler.add_resource(PLACE, document.clone()).expect("JSON");
        Self { document, compiler, schemas: boon::Schemas::new() }
    }

    /// The answer has a status that is described for its call, and fits what is described of it.
    fn holds(&mut self, method: &str, path: &str, answer: &Answer) {
        let responses = &self.document["paths"][path][method]["responses"];
        let response = &responses[answer.status.to_string()];
        assert!(response.is_object(), "{method} {path} is not described to answer {answer:?}");
        let escaped = path.replace('~', "~0").replace('/', "~1");
        let place = format!(
            "{PLACE}#/paths/{escaped}/{method}/responses/{}/content/application~1json/schema",
            answer.status
        );
        let place = place.replace('{', "%7B").replace('}', "%7D");
        let index =
            self.compiler.compile(&place, &mut self.schemas).unwrap_or_else(|error| panic!("{error:#}"));
        let body = answer.json();
        if let Err(error) = self.schemas.validate(&body, index) {
            panic!("{method} {path}: {error}\n{body:#}");
        }
    }
}

/// The names of schemas that others are put together of: closed, they would refuse each other's fields.
fn parts(schemas: &Value) -> BTreeSet<String> {
    let wholes = schemas.as_object().expect("schemas").values();
    let parts = wholes.flat_map(|schema| schema["allOf"].as_array().into_iter().flatten());
    let names = parts.filter_map(|part| part["$ref"].as_str()?.rsplit('/').next());
    names.map(str::to_owned).collect()
}

/// Nothing but the described fields.
fn close(schema: &mut Value) {
    if schema["allOf"].is_array() {
        schema["unevaluatedProperties"] = json!(false);
    } else if schema["properties"].is_object() {
        schema["additionalProperties"] = json!(false);
    }
}

/// Questions that are answered in another form than the plain one.
const OTHER_FORMS: [(&str, &str); 8] = [
    ("/api/umbler/chats", "at=2026-03-02T13:00:00Z"),
    ("/api/umbler/contacts", "limit=1"),
    ("/api/umbler/search", "q=ana"),
    ("/api/umbler/messages", "limit=200"),
    ("/api/umbler/metrics/summary", "from=2026-01-01T00:00:00Z&until=2026-12-31T00:00:00Z&compare=true"),
    (
        "/api/umbler/metrics/summary",
        "from=2026-01-01T00:00:00Z&until=2026-12-31T00:00:00Z&explain=true&metric=replyTime",
    ),
    ("/api/umbler/metrics/live", "by=agent"),
    ("/api/umbler/metrics/live", "explain=true&metric=open"),
];

#[test]
fn every_answer_has_the_described_fields_and_no_other() {
    let hub = town();
    let mut described = Closed::of(&hub);
    let document = described.document.clone();
    for (path, _) in questions(&document).filter(|(path, _)| !NO_JSON.contains(path)) {
        let query = if path == "/api/umbler/search" { "?q=a" } else { "" };
        described.holds("get", path, &hub.get(&format!("{}{query}", real(path))));
        if path.starts_with("/api/umbler") {
            described.holds("get", path, &hub.get(&format!("{}?no=1", real(path))));
        }
        if path.contains("{id}") {
            described.holds("get", path, &hub.get(&path.replace("{id}", "nobody's")));
        }
    }
    for (path, query) in OTHER_FORMS {
        let answer = hub.get(&format!("{path}?{query}"));
        assert_eq!(answer.status, 200, "{path}?{query}: {answer:?}");
        described.holds("get", path, &answer);
    }
    write_everything(&hub, &mut described);
}

/// Each call that changes something, taken and refused.
fn write_everything(hub: &Hub, described: &mut Closed) {
    let (json, csv) = ([("content-type", "application/json")], [("content-type", "text/csv")]);
    let settings = hub.json("/api/umbler/settings")["settings"].clone();
    for body in [settings, json!({}), json!([])] {
        described.holds("put", "/api/umbler/settings", &hub.put("/api/umbler/settings", &json, &body));
    }
    let member = "/api/umbler/members/{id}";
    for body in [json!({ "name": "Zoé", "photoUrl": null, "sectorId": "" }), json!({ "name": " " })] {
        described.holds("put", member, &hub.put("/api/umbler/members/zoe", &json, &body));
    }
    for _ in 0..2 {
        described.holds("delete", member, &hub.delete("/api/umbler/members/zoe", &[]));
    }
    for (path, headers, right, wrong) in [
        ("/api/umbler/webhook", &[][..], Delivery::message("new").bytes(), b"nonsense".to_vec()),
        ("/api/umbler/members/import", &csv[..], b"id,name\nleo,Leo\n".to_vec(), b"nonsense".to_vec()),
        (
            "/api/umbler/notify",
            &json[..],
            br#"{"user":"ana","data":null}"#.to_vec(),
            br#"{"user":""}"#.to_vec(),
        ),
        ("/api/umbler/revocations", &json[..], br#"{"user":"eve"}"#.to_vec(), br#"{"user":7}"#.to_vec()),
    ] {
        let taken = hub.provider().post_to(path, headers, right);
        assert_eq!(taken.status, 200, "{path}: {taken:?}");
        described.holds("post", path, &taken);
        described.holds("post", path, &hub.provider().post_to(path, headers, wrong));
    }
    let untyped = hub.provider().post_to("/api/umbler/notify", &[("content-type", "text/plain")], "{}");
    described.holds("post", "/api/umbler/notify", &untyped);
    let acknowledged = hub.provider().post_to("/api/umbler/alerts/none/acknowledge", &[], "");
    described.holds("post", "/api/umbler/alerts/{id}/acknowledge", &acknowledged);
}

/// Objects of a schema, and of those that it names, that allow fields which are not described.
fn open_objects(document: &Value, schema: &Value, at: &str, found: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().expect("a name");
        return open_objects(document, &document["components"]["schemas"][name], name, found);
    }
    let is_object = schema["properties"].is_object();
    if is_object && schema["additionalProperties"] != false {
        found.push(at.to_owned());
    }
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        open_objects(document, inner, &format!("{at}.{name}"), found);
    }
    for kind in ["items", "additionalProperties"].iter().filter(|kind| schema[**kind].is_object()) {
        open_objects(document, &schema[*kind], at, found);
    }
    for kind in ["oneOf", "anyOf", "allOf"] {
        for inner in schema[kind].as_array().into_iter().flatten() {
            open_objects(document, inner, at, found);
        }
    }
}

#[test]
fn a_field_that_a_body_may_not_have_is_allowed_by_no_description() {
    let document = spawn_hub().json("/api/openapi.json");
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for row in methods.as_object().expect("methods").values() {
            // What the provider adds is stored, and no error.
            let body = &row["requestBody"]["content"]["application/json"]["schema"];
            if !body.is_null() && path != "/api/umbler/webhook" {
                open_objects(&document, body, path, &mut found);
            }
        }
    }
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn every_part_of_a_path_that_callers_fill_in_is_described_by_its_name() {
    let document = spawn_hub().json("/api/openapi.json");
    for (path, methods) in document["paths"].as_object().expect("paths") {
        let open = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let open: Vec<&str> = open.collect();
        for (method, row) in methods.as_object().expect("methods") {
            let told = row["parameters"].as_array().into_iter().flatten().filter(|one| one["in"] == "path");
            let told: Vec<&str> = told.map(|one| one["name"].as_str().expect("a name")).collect();
            assert_eq!(told, open, "{method} {path}");
        }
    }
}

#[test]
fn every_call_has_a_name_of_its_own() {
    let hub = spawn_hub();
    let document = hub.json("/api/openapi.json");
    let calls = document["paths"].as_object().expect("paths").values();
    let names: Vec<&str> = calls
        .flat_map(|methods| methods.as_object().expect("methods").values())
        .map(|row| row["operationId"].as_str().expect("a name"))
        .collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
}

#[test]
fn a_hub_names_its_own_time_zone_as_the_one_that_settings_may_name() {
    let hub = super::support::hub_with(&[("TIMEZONE", "America/Manaus")]);
    let document = hub.json("/api/openapi.json");
    let field = &document["components"]["schemas"]["SettingsRequest"]["properties"]["timeZone"];
    assert_eq!(field["enum"], json!(["America/Manaus"]));
}

#[test]
fn no_bytes_in_a_path_make_the_hub_fail_or_answer_anything_but_json() {
    let hub = spawn_hub();
    for odd in [
        "%00",
        "%FF",
        "%C3%28",
        "%F0%9F%98%80",
        "%2F",
        "%2e%2e",
        "%",
        "%zz",
        "a%0d%0ab",
        "%25",
        "'",
        "*",
        "a;b",
    ] {
        for path in [
            "contacts/{}",
            "contacts/{}/chats",
            "chats/{}",
            "chats/{}/messages",
            "chats/{}/timeline",
            "{}",
            "metrics/{}",
        ] {
            let answer = hub.get(&format!("/api/umbler/{}", path.replace("{}", odd)));
            answer.refuses(404, "not_found");
        }
    }
}

#[test]
fn nothing_that_is_posted_to_the_webhook_makes_the_hub_fail() {
    let hub = spawn_hub();
    let whole = fixture("01_message_text_contact.json");
    let mut bodies: Vec<Vec<u8>> = vec![
        vec![],
        vec![0],
        vec![0xff; 64],
        b"null".to_vec(),
        b"\"\\ud800\"".to_vec(),
        br#"{"EventId":"\ud800","Type":"Message"}"#.to_vec(),
        br#"{"EventId":"a\u0000b","Type":"Message","Payload":{}}"#.to_vec(),
        br#"{"EventId":"e1","EventId":"e2","Type":"Message","Payload":null}"#.to_vec(),
        br#"{"EventId":"e3","Type":"Message","EventDate":"+999999-12-31T23:59:59Z","Payload":{"Content":{}}}"#.to_vec(),
        br#"{"EventId":"e4","Type":"Message","EventDate":1e400}"#.to_vec(),
        [b"{\"a\":".repeat(5_000), b"1".to_vec(), b"}".repeat(5_000)].concat(),
    ];
    bodies.extend((0..whole.len()).step_by(41).map(|end| whole[..end].to_vec()));
    // Each body is wrong in one byte; which ones does not depend on chance.
    bodies.extend((0..whole.len()).step_by(17).map(|place| {
        let mut wrong = whole.clone();
        wrong[place] = wrong[place].wrapping_mul(31).wrapping_add(7);
        wrong
    }));
    for body in bodies {
        let answer = hub.provider().post(&body);
        assert!([200, 400].contains(&answer.status), "{answer:?} to {}", String::from_utf8_lossy(&body));
    }
    assert_eq!(hub.json("/health")["writable"], true);
}
