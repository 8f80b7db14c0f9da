//! Inputs as people and their programs write them: settings files, secrets in addresses, tokens, entity tags, tables.

use std::path::PathBuf;
use std::process::Output;

use serde_json::{Value, json};

use super::support::hub::{Answer, command, refuses_to_serve, start_in};
use super::support::keys::{SECRET, key_pair, now, token};
use super::support::{Delivery, Hub, hub_with, spawn_hub};

const WEBHOOK: &str = "/api/umbler/webhook";

/// An input that showed a fault.
fn input(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/faults").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Posts every delivery of such an input.
fn post_all(hub: &Hub, name: &str) {
    let text = String::from_utf8(input(name)).expect("text");
    for line in text.lines() {
        assert_eq!(hub.provider().post(line).status, 200, "{line}");
    }
}

fn status_with(hub: &Hub, address: &str) -> u16 {
    hub.provider().post_to(address, &[], Delivery::message("a").bytes()).status
}

#[test]
fn a_secret_with_a_plus_is_taken_as_it_was_pasted_into_the_address() {
    let hub = hub_with(&[("WEBHOOK_SECRET", "uma+chave+longa+de+teste")]);
    for (written, status) in [
        ("uma+chave+longa+de+teste", 200),
        ("uma%2Bchave%2Blonga%2Bde%2Bteste", 200),
        ("uma%20chave%20longa%20de%20teste", 401),
        ("uma-chave-longa-de-teste", 401),
    ] {
        assert_eq!(status_with(&hub, &format!("{WEBHOOK}?token={written}")), status, "{written}");
    }
    let hub = hub_with(&[("WEBHOOK_SECRET", "uma chave longa de teste")]);
    assert_eq!(
        status_with(&hub, &format!("{WEBHOOK}?token=uma+chave+longa+de+teste")),
        200,
        "a form's space"
    );
}

#[test]
fn a_secret_that_an_address_would_change_is_warned_of_at_start() {
    for (secret, is_warned) in [("abc+def+ghi+jkl+mno", false), ("abc&def#ghi%20jkl-mno", true)] {
        let hub = hub_with(&[("WEBHOOK_SECRET", secret)]);
        let log = hub.log();
        assert_eq!(log.contains("WEBHOOK_SECRET has characters"), is_warned, "{log}");
        assert!(!log.contains(secret), "{log}");
    }
}

#[test]
fn a_slash_at_the_end_of_the_webhooks_address_changes_nothing() {
    let hub = hub_with(&[("WEBHOOK_SECRET", "a-secret-of-the-webhook")]);
    assert_eq!(status_with(&hub, &format!("{WEBHOOK}/?token=a-secret-of-the-webhook")), 200);
    assert_eq!(status_with(&hub, &format!("{WEBHOOK}/")), 401, "the secret is asked for there too");
    let read = hub.get(&format!("{WEBHOOK}/"));
    assert_eq!((read.status, read.header("allow")), (405, Some("POST")));
    assert_eq!(hub.json("/health")["seq"], 1);
}

#[test]
fn a_token_of_the_largest_moment_of_another_platform_counts() {
    let hub = hub_with(&[("JWT_SECRET", SECRET)]);
    let asks = |claims: Value| {
        let bearer = format!("Bearer {}", token(claims));
        hub.get_with("/api/umbler/stats", &[("authorization", &bearer)])
    };
    for exp in [
        json!(253_402_300_799_i64),
        json!(8_640_000_000_000_i64),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(1e300),
    ] {
        assert_eq!(asks(json!({ "sub": "ana", "exp": exp })).status, 200, "exp {exp}");
    }
    let soon = json!(f64::from(u32::try_from(now()).expect("before 2106")) + 3_600.25);
    assert_eq!(asks(json!({ "sub": "ana", "exp": soon })).status, 200, "a fraction");
    let least = json!(-62_135_596_800_i64);
    assert_eq!(asks(json!({ "sub": "ana", "nbf": least, "iat": least })).status, 200, "the year 1");
    for (name, wrong) in [("exp", json!(-1e300)), ("nbf", json!(1e300)), ("exp", json!("1e300"))] {
        let mut claims = json!({ "sub": "ana" });
        claims[name] = wrong;
        asks(claims).refuses(401, "unauthorized");
    }
    // The session's timers take it, too.
    let mut screen = hub.screen().signed_in(&token(json!({ "sub": "ana", "exp": u64::MAX })));
    screen.says("ping", json!({}));
    screen.hears("pong");
}

#[test]
fn a_key_that_is_too_short_to_check_tokens_is_refused_at_start_and_by_the_check() {
    let folder = tempfile::tempdir().expect("a folder");
    let start = |bits: &str| {
        let (_, public) = key_pair(folder.path(), &["-algorithm", "RSA", "-pkeyopt", bits]);
        let key = public.to_str().expect("a plain path").to_owned();
        command(folder.path()).env("JWT_PUBLIC_KEY", key).args(["check"]).output().expect("the tool runs")
    };
    let (_, public) = key_pair(folder.path(), &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"]);
    let (code, said) = refuses_to_serve(command(folder.path()).env("JWT_PUBLIC_KEY", public));
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("JWT_PUBLIC_KEY: an RSA key must have 2048 bits or more"), "{said}");
    let refused = start("rsa_keygen_bits:1024");
    assert!(!refused.status.success());
    assert!(
        text(&refused).contains("JWT_PUBLIC_KEY: an RSA key must have 2048 bits or more"),
        "{}",
        text(&refused)
    );
    let taken = start("rsa_keygen_bits:2048");
    assert!(taken.status.success(), "{}", text(&taken));
}

#[test]
fn settings_saved_through_a_proxy_that_weakens_entity_tags_are_saved() {
    const PATH: &str = "/api/umbler/settings";
    let hub = spawn_hub();
    let settings = hub.json(PATH)["settings"].clone();
    let puts_if = |tag: &str, minutes: u16| -> Answer {
        let mut changed = settings.clone();
        changed["idleMinutes"] = json!(minutes);
        hub.put(PATH, &[("if-match", tag)], &changed)
    };
    for (minutes, tag) in
        (1..).zip(["W/\"0\"", "\"1-gzip\"", "\"7\", W/\"2\" , \"x\"", "\"3\"", "\"a, b\",\"4\"", "*"])
    {
        let saved = puts_if(tag, minutes);
        assert_eq!((saved.status, saved.json()["seq"].as_u64()), (200, Some(minutes.into())), "{tag}");
    }
    for other in ["W/\"5\"", "\"1\", W/\"2\"", "\"x\"", "\"5-gzip\"", "4", "\"\"", "\"6", "W/6", ""] {
        puts_if(other, 30).refuses(412, "settings_changed");
    }
    assert_eq!(hub.json(PATH)["seq"], 6, "nothing else was saved");
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// What `check` says of a `.env` with this content.
fn checked(content: &[u8]) -> (bool, String) {
    let home = tempfile::tempdir().expect("a folder");
    std::fs::write(home.path().join(".env"), content).expect("written");
    let output =
        command(home.path()).env("HOME", "/home/somebody").arg("check").output().expect("the tool runs");
    (output.status.success(), text(&output))
}

#[test]
fn a_settings_file_is_taken_as_people_write_it() {
    let content = "\u{feff}TIMEZONE=America/Manaus\r\n# a comment\r\n\r\n  export MAX_SESSIONS = 7  # a few\r\n\
        BUSINESS_HOURS=Mon-Fri 08:00-12:00,13:00-18:00; Sat 09:00-12:00\r\nJWT_ISSUER=abc$HOME\r\n\
        JWT_AUDIENCE=\"x ${HOME} \\\"y\\\"\"\r\nFRONTEND_URL='https://a.example'\r\nOTHERS=it's\r\n\
        DASHBOARD_DIR=a#b\"c\r\n";
    let (is_good, said) = checked(content.as_bytes());
    assert!(is_good, "{said}");
    let line = |name: &str| {
        said.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name}: {said}"))
    };
    for (name, value) in [
        ("TIMEZONE", "America/Manaus"),
        ("MAX_SESSIONS ", "7"),
        ("BUSINESS_HOURS", "Mon-Fri 08:00-12:00,13:00-18:00; Sat 09:00-12:00"),
        ("JWT_ISSUER", "abc$HOME"),
        ("JWT_AUDIENCE", "x ${HOME} \"y\""),
        ("FRONTEND_URL", "https://a.example"),
        ("DASHBOARD_DIR", "a#b\"c"),
    ] {
        assert!(line(name).ends_with(&format!(" {value}  [.env]")), "{name}: {said}");
    }
}

#[test]
fn a_secret_in_a_settings_file_is_the_one_that_stands_there() {
    let home = tempfile::tempdir().expect("a folder");
    std::fs::write(home.path().join(".env"), "WEBHOOK_SECRET=abc$HOME-def$0-ghi${X}\n").expect("written");
    let hub = start_in(home);
    let sent = format!("{WEBHOOK}?token=abc$HOME-def$0-ghi$%7BX%7D");
    assert_eq!((status_with(&hub, &sent), status_with(&hub, WEBHOOK)), (200, 401));
    let marked = hub.home().join("secret.txt");
    std::fs::write(&marked, "\u{feff}a-secret-with-a-mark\r\n").expect("written");
    let hub = hub_with(&[("WEBHOOK_SECRET_FILE", marked.to_str().expect("a plain path"))]);
    assert_eq!(status_with(&hub, &format!("{WEBHOOK}?token=a-secret-with-a-mark")), 200);
}

#[test]
fn what_is_wrong_in_a_settings_file_is_named_by_line_and_variable_without_its_value() {
    for (content, named) in [
        (&b"PORT=0\n\nJWT_SECRET=\"hunter2\n"[..], "line 3, JWT_SECRET: the quotation mark \" is not closed"),
        (b"JWT_SECRET='hunter2", "line 1, JWT_SECRET: the quotation mark ' is not closed"),
        (b"# x\nJWT_SECRET=\"hunter2\" hunter3\n", "line 2, JWT_SECRET: "),
        (b"JWT_SECRET=C:\\hunter2\\x\n", "line 1, JWT_SECRET: "),
        (b"PORT=0\nhunter2\n", "line 2: is not NAME=value"),
        (b"PORT=0\nMY SECRET=hunter2\n", "line 2: the part before = is not a name"),
        (b"PORT=0\nJWT_SECRET=hunter2\xe9\n", "line 2: is not UTF-8"),
        (b"A=\"x\ny\"\nhunter2\n", "line 3: is not NAME=value"),
    ] {
        let (is_good, said) = checked(content);
        assert!(!is_good && said.contains(named), "{named}: {said}");
        assert!(!said.contains("hunter"), "{said}");
    }
    let home = tempfile::tempdir().expect("a folder");
    std::fs::write(home.path().join(".env"), "hunter2\nJWT_SECRET='\n").expect("written");
    let (code, said) = refuses_to_serve(&mut command(home.path()));
    assert_eq!(code, Some(2));
    assert!(said.contains("line 1: ") && said.contains("line 2, JWT_SECRET: "), "all at once: {said}");
}

fn imports(hub: &Hub, table: impl AsRef<[u8]>) -> Answer {
    hub.provider().post_to("/api/umbler/members/import", &[("content-type", "text/csv")], table)
}

#[test]
fn a_table_of_agents_is_taken_as_a_spreadsheet_saves_it() {
    for (name, table) in [
        ("blank rows", input("members-blank-rows.csv")),
        ("a line that names the separator", b"sep=;\r\nid;name\r\nmem2;Bia\r\n".to_vec()),
        ("the same in capitals, of tabs", b"\xef\xbb\xbfSEP=\t\r\nid\tname\r\nmem2\tBia, B; x\r\n".to_vec()),
        ("tabs", b"id\tname\r\nmem2\tBia\r\n".to_vec()),
        ("an empty last column", b"id;name;\r\nmem2;Bia;\r\n".to_vec()),
        ("cells that are left off at the end", b"id,name,photoUrl,sectorId\nmem2,Bia\n".to_vec()),
        ("blank rows before the header", b";;\r\n\r\nid;name;\r\nmem2;Bia;\r\n  ; ;\r\n".to_vec()),
    ] {
        let hub = spawn_hub();
        let answer = imports(&hub, table);
        assert_eq!(
            (answer.status, answer.json()["entries"].as_i64()),
            (200, Some(1)),
            "{name}: {}",
            answer.text
        );
        let member = hub.json("/api/umbler/members")["members"][0].clone();
        assert_eq!((&member["id"], &member["photoUrl"]), (&json!("mem2"), &Value::Null), "{name}");
    }
    let hub = spawn_hub();
    let wrong = imports(&hub, "sep=;\r\nid;name;\r\n;;\r\nb;;\r\nc;Caio;x\r\nd;Duda;;y\r\n")
        .refuses(400, "bad_request");
    assert_eq!(
        wrong["message"],
        "line 4: name is missing; line 5: has a value in a column without a name; line 6: has a value in a column without a name"
    );
}

/// What any program takes for the beginning of a cell, whichever separator it goes by.
fn cells(table: &str) -> impl Iterator<Item = &str> {
    table
        .split([';', ',', '\t', '|', '\n', '\r'])
        .map(|cell| cell.trim_start().trim_start_matches(['"', ' ']))
}

#[test]
fn a_name_made_by_a_stranger_is_a_formula_in_no_spreadsheet() {
    let hub = spawn_hub();
    post_all(&hub, "csv-semicolon-formula.ndjson");
    for (chat, name) in [
        ("f1", "=1+1"),
        ("f2", " \"\t=1+1"),
        ("f3", "Ana\n+1;\r-1,@x|=y"),
        ("f4", "\u{ff1d}1+1;\u{ff0b}1;\u{ff0d}1;\u{ff20}x"),
        ("f5", "\u{feff}\u{200b}=1+1;\"\"=2"),
    ] {
        hub.provider().posts(&Delivery::message(chat).set("/Payload/Content/Contact/Name", json!(name)));
    }
    hub.caught_up_metrics();
    for more in ["", "&separator=comma", "&separator=semicolon"] {
        let answer = hub.get(&format!("/api/umbler/metrics/live?explain=true&metric=open&format=csv{more}"));
        assert_eq!(answer.status, 200, "{}", answer.text);
        for cell in cells(&answer.text) {
            assert!(
                !cell.starts_with(['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}']),
                "{cell:?}: {}",
                answer.text
            );
        }
        assert!(answer.text.contains("Ana;'=1+1;") && answer.text.contains("José Ação"), "{}", answer.text);
    }
}

#[test]
fn a_table_opens_in_a_brazilian_spreadsheet_with_its_columns_apart_and_its_accents_whole() {
    let hub = spawn_hub();
    hub.provider().says("a", "oi");
    hub.caught_up_metrics();
    let head = |more: &str, language: Option<&str>| {
        let headers: Vec<(&str, &str)> =
            language.into_iter().map(|language| ("accept-language", language)).collect();
        let path = format!("/api/umbler/metrics/live?by=sector&format=csv{more}");
        let answer = hub.get_with(&path, &headers);
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.text.chars().take_while(|c| *c != 'o').collect::<String>()
    };
    let (plain, comma, semicolon) = ("id,name,", "\u{feff}id,name,", "\u{feff}id;name;");
    for (more, language, expected) in [
        ("", None, plain),
        ("", Some("*"), plain),
        ("", Some("pt-BR,pt;q=0.9,en;q=0.8"), semicolon),
        ("", Some("en-US,pt-BR;q=0.9"), comma),
        ("", Some("en;q=0.1, PT"), semicolon),
        ("", Some("de"), semicolon),
        ("&separator=comma", Some("pt-BR"), comma),
        ("&separator=semicolon", None, semicolon),
        ("&separator=semicolon", Some("en"), semicolon),
    ] {
        assert_eq!(head(more, language), expected, "{more} {language:?}");
    }
    let wrong = hub.get("/api/umbler/metrics/live?by=sector&format=csv&separator=%3B");
    assert_eq!(wrong.refuses(400, "bad_parameter")["parameter"], "separator");
    // A table as it was saved, brought back.
    let guarded = imports(&hub, "\u{feff}id;name\r\n'-abc;'=Ana\r\n");
    assert_eq!(guarded.status, 200, "{}", guarded.text);
    let member = hub.json("/api/umbler/members?known=true")["members"][0].clone();
    assert_eq!((&member["id"], &member["name"]), (&json!("-abc"), &json!("=Ana")));
}
