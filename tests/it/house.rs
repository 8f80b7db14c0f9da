//! House rules that no compiler checks: the order of the rooms, and tables that stand in code and in documents.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use umbler_hub::facade::wire::{
    AwayReason, Change, ClientEvent, CloseCode, ErrorCode, FaultKind, HubState, ServerEvent,
};

/// Lines of the longest file that still has one subject.
const LINES_MAX: usize = 400;
/// Words of a doc comment that mostly repeats the name below it. No comment is better than an echo.
const SHORT_WORDS: usize = 4;
/// Comments of so few words that may stay, because some names need only a unit or a format.
const SHORT_COMMENTS_MAX: usize = 100;

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let rust = files.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    rust.chain(folders.iter().flat_map(|folder| sources(folder))).collect()
}

pub fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The rooms in the order of `lib.rs`.
fn rooms() -> Vec<String> {
    let lib = text(&root().join("src/lib.rs"));
    lib.lines().filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';')).map(str::to_owned).collect()
}

/// Every `crate::room` that a line names.
fn named_rooms(line: &str) -> impl Iterator<Item = &str> {
    line.split("crate::")
        .skip(1)
        .map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or(""))
}

#[test]
fn a_room_imports_only_from_rooms_before_it() {
    let rooms = rooms();
    assert!(rooms.len() >= 9, "{rooms:?}");
    let place = |room: &str| rooms.iter().position(|known| known == room);
    let mut broken = Vec::new();
    for path in sources(&root().join("src")) {
        let inside = path.strip_prefix(root().join("src")).expect("a source");
        let room = inside.iter().next().expect("a name").to_string_lossy().replace(".rs", "");
        let Some(own) = place(&room) else { continue };
        for line in text(&path).lines().filter(|line| !line.trim_start().starts_with("//")) {
            for named in named_rooms(line).filter(|named| place(named).is_some_and(|other| other > own)) {
                broken.push(format!("{} imports from {named}", inside.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn actix_web_actors_is_used_in_the_session_room_only() {
    for path in sources(&root().join("src")) {
        let used = text(&path)
            .lines()
            .any(|line| !line.trim_start().starts_with("//") && line.contains("actix_web_actors"));
        assert!(!used || path.starts_with(root().join("src/session")), "{}", path.display());
    }
}

/// On whose behalf each file asks the reader threads, which serve askers in turn. What is asked for a user or for screens must
/// say so: as a question of the hub it would wait for no turn, and hold up everybody else.
const ASKERS: [(&str, &str, usize, &str); 11] = [
    ("http/caller.rs", "User", 1, "every handler asks through it"),
    ("http/health.rs", "Hub", 1, "for Prometheus, which is no user"),
    ("hub/push.rs", "Screens", 1, "snapshots, which all screens of a scope share"),
    ("hub/push.rs", "User", 1, "what a session plays back"),
    ("hub/push.rs", "Hub", 3, "updates and counters that go to many; sessions that have ended"),
    ("hub/others.rs", "Hub", 1, "chats that other hubs look at"),
    ("hub/states/boards.rs", "Hub", 2, "boards, which are made once for all"),
    ("app/daily_report.rs", "Hub", 1, "a mail that nobody waits for"),
    ("app/retention.rs", "Hub", 4, "what is too old"),
    ("link/archive.rs", "Hub", 1, "what is missing"),
    ("reads/daily_report.rs", "Hub", 3, "a mail that nobody waits for"),
];

#[test]
fn what_is_asked_for_a_user_takes_that_users_turn() {
    let mut found: BTreeMap<(String, String), usize> = BTreeMap::new();
    for path in sources(&root().join("src")) {
        let inside = path.strip_prefix(root().join("src")).expect("a source").display().to_string();
        if inside.contains("tests") {
            continue;
        }
        let all = text(&path);
        // Tests at the end of a file ask as they like.
        let code = all.split("#[cfg(test)]").next().unwrap_or_default();
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for named in line.split("Asker::").skip(1) {
                let kind = named.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
                *found.entry((inside.clone(), kind.to_owned())).or_default() += 1;
            }
        }
    }
    let known =
        ASKERS.iter().map(|(file, kind, count, _)| (((*file).to_owned(), (*kind).to_owned()), *count));
    assert_eq!(found, known.collect());
}

/// Rooms in which what a record does is decided: the same records must do the same everywhere and always.
const APPLYING: [&str; 4] = ["domain", "protocol", "umbler", "journal"];
/// Their files that decide nothing of it, and why they read a clock or take random numbers.
const NOT_APPLYING: [(&str, &str); 4] = [
    ("journal/copies.rs", "a copy rests as long as it works"),
    ("journal/record.rs", "a record gets its id before it is applied"),
    ("journal/schema.rs", "an epoch is drawn when a history begins"),
    ("journal/writer.rs", "it measures how long a commit takes"),
];
/// What depends on the machine or on the moment.
const NOT_REPEATABLE: [&str; 9] = [
    "clock::",
    "Timestamp::now",
    "Zoned::now",
    "Instant::now",
    ".elapsed()",
    "SystemTime",
    "rand::",
    "std::env",
    "config::",
];

#[test]
fn applying_a_record_reads_no_clock_no_chance_and_no_setting() {
    let src = root().join("src");
    let mut used: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for path in APPLYING.iter().flat_map(|room| sources(&src.join(room))) {
        let text = text(&path);
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        let words: Vec<&str> = NOT_REPEATABLE.into_iter().filter(|word| code.contains(word)).collect();
        if !words.is_empty() {
            let inside = path.strip_prefix(&src).expect("a source").to_string_lossy().into_owned();
            used.insert(inside, words);
        }
    }
    for (file, why) in NOT_APPLYING {
        assert!(used.remove(file).is_some(), "{file} is no exception any more: {why}");
    }
    assert!(used.is_empty(), "what a record does may not depend on these: {used:#?}");
}

#[test]
fn a_file_says_what_it_is_for_and_has_one_subject() {
    for path in ["src", "tests", "benches"].iter().flat_map(|folder| sources(&root().join(folder))) {
        let text = text(&path);
        assert!(text.starts_with("//!"), "{} does not say what it is for", path.display());
        let lines = text.lines().count();
        assert!(lines <= LINES_MAX, "{} has {lines} lines", path.display());
    }
}

/// The type that a line defines for other files, if it does.
fn defined_type(line: &str) -> Option<&str> {
    let line = line.trim_start().strip_prefix("pub")?;
    let line = if line.starts_with('(') { line.split_once(')')?.1 } else { line };
    let mut words = line.trim_start().split(|c: char| !c.is_alphanumeric() && c != '_');
    let kind = words.next()?;
    ["struct", "enum", "trait", "type"].contains(&kind).then(|| words.next()).flatten()
}

#[test]
fn a_type_that_other_files_see_has_a_name_of_its_own() {
    let mut found: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for path in sources(&root().join("src")) {
        for name in text(&path).lines().filter_map(defined_type) {
            found.entry(name.to_owned()).or_default().push(path.clone());
        }
    }
    assert!(found.len() > 300, "{}", found.len());
    found.retain(|_, paths| paths.len() > 1);
    assert!(found.is_empty(), "one word has one meaning (docs/glossary.md): {found:#?}");
}

/// The words of each doc comment of an item in a file.
fn doc_comments(text: &str) -> Vec<usize> {
    let (mut comments, mut words) = (Vec::new(), None);
    for line in text.lines().chain([""]) {
        if let Some(comment) = line.trim_start().strip_prefix("///") {
            words = Some(words.unwrap_or(0) + comment.split_whitespace().count());
        } else {
            comments.extend(words.take());
        }
    }
    comments
}

#[test]
fn few_doc_comments_are_too_short_to_say_more_than_a_name() {
    let comments: Vec<usize> =
        sources(&root().join("src")).iter().flat_map(|path| doc_comments(&text(path))).collect();
    let short = comments.iter().filter(|words| **words <= SHORT_WORDS).count();
    assert!(short < SHORT_COMMENTS_MAX, "{short} of {} doc comments", comments.len());
}

/// The first cells of the tables under a heading of `docs/protocol.md`, without their backticks.
fn documented(heading: &str) -> BTreeSet<String> {
    let protocol = text(&root().join("docs/protocol.md"));
    let lines = protocol
        .lines()
        .skip_while(|line| line.trim_start_matches('#').trim() != heading || !line.starts_with('#'));
    let rows = lines.skip(1).take_while(|line| !line.starts_with('#')).filter(|line| line.starts_with("| "));
    let cells =
        rows.filter_map(|row| row.split('|').nth(1)).map(|cell| cell.trim().trim_matches('`').to_owned());
    // The first row is the table's head.
    let rows: BTreeSet<String> = cells.skip(1).collect();
    assert!(!rows.is_empty(), "no table under {heading:?}");
    rows
}

fn table<T: ToString>(items: impl IntoIterator<Item = T>) -> BTreeSet<String> {
    items.into_iter().map(|item| item.to_string()).collect()
}

#[test]
fn the_documented_protocol_is_the_one_in_the_code() {
    assert_eq!(documented("What a client says"), table(ClientEvent::ALL.map(ClientEvent::as_str)));
    assert_eq!(documented("What the hub says"), table(ServerEvent::ALL.map(ServerEvent::as_str)));
    assert_eq!(documented("The state of the hub"), table(HubState::ALL.map(HubState::as_str)));
    assert_eq!(documented("Why a session is sent away"), table(AwayReason::ALL.map(AwayReason::as_str)));
    assert_eq!(documented("Why the hub cannot write"), table(FaultKind::ALL.map(FaultKind::as_str)));
    assert_eq!(documented("Updates"), table(Change::ALL.map(Change::as_str)));
    assert_eq!(documented("Error codes"), table(ErrorCode::ALL.map(ErrorCode::as_str)));
    assert_eq!(documented("Close codes"), table(CloseCode::ALL.map(CloseCode::number)));
}

#[test]
fn the_document_says_of_each_code_what_the_code_does() {
    let protocol = text(&root().join("docs/protocol.md"));
    for code in ErrorCode::ALL {
        let row = protocol
            .lines()
            .find(|line| line.starts_with(&format!("| `{}` |", code.as_str())))
            .expect("a row");
        let temporary = if code.is_temporary() { "| yes |" } else { "| no |" };
        assert!(row.ends_with(temporary), "{row}");
    }
    for code in CloseCode::ALL {
        let row = format!("| {} | {} |", code.number(), code.reason());
        assert!(protocol.contains(&row), "{row}");
    }
}

/// What stands between two backticks, one after the other.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_documented_limit_is_in_the_code_and_its_test_exists() {
    let document = text(&root().join("docs/architecture.md"));
    let limits = document.split("\n## Limits").nth(1).expect("the limits");
    let limits = limits.split("\n## ").next().expect("their end");
    let rows: Vec<Vec<&str>> = limits
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| limit "))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    assert!(rows.len() > 30, "{}", rows.len());
    let code: Vec<String> = ["src", "tests"]
        .iter()
        .flat_map(|folder| sources(&root().join(folder)))
        .map(|path| text(&path))
        .collect();
    for row in rows {
        let [file, name] = quoted(row[3])[..] else { panic!("{row:?} does not say where") };
        assert!(text(&root().join(file)).contains(&format!("const {name}: ")), "{file} has no {name}");
        for test in quoted(row[4]) {
            assert!(code.iter().any(|text| text.contains(&format!("fn {test}("))), "no test {test}");
        }
    }
}

#[test]
fn every_failure_of_a_cluster_is_shown_by_a_test_that_exists() {
    let document = text(&root().join("docs/cluster.md"));
    let section = document.split("\n## Which test shows it").nth(1).expect("the table");
    let section = section.split("\n## ").next().expect("its end");
    let rows: Vec<&str> = section.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert!(rows.len() > 15, "{}", rows.len());
    let code: Vec<String> = sources(&root().join("tests/it")).iter().map(|path| text(path)).collect();
    for row in rows {
        let tests = quoted(row);
        assert!(!tests.is_empty(), "{row} names no test");
        for test in tests {
            assert!(code.iter().any(|text| text.contains(&format!("fn {test}("))), "no test {test}");
        }
    }
}

#[test]
fn the_cluster_of_compose_sets_only_what_is_a_setting() {
    let documented = text(&root().join("docs/settings.md"));
    let composed = text(&root().join("compose.cluster.yaml"));
    let names = composed.lines().filter(|line| line.starts_with(' ')).filter_map(|line| {
        let name = line.trim().split_once(": ")?.0;
        name.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_').then_some(name)
    });
    let names: BTreeSet<&str> = names.collect();
    assert!(names.len() > 15, "{names:?}");
    for name in names {
        // The key of the servers' own encryption, which no hub has.
        let is_known = name == "NATS_STORE_KEY" || documented.contains(&format!("| `{name}` |"));
        assert!(is_known, "{name} is no setting");
    }
}

#[test]
fn how_long_data_are_kept_and_other_things_that_are_set_in_env_reach_the_containers() {
    let example = text(&root().join(".env.example"));
    let named = example.lines().filter_map(|line| line.trim_start_matches("# ").split_once('='));
    let kept: Vec<&str> = named.map(|(name, _)| name).filter(|name| name.starts_with("RETAIN_")).collect();
    assert!(kept.len() >= 4, "{kept:?}");
    let others =
        ["WEBHOOK_SECRET", "JWT_SECRET", "FRONTEND_URL", "TIMEZONE", "UMBLER_API_TOKEN", "BACKUP_S3_URL"];
    for file in ["compose.yaml", "compose.cluster.yaml"] {
        let composed = text(&root().join(file));
        for name in kept.iter().chain(&others) {
            assert!(composed.contains(&format!(" {name}: ${{{name}:")), "{file} does not hand on {name}");
        }
    }
}
