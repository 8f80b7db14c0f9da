//! Reconnect: ten thousand screens come back at once after a restart, each with its position.

use std::io;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::Plan;
use super::fan_out::{SUBSCRIBED, to_hub};
use super::figures::{float_of, percentile};
use super::process::{Hub, Place, fresh_folder};
use super::screens::{Heard, PATIENCE, Screens, Turned};
use super::table::{Table, at_most, progress};

/// Screens.
const SESSIONS: usize = 10_000;
/// Connects that are under way at the same time: below the kernel's bound of connections that wait.
const AT_ONCE: usize = 2_000;
/// Updates that each missed.
const MISSED: usize = 20;
/// All are current again within so many seconds.
const SECONDS_MAX: f64 = 5.0;

/// Measures and prints.
pub fn measure(plan: &Plan) -> io::Result<()> {
    let folder = fresh_folder()?;
    let sessions = plan.files_left(0).min(SESSIONS);
    let mut table = Table::new(
        &format!("{sessions} screens come back with a position after kill -9, each missed {MISSED} updates"),
        &["until all are current, s", "half of them", "recovered", "updates replayed"],
    );
    for round in 0..if plan.quick { 1 } else { 3 } {
        progress(&format!("reconnect: round {}", round + 1))?;
        table.row(one_return(folder.path(), sessions, round)?);
    }
    table.note("Hub and load share two cores. Time runs from the first connect, the restarted hub having answered /health, until every screen has its `subscribed` and all that it missed.");
    table.note("A screen that is told recovered:false counts as current with its answer; it would have to ask for a snapshot.");
    table.print()
}

fn one_return(folder: &std::path::Path, sessions: usize, round: usize) -> io::Result<Vec<String>> {
    let mut hub = Hub::start(folder, Place::BothCores)?;
    let mut stream = to_hub(&hub, &format!("reconnect-{round}"))?;
    stream.screens.connect(sessions, AT_ONCE, SUBSCRIBED)?;
    stream.run(16, 16)?;
    let health = hub.json("/health")?;
    let position = health["seq"].as_u64().unwrap_or(0);
    let epoch = health["epoch"].as_str().unwrap_or("").to_owned();
    drop(stream);
    // Missed by all of them: posted while nobody is connected.
    to_hub(&hub, &format!("missed-{round}"))?.run(16, MISSED)?;
    hub.kill();
    drop(hub);

    let hub = Hub::start(folder, Place::BothCores)?;
    let subscribe =
        format!(r#"{{"event":"subscribe_updates","data":{{"since":{position},"epoch":"{epoch}"}}}}"#);
    let mut screens = Screens::new(hub.address, &subscribe)?;
    let mut back = Back::new(sessions);
    let begun = Instant::now();
    let (mut connecting, mut current) = (0, 0);
    while current < sessions {
        while connecting < sessions && connecting - back.answered < AT_ONCE {
            screens.begin()?;
            connecting += 1;
        }
        screens.wait(PATIENCE, |turned| match turned {
            Turned::Heard(screen, Heard::Update(_)) => back.hear(screen, begun),
            Turned::Heard(screen, Heard::Text(text)) if text.starts_with(SUBSCRIBED) => {
                back.answer(screen, text, begun);
            }
            Turned::Heard(..) | Turned::Opened(_) | Turned::Other(_) => {}
        })?;
        current = back.seconds.len();
        if screens.lost() > 0 || begun.elapsed() > Duration::from_mins(1) {
            return Err(io::Error::other(format!("{} lost, {current} current", screens.lost())));
        }
    }
    let all = percentile(&mut back.seconds, 1.0);
    Ok(vec![
        at_most(all, SECONDS_MAX),
        format!("{:.2}", percentile(&mut back.seconds, 0.5)),
        format!("{} of {sessions}", back.recovered),
        format!("{:.1} each", float_of(back.replayed) / float_of(sessions)),
    ])
}

/// Who is back.
struct Back {
    /// Updates that each screen still waits for; `None` before its answer.
    left: Vec<Option<usize>>,
    answered: usize,
    recovered: usize,
    replayed: usize,
    /// When each was current.
    seconds: Vec<f64>,
}

impl Back {
    fn new(sessions: usize) -> Self {
        Self { left: vec![None; sessions], answered: 0, recovered: 0, replayed: 0, seconds: Vec::new() }
    }

    fn answer(&mut self, screen: usize, text: &[u8], begun: Instant) {
        let answer: Value = serde_json::from_slice(text).unwrap_or_default();
        let data = &answer["data"];
        let replayed = usize::try_from(data["replayed"].as_u64().unwrap_or(0)).unwrap_or(0);
        self.answered += 1;
        self.recovered += usize::from(data["recovered"].as_bool() == Some(true));
        self.replayed += replayed;
        self.left[screen] = Some(replayed);
        if replayed == 0 {
            self.seconds.push(begun.elapsed().as_secs_f64());
        }
    }

    fn hear(&mut self, screen: usize, begun: Instant) {
        if let Some(left) = self.left[screen].as_mut().filter(|left| **left > 0) {
            *left -= 1;
            if *left == 0 {
                self.seconds.push(begun.elapsed().as_secs_f64());
            }
        }
    }
}
