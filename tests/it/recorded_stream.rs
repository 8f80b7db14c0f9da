//! A stream of records that the present release wrote, kept as a file: whoever changes what a record does notices it here, and
//! says so by another number of the rules.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use umbler_hub::facade::journal::{Entry, RULES, load_blocks};

use super::support::log::{Database, log};

/// Set to make the files anew, on purpose: `RENEW_RECORDED_STREAM=1 cargo nextest run recorded_stream`.
const RENEW: &str = "RENEW_RECORDED_STREAM";

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/records").join(name)
}

/// One record a line, encoded and in base64.
fn stream() -> Vec<Entry> {
    let path = fixture("stream.txt");
    if std::env::var_os(RENEW).is_some() {
        let lines: Vec<String> =
            log(20_261_129, 90).iter().map(|entry| STANDARD.encode(entry.encode())).collect();
        fs::write(&path, lines.join("\n") + "\n").expect("written");
    }
    let text = fs::read_to_string(path).expect("the stream");
    let read = |line| Entry::decode(&STANDARD.decode(line).expect("base64")).expect("a record");
    text.lines().map(read).collect()
}

#[test]
fn the_records_of_this_release_do_what_they_always_did() {
    let entries = stream();
    assert!(entries.len() > 150, "{}", entries.len());
    let mut database = Database::new(1_000_000);
    entries.chunks(16).for_each(|batch| database.commit(batch));
    database.close();
    let mut came_out = format!("rules {RULES}\n");
    for block in load_blocks(&database.connection()).expect("blocks") {
        let digits: Vec<String> = block.digest.iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(came_out, "block {}-{} {}", block.first, block.last, digits.concat()).expect("a text");
    }
    for (table, digest) in database.digests() {
        writeln!(came_out, "{table} {digest}").expect("a text");
    }
    let path = fixture("digests.txt");
    if std::env::var_os(RENEW).is_some() {
        fs::write(&path, &came_out).expect("written");
    }
    let known = fs::read_to_string(path).expect("the digests");
    assert_eq!(
        came_out, known,
        "a record does something else than in the last release; if that is on purpose, raise RULES in \
         src/journal/rules.rs and make the files anew with {RENEW}=1"
    );
}
