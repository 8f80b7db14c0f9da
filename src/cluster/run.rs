//! The cluster's thread: connects, checks, and then publishes, follows and watches the stream until the hub ends.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix::Recipient;
use async_nats::Client;
use async_nats::jetstream::Context;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::{JoinHandle, LocalSet, spawn_local};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::compare::Comparing;
use super::duties::{Lease, open_bucket};
use super::elsewhere::TlsFor;
use super::inbox::Inbox;
use super::publisher::{Publisher, StreamOrder, WINDOW_KIB, WINDOW_RECORDS};
use super::roster::Peer;
use super::rules::Raising;
use super::settings::ClusterSettings;
use super::state::ClusterState;
use super::stream::StreamFacts;
use super::tail::Tail;
use super::telling::{HeardFromHub, Teller, Untold, listen, tell, told};
use super::watch::Watch;
use super::{ClusterError, elsewhere, nats, parse, peers, stream};
use crate::journal::queue::{Waiting, WriterFeed};
use crate::journal::{Append, StreamPlace};
use crate::sqlite::DbError;

/// How long a start waits for a connection.
pub const CONNECT_MAX: Duration = Duration::from_secs(10);
/// How long records may take that wait when the hub ends. Deliveries are in the inbox by then.
const DRAIN_MAX: Duration = Duration::from_secs(3);
const GIVE_UP_MAX: Duration = Duration::from_millis(500);
const LOOK_AFTER: Duration = Duration::from_millis(20);

/// What is known of the cluster when a hub starts.
#[derive(Debug, Clone)]
pub struct Joined {
    pub facts: StreamFacts,
    /// The other hubs that run.
    pub peers: Vec<Peer>,
}

/// Database and journal of a hub, with which it goes to work.
struct Work {
    epoch: String,
    place: StreamPlace,
    feed: WriterFeed,
    inbox: Inbox,
    load: Arc<Waiting>,
    intake: UnboundedReceiver<Append>,
    /// What the hub tells others beside records; `None` if the journal was opened before.
    untold: Option<Untold>,
    /// Is sent what other hubs of the cluster tell.
    hub: Recipient<HeardFromHub>,
    database: PathBuf,
}

enum Command {
    Identify(String, StreamPlace, oneshot::Sender<Result<(), ClusterError>>),
    Work(Box<Work>),
}

/// What a hub needs to know and to say as a member of its cluster.
#[derive(Debug, Clone)]
pub struct Membership {
    pub state: ClusterState,
    pub teller: Teller,
}

/// A hub's part in its cluster.
pub struct Cluster {
    pub member: Membership,
    untold: Mutex<Option<Untold>>,
    commands: UnboundedSender<Command>,
    is_connected: bool,
}

impl Cluster {
    /// Connects and looks at the stream. `None` if there is no connection within [`CONNECT_MAX`], or no leader: a hub that
    /// has its database already can start without.
    pub async fn join(
        settings: &ClusterSettings,
        tls: TlsFor,
    ) -> Result<(Self, Option<Joined>), ClusterError> {
        let state = ClusterState::new(&settings.node, &settings.name);
        let (commands, received) = unbounded_channel();
        let (reply, joined) = oneshot::channel();
        let (settings, seen) = (settings.clone(), state.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| ClusterError::Stream(error.to_string()))?;
        let thread = std::thread::Builder::new().name("cluster".into());
        thread
            .spawn(move || LocalSet::new().block_on(&runtime, live(settings, seen, tls, reply, received)))
            .map_err(|error| ClusterError::Stream(error.to_string()))?;
        let joined = joined.await.map_err(|_ended| ClusterError::Ended)??;
        let (teller, untold) = told();
        let (member, untold) = (Membership { state, teller }, Mutex::new(Some(untold)));
        Ok((Self { member, untold, commands, is_connected: joined.is_some() }, joined))
    }

    /// Checks that a database belongs to the stream. Without a connection that is checked later.
    pub async fn identify(&self, epoch: &str, place: StreamPlace) -> Result<(), ClusterError> {
        self.member.state.note_applied(place.position.0);
        self.member.state.identity().note_taken(place);
        if !self.is_connected {
            return Ok(());
        }
        let (reply, outcome) = oneshot::channel();
        let command = Command::Identify(epoch.to_owned(), place, reply);
        self.commands.send(command).map_err(|_ended| ClusterError::Ended)?;
        match outcome.await.map_err(|_ended| ClusterError::Ended)? {
            // It is looked at again every second; until then deliveries go into the inbox.
            Err(error) if error.is_temporary() => {
                log::warn!("{error}");
                Ok(())
            }
            checked => checked,
        }
    }

    /// The order of the stream for the journal, and what begins to feed the journal with it.
    pub fn order(
        &self,
        database: &Path,
        epoch: &str,
        place: StreamPlace,
        hub: Recipient<HeardFromHub>,
    ) -> Result<(Arc<StreamOrder>, impl FnOnce(WriterFeed) + use<>), DbError> {
        let inbox = Inbox::open(database, self.member.state.clone())?;
        let load = Arc::new(Waiting::default());
        let (sender, intake) = unbounded_channel();
        let order = StreamOrder { intake: sender, load: Arc::clone(&load), state: self.member.state.clone() };
        let untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (commands, epoch, database) = (self.commands.clone(), epoch.to_owned(), database.to_path_buf());
        let begin = move |feed| {
            let work = Work { epoch, place, feed, inbox, load, intake, untold, hub, database };
            if commands.send(Command::Work(Box::new(work))).is_err() {
                log::error!("the cluster's thread has ended");
            }
        };
        Ok((Arc::new(order), begin))
    }
}

async fn live(
    settings: ClusterSettings,
    state: ClusterState,
    tls: TlsFor,
    reply: oneshot::Sender<Result<Option<Joined>, ClusterError>>,
    mut commands: UnboundedReceiver<Command>,
) {
    let connected = nats::connect(&settings, &state).await;
    let client = match connected {
        Ok(client) => client,
        Err(error) => return drop(reply.send(Err(error))),
    };
    let context = nats::context(client.clone());
    let joined = join(&client, &context, &settings, &state).await;
    if reply.send(joined).is_err() {
        return;
    }
    while let Some(command) = commands.recv().await {
        match command {
            Command::Identify(epoch, place, reply) => {
                let outcome = identify(&context, &settings, &epoch, place).await;
                if outcome.is_ok() {
                    state.identity().note(true);
                }
                if reply.send(outcome).is_err() {
                    return;
                }
            }
            Command::Work(work) => return work.run(client, context, settings, state, tls).await,
        }
    }
}

/// `None` if there is no connection, or the servers have no leader for the stream, and that does not change within
/// [`CONNECT_MAX`].
async fn join(
    client: &Client,
    context: &Context,
    settings: &ClusterSettings,
    state: &ClusterState,
) -> Result<Option<Joined>, ClusterError> {
    let end = Instant::now() + CONNECT_MAX;
    if !wait_for_connection(client, state).await {
        return Ok(None);
    }
    nats::check_server(client)?;
    loop {
        let looked = timeout_at(end, look(context, settings)).await;
        let trouble = match looked {
            Ok(Err(error)) if error.is_temporary() => error.to_string(),
            Ok(looked) => return looked.map(Some),
            Err(_elapsed) => return Ok(None),
        };
        state.note_trouble(trouble);
        sleep(LOOK_AFTER).await;
    }
}

async fn look(context: &Context, settings: &ClusterSettings) -> Result<Joined, ClusterError> {
    let (_, facts) = stream::open(context, settings).await?;
    let store = open_bucket(context, settings, facts.replicas).await.map_err(ClusterError::Stream)?;
    let mut peers = peers::others(&store, &settings.node).await.map_err(ClusterError::Stream)?;
    peers.retain(|peer| !peer.told.leaving);
    Ok(Joined { facts, peers })
}

/// Waits for [`CONNECT_MAX`]. False if there is no connection then.
pub async fn wait_for_connection(client: &Client, state: &ClusterState) -> bool {
    let waited = timeout(CONNECT_MAX, async {
        while !nats::is_connected(client) {
            sleep(LOOK_AFTER).await;
        }
    });
    let is_connected = waited.await.is_ok();
    state.note_connected(is_connected);
    is_connected
}

async fn identify(
    context: &Context,
    settings: &ClusterSettings,
    epoch: &str,
    place: StreamPlace,
) -> Result<(), ClusterError> {
    let (stream, facts) = stream::open(context, settings).await?;
    stream::identify(&stream, &facts, epoch, place).await
}

impl Work {
    /// Works until the journal is closed and what waited is settled.
    async fn run(
        self,
        client: Client,
        context: Context,
        settings: ClusterSettings,
        state: ClusterState,
        tls: TlsFor,
    ) {
        let Self { epoch, place, feed, inbox, load, intake, untold, hub, database } = self;
        let boot = format!("{:08x}", rand::random::<u32>());
        let expected = Rc::new(RefCell::new(HashMap::new()));
        let publisher = Rc::new(Publisher {
            client: client.clone(),
            context: context.clone(),
            settings: settings.clone(),
            state: state.clone(),
            inbox,
            load: Arc::clone(&load),
            expected: Rc::clone(&expected),
            boot: boot.clone(),
            number: Cell::new(1),
            records: Semaphore::new(WINDOW_RECORDS),
            kib: Semaphore::new(WINDOW_KIB),
        });
        let (parser, streamed) = parse::channel();
        let told = state.clone();
        let parsing = std::thread::Builder::new()
            .name("parse".into())
            .spawn(move || parse::run(streamed, &feed, &told, place.at));
        if let Err(error) = parsing {
            return state.halt().begin(format!("a thread does not start: {error}"));
        }
        let closing = Arc::new(AtomicBool::new(false));
        let me = format!("{}-{boot}", settings.node);
        let lease = Lease {
            publisher: Rc::clone(&publisher),
            context: context.clone(),
            settings: settings.clone(),
            state: state.clone(),
            me,
            closing: Arc::clone(&closing),
            seen: None,
        };
        let tail = Tail {
            context: context.clone(),
            settings: settings.clone(),
            state: state.clone(),
            expected,
            parser,
            epoch: epoch.clone(),
            handed: place,
        };
        let mut telling = Vec::from([spawn_local(listen(client.clone(), settings.clone(), hub))]);
        telling.extend(untold.map(|untold| spawn_local(tell(client.clone(), settings.clone(), untold))));
        let watch = Watch {
            client,
            context: context.clone(),
            settings: settings.clone(),
            state: state.clone(),
            epoch,
            goal: None,
            shorter_since: None,
        };
        let comparing = Comparing::new(watch.client.clone(), settings.clone(), state.clone(), database);
        let tailing = spawn_local(tail.run());
        let lease = spawn_local(lease.run());
        let exchange = peers::Exchange::new(context.clone(), settings.clone(), state.clone(), boot);
        let exchange = spawn_local(exchange.run());
        let tasks = [
            spawn_local(Raising::new(&publisher, &context, &settings, &state).run()),
            spawn_local(Rc::clone(&publisher).run(intake)),
            spawn_local(publisher.empty_inbox()),
            spawn_local(watch.run()),
            spawn_local(elsewhere::run(state.clone(), tls)),
            spawn_local(comparing.run()),
        ];
        let watched = tasks.iter().chain([&tailing, &lease, &exchange]);
        until_closing(&load, watched, &state).await;
        closing.store(true, Ordering::Release);
        end(exchange).await;
        say_goodbye(&context, &settings, &state).await;
        drain(&load).await;
        // Another hub takes the duties at once if they are given up, and after seconds otherwise.
        if timeout(GIVE_UP_MAX, lease).await.is_err() {
            log::debug!("the duties were not given up in time");
        }
        // With the tail the parser ends, and then the writer.
        end(tailing).await;
        for task in tasks.into_iter().chain(telling) {
            end(task).await;
        }
    }
}

/// Waits until the journal is closed. A task that ends before has failed, and the rest alone would only seem to work.
async fn until_closing<'a>(
    load: &Waiting,
    tasks: impl Iterator<Item = &'a JoinHandle<()>> + Clone,
    state: &ClusterState,
) {
    while !load.is_closing() {
        if !state.halt().takes_nothing() && tasks.clone().any(JoinHandle::is_finished) {
            state.halt().begin(
                "a part of this hub that works with the stream has ended; start the hub again".to_owned(),
            );
        }
        sleep(LOOK_AFTER).await;
    }
}

/// Tells the others that this hub ends, so that they count on it no longer. What it told before is on its way then.
async fn say_goodbye(context: &Context, settings: &ClusterSettings, state: &ClusterState) {
    let said = peers::say_goodbye(context, settings, state);
    if !matches!(timeout(GIVE_UP_MAX, said).await, Ok(Ok(()))) {
        log::debug!("the other hubs were not told that this one ends");
    }
}

/// Waits until what waited when the journal was closed is settled.
async fn drain(load: &Waiting) {
    let end = Instant::now() + DRAIN_MAX;
    while load.deliveries() > 0 && Instant::now() < end {
        sleep(LOOK_AFTER).await;
    }
}

async fn end(task: JoinHandle<()>) {
    task.abort();
    if let Err(error) = task.await
        && !error.is_cancelled()
    {
        log::error!("a task of the cluster failed: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_that_ends_while_the_hub_runs_halts_it() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        LocalSet::new().block_on(&runtime, async {
            let (load, state) = (Arc::new(Waiting::default()), ClusterState::new("a", "hub"));
            let tasks = [spawn_local(std::future::pending()), spawn_local(std::future::ready(()))];
            let (closing, halted) = (Arc::clone(&load), state.clone());
            let closes = spawn_local(async move {
                while !halted.halt().is_on() {
                    sleep(LOOK_AFTER).await;
                }
                closing.close();
            });
            until_closing(&load, tasks.iter(), &state).await;
            closes.await.unwrap();
        });
    }
}
