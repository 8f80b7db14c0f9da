//! What the documents say is so: promises name tests that exist, and every code and reason is explained.

use std::collections::BTreeSet;
use std::path::Path;

use umbler_hub::facade::rules::AlertKind;
use umbler_hub::facade::wire::{AlertChange, CloseCode, ErrorCode, RecoveryReason, ReplayEnd, ResyncReason};
use ureq::http::StatusCode;

use super::house::{root, sources, text};

/// The cells of the table's rows under a heading of a document, without backticks.
pub fn rows(document: &str, heading: &str) -> Vec<Vec<String>> {
    let document = text(&root().join("docs").join(document));
    let lines = document
        .lines()
        .skip_while(|line| !line.starts_with('#') || line.trim_start_matches('#').trim() != heading);
    let rows = lines.skip(1).take_while(|line| !line.starts_with('#')).filter(|line| line.starts_with('|'));
    let cells = |row: &str| -> Vec<String> {
        row.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect()
    };
    // The first two are the table's head and the line below it.
    let rows: Vec<Vec<String>> = rows.map(cells).skip(2).collect();
    assert!(!rows.is_empty(), "no table under {heading:?}");
    for row in &rows {
        assert!(row.iter().all(|cell| !cell.is_empty()), "{heading}: {row:?} leaves something open");
    }
    rows
}

/// These columns of a table, row by row; a row twice would be one too many.
fn columns(rows: &[Vec<String>], columns: &[usize]) -> BTreeSet<String> {
    let chosen =
        |row: &Vec<String>| columns.iter().map(|column| &*row[*column]).collect::<Vec<_>>().join(" ");
    let set: BTreeSet<String> = rows.iter().map(chosen).collect();
    assert_eq!(set.len(), rows.len(), "a row comes twice: {rows:?}");
    set
}

fn yes(is_so: bool) -> &'static str {
    if is_so { "yes" } else { "no" }
}

#[test]
fn every_code_and_reason_is_explained_and_no_other() {
    let errors = ErrorCode::ALL.map(|code| format!("{} {}", code.as_str(), yes(code.is_temporary())));
    assert_eq!(columns(&rows("errors.md", "Errors on the socket"), &[0, 2]), BTreeSet::from(errors));

    let closes = CloseCode::ALL.map(|code| {
        // The range tells what to do.
        let come_back = yes(!(4500..5000).contains(&code.number()));
        format!("{} {} {come_back}", code.number(), code.reason())
    });
    assert_eq!(columns(&rows("errors.md", "Close codes of the hub"), &[0, 1, 2]), BTreeSet::from(closes));

    let reasons = BTreeSet::from(RecoveryReason::ALL.map(|reason| reason.as_str().to_owned()));
    for (document, heading) in [
        ("errors.md", "Why a position was not recovered"),
        ("protocol.md", "Why a position was not recovered"),
    ] {
        assert_eq!(columns(&rows(document, heading), &[0]), reasons, "{document}");
    }
    let reasons = BTreeSet::from(ReplayEnd::ALL.map(|reason| reason.as_str().to_owned()));
    assert_eq!(columns(&rows("errors.md", "Why a replay ended"), &[0]), reasons);
    let reasons = BTreeSet::from(ResyncReason::ALL.map(|reason| reason.as_str().to_owned()));
    assert_eq!(columns(&rows("errors.md", "Why a screen must start over"), &[0]), reasons);

    assert_eq!(columns(&rows("errors.md", "Errors over HTTP"), &[0, 1]), refusals());
}

#[test]
fn every_kind_of_alert_is_explained_and_no_other() {
    let document = text(&root().join("docs/alerts.md"));
    let kinds = AlertKind::ALL.map(|kind| kind.as_str().to_owned());
    assert_eq!(columns(&rows("alerts.md", "Alerts"), &[0]), BTreeSet::from(kinds));
    for kind in AlertKind::ALL {
        let default = format!("\"{}\": {}", kind.threshold(), kind.default_seconds());
        assert!(document.contains(&default), "{default}");
    }
    for change in AlertChange::ALL {
        assert!(document.contains(&format!("`{}`", change.as_str())), "{}", change.as_str());
    }
}

/// Status and code of every refusal over HTTP, as the one match over all of them says.
fn refusals() -> BTreeSet<String> {
    let source = text(&root().join("src/http/error.rs"));
    let pairs = source.split("=> (StatusCode::").skip(1).map(|rest| {
        let (status, rest) = rest.split_once(", \"").expect("a status and a code");
        let (code, _) = rest.split_once('"').expect("a code");
        format!("{} {code}", number_of(status))
    });
    let pairs: BTreeSet<String> = pairs.collect();
    assert!(pairs.len() > 10, "{pairs:?}");
    pairs
}

/// `BAD_REQUEST` is 400.
fn number_of(name: &str) -> u16 {
    let is_named = |number: &u16| {
        let reason = StatusCode::from_u16(*number).ok().and_then(|status| status.canonical_reason());
        reason.is_some_and(|reason| reason.to_uppercase().replace(' ', "_") == name)
    };
    (400..600).find(is_named).unwrap_or_else(|| panic!("no status {name}"))
}

/// The names of all tests of the folder.
fn tests_in(folder: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for path in sources(folder) {
        let text = text(&path);
        let mut is_test = false;
        for line in text.lines().map(str::trim) {
            let name =
                line.trim_start_matches("async ").strip_prefix("fn ").and_then(|rest| rest.split('(').next());
            match name {
                Some(name) if is_test => is_test = !names.insert(name.to_owned()),
                // Attributes may stand between.
                None => is_test |= line.starts_with("#[") && line.ends_with("test]"),
                Some(_) => {}
            }
        }
    }
    names
}

#[test]
fn every_promise_names_tests_that_exist() {
    let document = text(&root().join("docs/guarantees.md"));
    let (promised, not_promised) = document.split_once("## Not promised").expect("two parts");
    let tests: BTreeSet<String> =
        ["src", "tests"].iter().flat_map(|folder| tests_in(&root().join(folder))).collect();
    let headings: Vec<&str> = promised.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    assert!(headings.len() >= 7, "{headings:?}");
    for row in headings.iter().flat_map(|heading| rows("guarantees.md", heading)) {
        let named: Vec<&str> = row[1].split(", ").map(|name| name.trim_matches('`')).collect();
        for name in named {
            assert!(tests.contains(name), "no test {name:?} holds: {}", row[0]);
        }
    }
    // What is not promised is no table: nothing holds it.
    assert!(!not_promised.contains("\n|"));
}

#[test]
fn documents_refer_to_files_that_exist() {
    let docs = root().join("docs");
    let entries = |folder: &Path| -> Vec<_> {
        let entries = std::fs::read_dir(folder).expect("a folder");
        entries.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_file()).collect()
    };
    let all: Vec<_> = entries(&docs).into_iter().chain(entries(&docs.join("decisions"))).collect();
    assert!(all.len() > 5, "{all:?}");
    for path in all.iter().filter(|path| path.extension().is_some_and(|extension| extension == "md")) {
        let text = text(path);
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.contains("://")) {
            let file = link.split('#').next().unwrap_or_default();
            let target = path.parent().expect("a folder").join(file);
            assert!(file.is_empty() || target.exists(), "{} refers to {link}", path.display());
        }
    }
}
