//! `umbler-hub cluster begin` and `leave`: from one hub to several, and back. `compare` and `skip`: what an operator needs where hubs
//! differ, or cannot go on.

use clap::Subcommand;

use super::{ToolError, print};
use crate::cluster::skips::GoOn;
use crate::cluster::state::ClusterState;
use crate::cluster::{ClusterError, ClusterSettings, inbox, nats, run, skips, stream};
use crate::config::{Config, ServeArgs, Values};
use crate::domain::Seq;
use crate::journal::head::{EPOCH_KEY, last_seq};
use crate::journal::rules::RULES;
use crate::journal::schema::{self, Opened};
use crate::journal::{StreamPlace, digest, duties, meta, rules};
use crate::sqlite::open::read_only;
use crate::telemetry::causes::chain;

/// Page cache in KiB for reading the whole database once.
const CACHE_KIB: i64 = 8_192;

/// What to do with the cluster.
#[derive(Debug, clap::Args)]
pub struct ClusterArgs {
    #[command(subcommand)]
    command: ClusterCommand,
}

#[derive(Debug, Subcommand)]
enum ClusterCommand {
    /// Make the stream of a cluster, which goes on behind this database; the hub must be stopped.
    Begin(BeginArgs),
    /// Take this database out of its cluster; the hub must be stopped.
    Leave(LeaveArgs),
    /// Print a digest of every table, to compare hubs that have applied the same position.
    Compare(CompareArgs),
    /// Have every hub pass over a record that none of them can read or store, and keep it as an unrecognized delivery.
    Skip(SkipArgs),
}

#[derive(Debug, clap::Args)]
struct BeginArgs {
    /// Replace a stream that exists. What it holds and this database does not is lost. If the database belonged to a
    /// cluster, it begins another epoch, and the other hubs need copies of it.
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Debug, clap::Args)]
struct LeaveArgs {
    /// Leave although the stream holds more, or does not answer. The database begins another epoch.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Debug, clap::Args)]
struct CompareArgs {
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Debug, clap::Args)]
struct SkipArgs {
    /// The position of the record, as the hubs say where they halted.
    seq: i64,
    #[command(flatten)]
    serve: ServeArgs,
}

/// Runs the subcommand.
pub fn run(args: &ClusterArgs) -> Result<(), ToolError> {
    match &args.command {
        ClusterCommand::Begin(args) => begin(args),
        ClusterCommand::Leave(args) => leave(args),
        ClusterCommand::Compare(args) => compare(args),
        ClusterCommand::Skip(args) => skip(args),
    }
}

/// A failure that ends the tool.
fn found(error: &(dyn std::error::Error + 'static)) -> ToolError {
    ToolError::Found(chain(error))
}

fn read(args: &ServeArgs) -> Result<(Config, ClusterSettings), ToolError> {
    let config = Config::read(&Values::collect(args)?)?;
    let cluster = config.cluster_settings();
    let cluster = cluster.ok_or_else(|| ToolError::Found("NATS_URL: must be set".to_owned()))?;
    Ok((config, cluster))
}

/// Runs one conversation with the NATS servers.
fn ask<T>(
    settings: &ClusterSettings,
    work: impl AsyncFnOnce(async_nats::jetstream::Context) -> Result<T, ClusterError>,
) -> Result<T, ToolError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(ToolError::io("cannot begin to connect"))?;
    let state = ClusterState::new(&settings.node, &settings.name);
    let outcome = runtime.block_on(async {
        let client = nats::connect(settings, &state).await?;
        if !run::wait_for_connection(&client, &state).await {
            let (servers, reason) = (settings.access.servers.join(","), state.trouble());
            return Err(ClusterError::Connect { servers, reason });
        }
        nats::check_server(&client)?;
        work(nats::context_of_command(client)).await
    });
    outcome.map_err(|error| found(&error))
}

fn begin(args: &BeginArgs) -> Result<(), ToolError> {
    let (config, settings) = read(&args.serve)?;
    let path = &config.database_path;
    let mut opened = if args.replace { schema::open_any(path) } else { schema::open(path) }
        .map_err(|error| found(&error))?;
    let newest = end_of(&opened);
    if opened.place.is_some() {
        opened.begin_epoch().map_err(|error| found(&error))?;
    }
    let epoch = opened.epoch.clone();
    let replicas = ask(&settings, async |context| {
        stream::make_room(&context, &settings, args.replace).await?;
        // What an operator had skipped was of the stream before. In this one other records get those positions.
        skips::forget(&context, &settings).await?;
        stream::create(&context, &settings, &epoch, newest).await
    })?;
    opened.enter_cluster(newest).map_err(|error| found(&error))?;
    let warning = if replicas < 3 {
        "\none NATS server keeps the stream: this is for trying it out, three are needed to lose nothing"
    } else {
        ""
    };
    print(&format!(
        "{}: the cluster {} begins behind position {newest}, epoch {epoch}{warning}\n",
        path.display(),
        settings.name
    ))
}

/// Digests of one moment, whether a hub runs on the database or not.
fn compare(args: &CompareArgs) -> Result<(), ToolError> {
    let path = Config::read(&Values::collect(&args.serve)?)?.database_path;
    let digests = || {
        let mut connection = read_only(&path, CACHE_KIB)?;
        let moment = connection.transaction()?;
        let position = StreamPlace::load(&moment)?.map_or(last_seq(&moment)?, |place| place.position);
        let epoch = meta::get(&moment, EPOCH_KEY)?.unwrap_or_default();
        let fence = duties::in_force(&moment)?.unwrap_or_default();
        let rules = rules::in_force(&moment)?.unwrap_or(RULES);
        let tables = digest::tables(&moment)?;
        let lines = tables.iter().map(|(table, digest)| format!("{table} {digest}\n"));
        Ok(format!(
            "position {position}, epoch {epoch}, rules {rules}, duties {fence}\n{}",
            lines.collect::<String>()
        ))
    };
    let printed: rusqlite::Result<String> = digests();
    print(&printed.map_err(|error| ToolError::Found(format!("{}: {error}", path.display())))?)
}

fn skip(args: &SkipArgs) -> Result<(), ToolError> {
    let (_, settings) = read(&args.serve)?;
    let position = Seq(args.seq);
    let go_on = ask(&settings, async |context| skips::skip(&context, &settings, position).await)?;
    let next = match go_on {
        GoOn::AtOnce => "",
        GoOn::Restarted => "; it can be read, but was not stored, so start each hub again now",
    };
    print(&format!(
        "the record at position {position} is skipped: hubs keep it as an unrecognized delivery, and go on behind it{next}\n"
    ))
}

/// The newest position that the database or its stream has used.
fn end_of(opened: &Opened) -> Seq {
    opened.place.map_or(opened.newest, |place| place.position.max(opened.newest))
}

fn leave(args: &LeaveArgs) -> Result<(), ToolError> {
    let (config, settings) = read(&args.serve)?;
    let path = &config.database_path;
    let mut opened = schema::open_any(path).map_err(|error| found(&error))?;
    let Some(place) = opened.place else {
        return Err(ToolError::Found(format!("the database {} belongs to no cluster", path.display())));
    };
    let waiting = inbox::count(path).map_err(|error| found(&error))?;
    if waiting > 0 {
        return Err(ToolError::Found(format!(
            "{waiting} deliveries wait in the inbox; start the hub with NATS_URL until it has published them"
        )));
    }
    if args.force {
        opened.begin_epoch().map_err(|error| found(&error))?;
    } else {
        let (_, facts) = ask(&settings, async |context| stream::open(&context, &settings).await)?;
        let applied = place.position.0.unsigned_abs();
        if facts.last != applied || facts.epoch != opened.epoch {
            return Err(ToolError::Found(format!(
                "the stream ends at position {} of epoch {}, and this database at {applied} of {}; start the hub with \
                 NATS_URL until it has the rest, or use --force",
                facts.last, facts.epoch, opened.epoch
            )));
        }
    }
    opened.leave_cluster().map_err(|error| found(&error))?;
    print(&format!("{}: on its own from now on; unset NATS_URL before it starts\n", path.display()))
}
