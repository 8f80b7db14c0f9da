//! What a page costs a limited token, beside an admin's in the same run; and what one user's dear questions cost another.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};
use umbler_hub::facade::testing::{Role, Secret, SigningKey, TokenClaims, clock, mint};

use super::Plan;
use super::deliveries::{agent_id, line_id, organization_id, sector_id};
use super::figures::{float, median_of, ms, percentile};
use super::history::{CHECK_PATIENCE, NOT_BUILT, SERIES, is_checking, million};
use super::process::{Client, Hub, Place};
use super::screens::nanos_since;
use super::table::{Table, at_most, progress};

/// Signs the tokens of this part.
const SECRET: &str = "a secret of the benchmarks, long enough to be taken";
/// A page takes at most so many times as long as the admin's.
const RATIO_MAX: f64 = 3.0;
/// Connections on which one user asks what takes long.
const DEAR_CONNECTIONS: usize = 16;
/// What another user waits meanwhile, at most, in milliseconds.
const BESIDE_MS_MAX: f64 = 250.0;

/// What keeps the reader threads busy: a kind of token, what it asks for, and how that is told.
const DEAR: [(&str, &str, &str); 2] = [
    ("40 members", "/api/umbler/contacts?limit=200", "reads contacts"),
    ("sectors", "/api/umbler/messages?search=zzz", "searches all messages"),
];

/// What is asked: a path of REST, or `None` for a snapshot on a socket.
const QUESTIONS: [(&str, Option<&str>); 9] = [
    ("/contacts", Some("/contacts?limit=200")),
    ("/contacts by creation", Some("/contacts?limit=200&sort=createdAt")),
    ("/contacts, what all are called", Some("/contacts?limit=200&search=marina")),
    ("/contacts, what nobody is called", Some("/contacts?limit=200&search=zzz")),
    ("/chats", Some("/chats?limit=200")),
    ("/chats, open ones", Some("/chats?limit=200&status=open")),
    ("/messages", Some("/messages?limit=200")),
    ("/members", Some("/members?limit=200")),
    ("a snapshot", None),
];

/// Measures and prints.
pub fn measure(plan: &Plan) -> io::Result<()> {
    let kinds = kinds();
    let mut head = vec!["question", "admin, p50 ms"];
    head.extend(kinds.iter().skip(1).map(|(kind, _)| *kind));
    let mut table = Table::new("Pages of limited tokens: p50 ms, and times the admin's", &head);
    progress("scopes")?;
    let Some(folder) = million(plan)? else {
        table.note(NOT_BUILT);
        return table.print();
    };
    let hub = Hub::start_with(&folder, Place::OneCore, &[("JWT_SECRET", SECRET)])?;
    await_rest(&hub)?;
    for (name, path) in QUESTIONS {
        // New ones each time: a socket that waits for the others' turns too long is ended.
        let mut askers: Vec<Asker> =
            kinds.iter().map(|(_, token)| Asker::connect(hub.address, token)).collect::<io::Result<_>>()?;
        let cells = compare(plan, &mut askers, path)?;
        table.row([vec![name.to_owned()], cells].concat());
    }
    for (kind, path, what) in DEAR {
        let token = kinds.iter().find(|(name, _)| *name == kind).map_or("", |(_, token)| token);
        table.note(format!(
            "One user ({kind}) {what} on {DEAR_CONNECTIONS} connections. {}",
            beside(plan, &hub, token, path)?
        ));
    }
    table.print()
}

/// Waits until the hub has read the whole file, which it does after each start.
fn await_rest(hub: &Hub) -> io::Result<()> {
    let begun = Instant::now();
    while is_checking(hub)? && begun.elapsed() < CHECK_PATIENCE {
        std::thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}

/// Kinds of tokens, the admin's first.
fn kinds() -> Vec<(&'static str, String)> {
    let ids = |make: fn(&str, u64) -> String, ids: std::ops::Range<u64>| {
        Some(ids.map(|id| make(SERIES, id)).collect())
    };
    // Each is another user: what one may say in a second is bounded over all of its sessions.
    let of = |kind: &'static str, role, limit: &dyn Fn(&mut TokenClaims)| {
        let mut claims = TokenClaims::new(kind, role, clock::now(), 86_400);
        limit(&mut claims);
        let key = SigningKey::Secret(Secret::new(SECRET));
        (kind, mint(&claims, &key, None).unwrap_or_default())
    };
    vec![
        of("admin", Role::Admin, &|_| ()),
        of("orgs", Role::Supervisor, &|claims| claims.orgs = ids(organization_id, 1..2)),
        of("sectors", Role::Supervisor, &|claims| claims.sectors = ids(sector_id, 3..4)),
        of("channels", Role::Supervisor, &|claims| claims.channels = ids(line_id, 2..3)),
        of("one member", Role::Agent, &|claims| claims.members = ids(agent_id, 7..8)),
        of("40 members", Role::Agent, &|claims| claims.members = ids(agent_id, 0..40)),
        of("no chats", Role::Supervisor, &|claims| claims.sectors = Some(vec!["none".to_owned()])),
        of("private hidden", Role::Agent, &|_| ()),
        of("masked", Role::Viewer, &|_| ()),
    ]
}

/// One user on a connection and a socket.
struct Asker {
    client: Client,
    socket: WebSocket<std::net::TcpStream>,
    asked: u64,
}

impl Asker {
    fn connect(address: SocketAddr, token: &str) -> io::Result<Self> {
        let stream = std::net::TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let url = format!("ws://{address}/ws");
        let (mut socket, _) = tungstenite::client(url, stream).map_err(io::Error::other)?;
        send(&mut socket, &json!({ "event": "authenticate", "data": { "token": token } }))?;
        hear(&mut socket, "authenticated")?;
        Ok(Self { client: Client::signed_in(address, token)?, socket, asked: 0 })
    }

    /// Milliseconds until the answer.
    fn ask(&mut self, path: Option<&str>) -> io::Result<f64> {
        let begun = Instant::now();
        if let Some(path) = path {
            self.client.get(&format!("/api/umbler{path}"))?;
        } else {
            // Of another length each time: the hub keeps the last ones.
            self.asked += 1;
            let chats = 150 + self.asked % 50;
            let asked = json!({ "event": "request_umbler_data", "data": { "chats": chats } });
            send(&mut self.socket, &asked)?;
            hear(&mut self.socket, "umbler_data")?;
        }
        Ok(ms(float(nanos_since(begun))))
    }
}

fn send(socket: &mut WebSocket<std::net::TcpStream>, frame: &Value) -> io::Result<()> {
    socket.send(Message::text(frame.to_string())).map_err(io::Error::other)
}

fn hear(socket: &mut WebSocket<std::net::TcpStream>, event: &str) -> io::Result<()> {
    let wanted = format!("{{\"event\":\"{event}\"");
    loop {
        let frame = socket.read().map_err(io::Error::other)?;
        let text = frame.to_text().unwrap_or_default();
        if text.starts_with(&wanted) {
            return Ok(());
        }
        if text.starts_with("{\"event\":\"error\"") {
            return Err(io::Error::other(text.to_owned()));
        }
    }
}

/// The admin's time, and that of each other kind with the ratio: the median over rounds in which they take turns.
fn compare(plan: &Plan, askers: &mut [Asker], path: Option<&str>) -> io::Result<Vec<String>> {
    // A session may say a hundred things at once and twenty a second from there on.
    let count = plan.scaled(if path.is_some() { 30 } else { 12 });
    let mut rounds: Vec<Vec<f64>> = Vec::new();
    // The first round opens connections and fills caches.
    for _ in 0..=plan.rounds {
        let mut round = Vec::new();
        for asker in &mut *askers {
            let mut took = (0..count).map(|_| asker.ask(path)).collect::<io::Result<Vec<f64>>>()?;
            round.push(percentile(&mut took, 0.5));
        }
        rounds.push(round);
    }
    let rounds = &rounds[1..];
    let admin = median_of(rounds, |round| round[0]);
    let mut cells = vec![format!("{admin:.2}")];
    for kind in 1..askers.len() {
        let took = median_of(rounds, |round| round[kind]);
        let ratio = median_of(rounds, |round| round[kind] / round[0]);
        cells.push(format!("{took:.2}, {}", at_most(ratio, RATIO_MAX)));
    }
    Ok(cells)
}

/// What a user waits for contacts and snapshots while another, with this token, asks for this path.
fn beside(plan: &Plan, hub: &Hub, busy: &str, path: &'static str) -> io::Result<String> {
    let claims = TokenClaims::new("another", Role::Admin, clock::now(), 86_400);
    let token = mint(&claims, &SigningKey::Secret(Secret::new(SECRET)), None).unwrap_or_default();
    let mut other = Asker::connect(hub.address, &token)?;
    let over = Arc::new(AtomicBool::new(false));
    let mut dear = Vec::new();
    for _ in 0..DEAR_CONNECTIONS {
        let (mut client, over) = (Client::signed_in(hub.address, busy)?, Arc::clone(&over));
        dear.push(std::thread::spawn(
            move || while !over.load(Ordering::Relaxed) && client.get(path).is_ok() {},
        ));
    }
    let mut told = Vec::new();
    // A session may say a hundred things at once.
    for (what, path, count) in [("contacts", Some("/contacts?limit=200"), 100), ("snapshots", None, 80)] {
        let mut took = (0..plan.scaled(count)).map(|_| other.ask(path)).collect::<io::Result<Vec<f64>>>()?;
        let (p50, p99) = (percentile(&mut took, 0.5), percentile(&mut took, 0.99));
        told.push(format!("{what} p50 {p50:.1} ms, p99 {} ms", at_most(p99, BESIDE_MS_MAX)));
    }
    over.store(true, Ordering::Relaxed);
    for asking in dear {
        if asking.join().is_err() {
            return Err(io::Error::other("a connection of the busy user broke"));
        }
    }
    Ok(format!("Another user meanwhile: {}.", told.join("; ")))
}
