//! The dashboard as the hub serves it: few bytes, and never a page beside files of another build.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::support::hub_with;

const SCRIPT: &str = "/assets/index-AbC123.js";

/// A dashboard as a build writes it, with one script.
fn built() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
        fs::write(path, text).expect("the file is written");
    };
    write("index.html", "<!doctype html><title>Umbler Hub</title>");
    write(SCRIPT.trim_start_matches('/'), &"let aMuchRepeatedName = 1;\n".repeat(1_000));
    folder
}

fn setting(folder: &Path) -> (&'static str, &str) {
    ("DASHBOARD_DIR", folder.to_str().expect("a path in UTF-8"))
}

#[test]
fn scripts_of_pages_are_sent_compressed() {
    let folder = built();
    let hub = hub_with(&[setting(folder.path())]);
    for path in [SCRIPT, "/client/index.js", "/"] {
        for encoding in ["gzip", "zstd"] {
            // Bodies that the agent does not unpack itself are read as they are.
            let request = hub.agent().get(hub.url(path)).header("accept-encoding", encoding);
            let answer = request.call().expect("the hub answers");
            assert_eq!(answer.headers()["content-encoding"], encoding, "{path}");
            assert_eq!(answer.status(), 200, "{path}");
        }
        let plain = hub.get_with(path, &[("accept-encoding", "identity")]);
        assert_eq!((plain.status, plain.header("content-encoding")), (200, None), "{path}");
    }
}

#[test]
fn what_the_build_has_compressed_is_sent_as_it_is() {
    let folder = built();
    let copy = |ending: &str| {
        let path = folder.path().join(format!("{}{ending}", SCRIPT.trim_start_matches('/')));
        // No compressor makes this, so only the copy can be the answer.
        fs::write(path, ending).expect("the copy is written");
    };
    [".br", ".gz"].into_iter().for_each(copy);
    let hub = hub_with(&[setting(folder.path())]);
    let plain = hub.get_with(SCRIPT, &[("accept-encoding", "identity")]);
    let sent = |accepted: &str| {
        let request = hub.agent().get(hub.url(SCRIPT)).header("accept-encoding", accepted);
        let answer = request.call().expect("the hub answers");
        let header = |name: &str| answer.headers()[name].to_str().expect("text").to_owned();
        assert_eq!(Some(header("content-type").as_str()), plain.header("content-type"));
        assert_eq!(header("cache-control"), "public, max-age=31536000, immutable");
        assert!(header("vary").contains("accept-encoding"));
        (header("content-encoding"), header("content-length"))
    };
    assert_eq!(sent("gzip, deflate, br, zstd"), ("br".to_owned(), "3".to_owned()), "over HTTPS");
    assert_eq!(sent("gzip, deflate"), ("gzip".to_owned(), "3".to_owned()), "without");
    assert_eq!((plain.status, plain.header("content-encoding")), (200, None));
    assert!(plain.text.starts_with("let aMuchRepeatedName"));
}

#[test]
fn a_browser_keeps_files_that_never_change_and_asks_again_for_all_others() {
    let folder = built();
    let hub = hub_with(&[setting(folder.path())]);
    let kept = |path: &str| {
        let answer = hub.get(path);
        (answer.status, answer.header("cache-control").map(str::to_owned))
    };
    let again = Some("no-cache".to_owned());
    assert_eq!(kept(SCRIPT), (200, Some("public, max-age=31536000, immutable".to_owned())));
    assert_eq!(kept("/"), (200, again.clone()));
    assert_eq!(kept("/chats"), (200, again.clone()));
    // A file of another build may come back with the next one.
    assert_eq!(kept("/assets/index-Gone.js"), (404, again));
}

#[test]
fn the_address_of_a_page_is_answered_with_the_document_that_asks_for_the_pages_files() {
    let folder = built();
    fs::create_dir(folder.path().join("pages")).expect("the folder is made");
    fs::write(folder.path().join("pages/reports.html"), "<title>with its files</title>").expect("written");
    let hub = hub_with(&[setting(folder.path())]);
    let text = |path: &str| hub.get(path).text;
    for path in ["/reports", "/reports/", "/reports?period=week"] {
        assert_eq!(text(path), "<title>with its files</title>", "{path}");
    }
    let index = text("/");
    for path in ["/chats", "/reports.html", "/pages", "/Reports"] {
        assert_eq!(text(path), index, "{path}");
    }
    for path in ["/..%2fpages%2freports", "/%2e%2e/pages/reports"] {
        assert_ne!(text(path), "<title>with its files</title>", "{path}");
    }
}
