//! The dashboard, the alerts and their runbook speak of metrics that exist, and of each other.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::documents::rows;
use super::house::{root, text};
use super::support::{Hub, spawn_hub};

/// Names and labels of all metrics.
type Labels = BTreeMap<String, BTreeSet<String>>;

/// What Prometheus adds to every metric, and the one that it makes itself.
const OF_PROMETHEUS: [&str; 2] = ["job", "instance"];
const UP: &str = "up";

/// What each section of the runbook answers.
const QUESTIONS: [&str; 4] = ["What it means", "What users see", "What to look at", "What to do"];

/// A hub that has done whatever is counted by a label.
fn busy_hub() -> Hub {
    let hub = spawn_hub();
    hub.provider().says("a", "hello");
    let mut screen = hub.screen().watching(&["updates"]);
    for _ in 0..50 {
        screen.sends("nonsense");
    }
    assert_eq!(screen.is_closed_with(), 4503);
    hub
}

/// The lines of `/metrics` that hold values: a name and the names of its labels.
fn series(hub: &Hub) -> Labels {
    let mut all = Labels::new();
    for line in hub.get("/metrics").text.lines().filter(|line| !line.starts_with('#')) {
        let (series, _) = line.rsplit_once(' ').expect("a value");
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        all.entry(name.to_owned()).or_default().extend(labels_in(labels.trim_end_matches('}')));
    }
    assert!(all.len() > 20, "{all:?}");
    all
}

/// The names of labels in a selector or a list, whose texts may hold commas.
fn labels_in(text: &str) -> Vec<String> {
    let bare: String = text.split('"').step_by(2).collect();
    let name = |part: &str| part.trim().split(['=', '!']).next().unwrap_or_default().to_owned();
    bare.split(',').map(name).filter(|name| !name.is_empty()).collect()
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// What a query uses: metrics with the labels that select them, and the labels it groups by.
fn used(query: &str) -> (Labels, BTreeSet<String>) {
    let (mut metrics, mut groups) = (Labels::new(), BTreeSet::new());
    let mut rest = query;
    while let Some(start) = rest.find(is_word) {
        let from = &rest[start..];
        let end = from.find(|c| !is_word(c)).unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        rest = after;
        if let Some(list) = after.trim_start().strip_prefix('(').filter(|_| ["by", "on"].contains(&word)) {
            let (list, after) = list.split_once(')').expect("a bracket");
            groups.extend(labels_in(list));
            rest = after;
        } else if word.starts_with("umbler_hub_") || word.starts_with("process_") || word == UP {
            let selector = after.strip_prefix('{').map(|list| list.split_once('}').expect("a bracket"));
            let labels = selector.map_or_else(Vec::new, |(list, _)| labels_in(list));
            metrics.entry(word.to_owned()).or_default().extend(labels);
            rest = selector.map_or(after, |(_, after)| after);
        } else if let Some(text) = after.strip_prefix('"') {
            rest = text.split_once('"').map_or("", |(_, after)| after);
        }
    }
    (metrics, groups)
}

/// Fails where a query names a metric or a label that `/metrics` does not have. `shown` are labels in its legend.
fn assert_exists(query: &str, shown: BTreeSet<String>, known: &Labels) {
    let (metrics, mut named) = used(query);
    assert!(!metrics.is_empty(), "{query} asks for nothing");
    let mut available: BTreeSet<String> = OF_PROMETHEUS.map(str::to_owned).into();
    for (name, labels) in metrics.iter().filter(|(name, _)| *name != UP) {
        let has = known.get(name).unwrap_or_else(|| panic!("{name} does not exist: {query}"));
        let missing: Vec<_> =
            labels.iter().filter(|label| !has.contains(*label) && !available.contains(*label)).collect();
        assert!(missing.is_empty(), "{name} has no {missing:?}: {query}");
        available.extend(has.iter().cloned());
    }
    named.extend(shown);
    let missing: Vec<_> = named.difference(&available).collect();
    assert!(missing.is_empty(), "nothing has {missing:?}: {query}");
}

/// Every object that holds a query, wherever it is.
fn queries<'a>(value: &'a Value, found: &mut Vec<(&'a str, &'a str)>) {
    match value {
        Value::Object(fields) => {
            let word = |name: &str| fields.get(name).and_then(Value::as_str);
            if let Some(query) = word("expr").or_else(|| word("definition")) {
                found.push((query, word("legendFormat").unwrap_or_default()));
            }
            fields.values().for_each(|value| queries(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| queries(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn the_dashboard_shows_metrics_and_labels_that_exist() {
    let known = series(&busy_hub());
    let dashboard: Value =
        serde_json::from_str(&text(&root().join("ops/grafana/umbler-hub.json"))).expect("JSON");
    let mut found = Vec::new();
    queries(&dashboard, &mut found);
    assert!(found.len() > 40, "{}", found.len());
    for (query, legend) in found {
        let shown = legend.split("{{").skip(1).filter_map(|rest| Some(rest.split_once("}}")?.0.to_owned()));
        assert_exists(query, shown.collect(), &known);
    }
    let variables: Vec<_> = dashboard["templating"]["list"].as_array().expect("variables").iter().collect();
    assert_eq!(variables[0]["type"], "datasource");
    let ids: Vec<_> =
        dashboard["panels"].as_array().expect("panels").iter().map(|panel| &panel["id"]).collect();
    let distinct: BTreeSet<String> = ids.iter().map(ToString::to_string).collect();
    assert_eq!(distinct.len(), ids.len(), "panels have ids of their own");
    for panel in dashboard["panels"].as_array().expect("panels").iter().filter(|panel| panel["type"] != "row")
    {
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{}", panel["title"]);
    }
}

/// One alert, as its lines say it.
struct Alert {
    name: String,
    query: String,
    summary: String,
    runbook: String,
    severity: String,
}

/// The alerts of the rule file. Its shape is narrower than YAML allows, so that it can be held to it line by line.
fn alerts() -> Vec<Alert> {
    let file = text(&root().join("ops/prometheus/alerts.yml"));
    let rules = file.split_once("    rules:\n").expect("rules").1;
    let alerts = rules.split("      - alert: ").skip(1).map(|rule| {
        let lines = rule.lines().filter(|line| !line.trim_start().starts_with('#') && !line.is_empty());
        let lines: Vec<&str> = lines.collect();
        let value = |line: usize, begin: &str| {
            let value = lines.get(line).and_then(|line| line.strip_prefix(begin));
            let value = value.unwrap_or_else(|| panic!("line {line} of an alert is not {begin:?}: {rule}"));
            // In YAML these would begin a map or a comment.
            assert!(!value.is_empty() && !value.contains(": ") && !value.contains(" #"), "{value}");
            value.to_owned()
        };
        assert_eq!(
            (lines.len(), lines[3], lines[5]),
            (8, "        labels:", "        annotations:"),
            "{rule}"
        );
        let wait = value(2, "        for: ");
        assert!(wait.strip_suffix('m').is_some_and(|minutes| minutes.parse::<u32>().is_ok()), "{wait}");
        Alert {
            name: value(0, ""),
            query: value(1, "        expr: "),
            severity: value(4, "          severity: "),
            summary: value(6, "          summary: "),
            runbook: value(7, "          runbook_url: "),
        }
    });
    alerts.collect()
}

#[test]
fn each_alert_asks_for_what_exists_and_has_its_section_of_the_runbook() {
    let known = series(&busy_hub());
    let alerts = alerts();
    assert!(alerts.len() > 10, "{}", alerts.len());
    for Alert { name, query, summary, runbook, severity } in &alerts {
        assert_exists(query, BTreeSet::new(), &known);
        assert!(["critical", "warning"].contains(&severity.as_str()), "{name}: {severity}");
        assert!(summary.ends_with('.'), "{name}: {summary}");
        assert_eq!(*runbook, format!("docs/runbook.md#{}", name.to_lowercase()));
    }
    let document = text(&root().join("docs/runbook.md"));
    let sections: Vec<(&str, &str)> =
        document.split("\n## ").skip(1).map(|part| part.split_once('\n').expect("a section")).collect();
    let names: Vec<&str> = alerts.iter().map(|alert| alert.name.as_str()).collect();
    assert_eq!(sections.iter().map(|(name, _)| *name).collect::<Vec<_>>(), names, "in the same order");
    for (name, section) in sections {
        for question in QUESTIONS {
            assert_eq!(section.matches(&format!("\n**{question}.** ")).count(), 1, "{name}: {question}");
        }
    }
}

#[test]
fn every_metric_of_the_hub_is_documented_with_its_labels_and_no_other() {
    let documented: BTreeMap<String, BTreeSet<String>> = rows("monitoring.md", "Prometheus")
        .into_iter()
        .map(|row| {
            let labels = row[1].split("`, `").filter(|label| *label != "none").map(str::to_owned);
            (row[0].clone(), labels.collect())
        })
        .collect();
    let mut known = Labels::new();
    for (name, mut labels) in
        series(&busy_hub()).into_iter().filter(|(name, _)| name.starts_with("umbler_hub_"))
    {
        // The buckets stand for their histogram; its sum and count follow from them.
        if labels.remove("le") {
            known.insert(name.trim_end_matches("_bucket").to_owned(), labels);
        } else if !name.ends_with("_sum") && !name.ends_with("_count") {
            known.insert(name, labels);
        }
    }
    assert_eq!(documented, known);
}
