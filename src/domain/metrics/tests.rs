//! Golden cases: a conversation as lines of text, and every fact that it comes to.

use jiff::Timestamp;

use super::{Fact, History, Live, Metric, Said, Speaker, StateEntry, facts, live};
use crate::domain::{MessageRole, RefId};

/// So many seconds after a Monday's nine o'clock in São Paulo.
fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_772_452_800 + second).unwrap()
}

/// `0 opens`, `5 customer`, `60 reply ana`, `65 failed ana`, `70 note ana`, `8 bot`, `9 campaign`, `9 deleted`, `30 owner ana`, `30 nobody`,
/// `40 sector sales`, `50 tags a b`, `1 bot-on`, `20 bot-off`, `90 closes`, `95 closes at 90`. Messages and entries.
fn history(script: &str) -> History {
    let mut history = History { created_at: Some(at(0)), ..History::default() };
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split(' ').collect();
        let second: i64 = words[0].parse().unwrap();
        let id = || words.get(2).map(|id| RefId::from(*id));
        let mut entry = StateEntry {
            at: at(second),
            open: Some(true),
            closed_at: None,
            owner: None,
            sector: None,
            channel: None,
            tags: None,
            bot_running: None,
        };
        let mut said = |speaker, role| {
            let agent = id().filter(|_| speaker == Speaker::Member);
            history.messages.push(Said { at: at(second), moment: at(second), speaker, role, agent });
        };
        match words[1] {
            "customer" => said(Speaker::Contact, MessageRole::Customer),
            "reply" => said(Speaker::Member, MessageRole::Reply),
            "failed" => said(Speaker::Member, MessageRole::Undelivered),
            "note" => said(Speaker::Member, MessageRole::Note),
            "deleted" => said(Speaker::Contact, MessageRole::Other),
            "campaign" => said(Speaker::Member, MessageRole::Other),
            "bot" => said(Speaker::Bot, MessageRole::Other),
            "external" => said(Speaker::External, MessageRole::Other),
            "opens" => history.entries.push(entry),
            word => {
                // What only names a change does not say whether the chat is open.
                entry.open = None;
                match word {
                    "owner" => entry.owner = Some(id()),
                    "nobody" => entry.owner = Some(None),
                    "sector" => entry.sector = Some(id()),
                    "tags" => entry.tags = Some(words[2..].iter().map(|id| RefId::from(*id)).collect()),
                    "bot-on" => entry.bot_running = Some(true),
                    "bot-off" => entry.bot_running = Some(false),
                    "closes" => {
                        let closed = words.get(3).map_or(second, |closed| closed.parse().unwrap());
                        (entry.open, entry.closed_at) = (Some(false), Some(at(closed)));
                    }
                    other => panic!("{other}"),
                }
                history.entries.push(entry);
            }
        }
    }
    history.entries.sort_by_key(|entry| entry.at);
    history.messages.sort_by_key(|message| message.at);
    history
}

fn told(fact: &Fact) -> String {
    let second = |moment: Timestamp| moment.as_second() - at(0).as_second();
    let (start, end) = (second(fact.start), second(fact.end));
    let agent = fact.agent.as_ref().map_or("-", RefId::as_str);
    if fact.metric.is_duration() {
        format!("{} {start}..{end} {agent}", fact.metric.as_str())
    } else {
        format!("{} {end} {agent}", fact.metric.as_str())
    }
}

/// Every fact but those of messages, in the order of answers.
fn facts_of(script: &str) -> Vec<String> {
    let mut found = facts(&history(script));
    found.sort_by_key(|fact| (fact.metric, fact.end));
    found.iter().filter(|fact| fact.metric < Metric::MessagesIn).map(told).collect()
}

fn check(what: &str, script: &str, expected: &[&str]) {
    assert_eq!(facts_of(script), expected, "{what}");
}

#[test]
fn a_plain_conversation() {
    check(
        "asked, taken, answered, closed",
        "0 opens\n 0 customer\n 30 owner ana\n 60 reply ana\n 90 closes",
        &[
            "firstResponse 0..60 ana",
            "replyTime 0..60 ana",
            "queueTime 0..30 ana",
            "handlingTime 30..90 ana",
            "resolution 0..90 ana",
            "created 0 ana",
            "closed 90 ana",
        ],
    );
    check(
        "two messages before one reply, then another question",
        "0 opens\n 5 customer\n 25 customer\n 60 reply ana\n 61 reply ana\n 70 customer\n 80 reply bia",
        &["firstResponse 0..60 ana", "replyTime 5..60 ana", "replyTime 70..80 bia", "created 0 -"],
    );
    check(
        "a reply without an author is the owner's",
        "0 opens\n 0 customer\n 0 owner ana\n 60 reply",
        &["firstResponse 0..60 ana", "replyTime 0..60 ana", "queueTime 0..0 ana", "created 0 ana"],
    );
}

#[test]
fn what_is_no_reply_stops_no_clock() {
    check(
        "a private note",
        "0 opens\n 0 customer\n 10 note ana\n 60 reply ana",
        &["firstResponse 0..60 ana", "replyTime 0..60 ana", "created 0 -"],
    );
    check(
        "a bot, a system outside Talk and a campaign",
        "0 opens\n 0 customer\n 1 bot\n 2 external\n 3 campaign ana",
        &["created 0 -"],
    );
    check(
        "a reply that could not be sent",
        "0 opens\n 0 customer\n 10 failed ana\n 60 reply ana",
        &["firstResponse 0..60 ana", "replyTime 0..60 ana", "created 0 -"],
    );
    check(
        "an agent who writes first",
        "0 opens\n 0 reply ana\n 600 customer\n 660 reply ana",
        &["replyTime 600..660 ana", "created 0 -"],
    );
}

#[test]
fn a_bot_before_a_human_starts_the_clock_where_it_hands_over() {
    check(
        "handed over, then taken",
        "0 opens\n 0 bot-on\n 0 customer\n 1 bot\n 40 customer\n 50 bot-off\n 70 owner ana\n 110 reply ana",
        &["firstResponse 50..110 ana", "replyTime 0..110 ana", "queueTime 50..70 ana", "created 0 ana"],
    );
    check(
        "a human who does not wait for the bot",
        "0 opens\n 0 bot-on\n 0 customer\n 20 reply ana\n 50 bot-off",
        &["firstResponse 0..20 ana", "replyTime 0..20 ana", "created 0 -"],
    );
}

#[test]
fn reopening_begins_another_cycle() {
    check(
        "the customer comes back: the message, told a second later, reopens",
        "0 opens\n 0 customer\n 0 owner ana\n 60 reply ana\n 90 closes\n 500 customer\n 501 opens\n 560 reply ana\n 600 closes",
        &[
            "firstResponse 0..60 ana",
            "firstResponse 500..560 ana",
            "replyTime 0..60 ana",
            "replyTime 500..560 ana",
            "queueTime 0..0 ana",
            "queueTime 500..500 ana",
            "handlingTime 0..90 ana",
            "handlingTime 500..600 ana",
            "resolution 0..90 ana",
            "resolution 500..600 ana",
            "created 0 ana",
            "reopened 500 ana",
            "closed 90 ana",
            "closed 600 ana",
        ],
    );
    check(
        "what is learned later of the message that reopens says nothing of the chat",
        "0 opens\n 0 customer\n 60 reply ana\n 90 closes\n 500 customer\n 500 sector s\n 501 opens\n 560 reply ana",
        &[
            "firstResponse 0..60 ana",
            "firstResponse 500..560 ana",
            "replyTime 0..60 ana",
            "replyTime 500..560 ana",
            "resolution 0..90 -",
            "created 0 -",
            "reopened 500 -",
            "closed 90 -",
        ],
    );
    check(
        "thanks that do not reopen are no wait; an agent reopens without a word",
        "0 opens\n 0 customer\n 60 reply ana\n 90 closes\n 95 customer\n 96 closes at 90\n 900 opens\n 960 reply ana",
        &[
            "firstResponse 0..60 ana",
            "replyTime 0..60 ana",
            // Said after the close, and before a human spoke again.
            "replyTime 95..960 ana",
            "resolution 0..90 -",
            "created 0 -",
            "reopened 900 -",
            "closed 90 -",
        ],
    );
}

#[test]
fn transfers_are_counted_for_who_gives_the_chat_away() {
    check(
        "there and back, with nobody between",
        "0 opens\n 10 owner ana\n 20 owner bia\n 30 nobody\n 40 owner bia\n 50 owner ana\n 60 closes",
        &[
            "queueTime 0..10 ana",
            "handlingTime 10..60 ana",
            "resolution 0..60 ana",
            "created 0 ana",
            "closed 60 ana",
            "transferred 20 ana",
            "transferred 50 bia",
        ],
    );
    check(
        "another owner in the next cycle is no transfer",
        "0 opens\n 0 owner ana\n 10 closes\n 15 nobody\n 20 opens\n 25 owner bia",
        &[
            "queueTime 0..0 ana",
            "queueTime 20..25 bia",
            "handlingTime 0..10 ana",
            "resolution 0..10 ana",
            "created 0 ana",
            "reopened 20 -",
            "closed 10 ana",
        ],
    );
}

#[test]
fn a_customer_who_waited_for_nothing_is_abandoned() {
    let abandoned = |script| facts_of(script).iter().filter(|fact| fact.starts_with("abandoned")).count();
    assert_eq!(abandoned("0 opens\n 0 customer\n 5 bot\n 90 closes"), 1);
    assert_eq!(
        abandoned("0 opens\n 0 customer\n 5 reply ana\n 8 customer\n 90 closes"),
        0,
        "somebody replied"
    );
    assert_eq!(abandoned("0 opens\n 5 bot\n 90 closes"), 0, "nobody waited");
    assert_eq!(
        abandoned("0 opens\n 0 customer\n 5 reply ana\n 9 closes\n 20 customer\n 20 opens\n 30 closes"),
        1
    );
}

#[test]
fn late_and_repeated_deliveries_change_nothing_that_is_over() {
    check(
        "a close that is told again, later, is one close at its own time",
        "0 opens\n 0 customer\n 60 reply ana\n 90 closes\n 300 closes at 90\n 400 tags vip",
        &[
            "firstResponse 0..60 ana",
            "replyTime 0..60 ana",
            "resolution 0..90 -",
            "created 0 -",
            "closed 90 -",
        ],
    );
}

#[test]
fn facts_stand_in_the_sector_of_their_moment_and_under_the_tags_of_their_cycle() {
    let found = facts(&history(
        "0 opens\n 0 sector sales\n 0 customer\n 60 reply ana\n 70 sector support\n 80 tags vip\n 90 closes\n
         200 opens\n 200 tags late\n 210 customer",
    ));
    let of = |metric: Metric| {
        let fact = found.iter().find(|fact| fact.metric == metric).unwrap();
        let tags: Vec<&str> = fact.tags.iter().map(RefId::as_str).collect();
        format!("{} {}", fact.sector.as_ref().map_or("-", RefId::as_str), tags.join(","))
    };
    assert_eq!(of(Metric::FirstResponse), "sales vip");
    assert_eq!(of(Metric::Closed), "support vip");
    assert_eq!(of(Metric::Reopened), "support late");
}

#[test]
fn messages_are_counted_by_who_wrote_them() {
    let found = facts(&history(
        "0 opens\n 0 customer\n 1 customer\n 2 bot\n 3 note ana\n 4 reply ana\n 5 campaign bia\n 6 external",
    ));
    let told: Vec<String> = found.iter().filter(|fact| fact.metric >= Metric::MessagesIn).map(told).collect();
    assert_eq!(
        told,
        [
            "messagesIn 0 -",
            "messagesIn 1 -",
            "messagesBot 2 -",
            "messagesMember 4 ana",
            "messagesMember 5 bia",
            "messagesExternal 6 -"
        ]
    );
}

fn live_of(script: &str) -> Live {
    live(&history(script)).unwrap()
}

#[test]
fn an_open_chat_says_how_it_stands() {
    assert_eq!(live(&history("0 opens\n 0 customer\n 9 closes")), None, "closed");
    let asked = live_of("0 opens\n 5 customer\n 9 customer\n 10 bot\n 11 note ana");
    assert_eq!((asked.attended, asked.ours_last, asked.unanswered_since), (false, true, Some(at(5))));
    assert_eq!((asked.quiet_since, asked.last_customer_at), (Some(at(10)), Some(at(9))));
    let failed = live_of("0 opens\n 5 customer\n 9 failed ana");
    assert_eq!((failed.attended, failed.ours_last, failed.unanswered_since), (false, false, Some(at(5))));
    assert_eq!(failed.quiet_since, Some(at(5)), "it reached nobody");
    let answered = live_of("0 opens\n 5 customer\n 9 reply ana");
    assert_eq!((answered.attended, answered.ours_last, answered.unanswered_since), (true, true, None));
    let again = live_of("0 opens\n 5 customer\n 9 reply ana\n 20 closes\n 30 customer\n 31 opens");
    assert_eq!((again.since, again.attended, again.unanswered_since), (at(30), false, Some(at(30))));
}

#[test]
fn a_bot_has_a_chat_until_a_human_replies() {
    assert!(live_of("0 opens\n 0 bot-on\n 0 customer\n 5 bot").with_bot);
    assert!(!live_of("0 opens\n 0 bot-on\n 0 customer\n 5 reply ana").with_bot);
    assert!(!live_of("0 opens\n 0 bot-on\n 0 customer\n 5 bot-off").with_bot);
    assert!(
        live_of("0 opens\n 0 customer\n 5 reply ana\n 9 bot-on\n 10 customer").with_bot,
        "it began after"
    );
}

#[test]
fn a_private_note_moves_no_silence_and_a_deleted_message_of_the_customer_opens_no_window() {
    let noted = live_of("0 opens\n 5 customer\n 9 reply ana\n 20 note ana");
    assert_eq!((noted.quiet_since, noted.last_customer_at), (Some(at(9)), Some(at(5))));
    let deleted = live_of("0 opens\n 5 customer\n 20 deleted");
    assert_eq!((deleted.quiet_since, deleted.last_customer_at), (Some(at(20)), Some(at(5))));
    let nothing = live_of("0 opens\n 7 note ana");
    assert_eq!(nothing.quiet_since, Some(at(0)), "the creation");
}

#[test]
fn a_chat_in_which_only_we_spoke_owes_nobody_a_reply() {
    assert!(live_of("0 opens\n 5 campaign\n 9 bot").attended);
    assert!(!live_of("0 opens\n 5 campaign\n 9 customer").attended);
    assert!(!live_of("0 opens").attended, "nothing is known of what was said");
    assert!(live_of("0 opens\n 5 customer\n 9 closes\n 30 campaign\n 31 opens").attended, "another cycle");
}
