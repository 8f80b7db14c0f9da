//! The command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use mimalloc::MiMalloc;
use umbler_hub::app::stop::StopSignal;
use umbler_hub::app::{Application, StartError};
use umbler_hub::config::{ServeArgs, Settings, Values};
use umbler_hub::sqlite::private;
use umbler_hub::telemetry::causes::chain;
use umbler_hub::telemetry::log_format;
use umbler_hub::tools::backup::{self, BackupArgs};
use umbler_hub::tools::check::{self, CheckArgs};
use umbler_hub::tools::health::{self, HealthArgs};
use umbler_hub::tools::members::{self, MembersArgs};
use umbler_hub::tools::rebuild::{self, RebuildArgs};
use umbler_hub::tools::recompute::{self, RecomputeArgs};
use umbler_hub::tools::replay::{self, ReplayArgs};
use umbler_hub::tools::restore::{self, AcceptArgs, RestoreArgs};
use umbler_hub::tools::simulate::{self, SimulateArgs};
use umbler_hub::tools::token::{self, TokenArgs};
use umbler_hub::tools::{ToolError, print};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Realtime hub for teams that work in WhatsApp through Umbler Talk.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the hub (the default).
    Serve(ServeArgs),
    /// Post a believable working day to a hub.
    Simulate(SimulateArgs),
    /// Post recorded deliveries, one a line; resumes where it stopped.
    Replay(ReplayArgs),
    /// Make a token that this hub accepts.
    Token(TokenArgs),
    /// Show the settings in force and what is wrong with them.
    Check(CheckArgs),
    /// Ask a running hub whether it is ready.
    Health(HealthArgs),
    /// Copy the database, while the hub runs or not.
    Backup(BackupArgs),
    /// Put a backup in the place of the database; the hub must be stopped.
    Restore(RestoreArgs),
    /// Give a running hub the names of agents.
    Members(MembersArgs),
    /// Compute the metrics anew, with a bar; the hub must be stopped.
    Recompute(RecomputeArgs),
    /// Make everything again that follows from the stored records; the hub must be stopped.
    Rebuild(RebuildArgs),
    /// Go on after deliveries were lost, with what is left; the hub must be stopped.
    AcceptDataLoss(AcceptArgs),
}

/// Wrong settings; a script can tell them from other failures.
const EXIT_SETTINGS: u8 = 2;

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Tool(#[from] ToolError),
}

fn main() -> ExitCode {
    private::begin();
    let cli = Cli::parse();
    let outcome = match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(args) => serve(&args),
        Command::Simulate(args) => simulate::run(&args).map_err(Failure::from),
        Command::Replay(args) => replay::run(&args).map_err(Failure::from),
        Command::Token(args) => token::run(args).map_err(Failure::from),
        Command::Check(args) => check::run(&args).map_err(Failure::from),
        Command::Health(args) => health::run(&args).map_err(Failure::from),
        Command::Backup(args) => backup::run(&args).map_err(Failure::from),
        Command::Restore(args) => restore::restore(&args).map_err(Failure::from),
        Command::Members(args) => members::run(&args).map_err(Failure::from),
        Command::Recompute(args) => recompute::run(&args).map_err(Failure::from),
        Command::Rebuild(args) => rebuild::run(&args).map_err(Failure::from),
        Command::AcceptDataLoss(args) => restore::accept(&args).map_err(Failure::from),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => report(&failure),
    }
}

/// One clear sentence, with its causes.
#[expect(clippy::print_stderr, reason = "the last word of a program that fails goes where people look")]
fn report(failure: &Failure) -> ExitCode {
    eprintln!("umbler-hub: {}", chain(failure));
    match failure {
        Failure::Tool(ToolError::Config(_)) => ExitCode::from(EXIT_SETTINGS),
        Failure::Tool(_) | Failure::Start(_) => ExitCode::FAILURE,
    }
}

fn serve(args: &ServeArgs) -> Result<(), Failure> {
    let stop = StopSignal::listen().map_err(StartError::from)?;
    let settings =
        Values::collect(args).and_then(|values| Settings::read(&values)).map_err(ToolError::from)?;
    log_format::start(settings.log_format, &settings.log_filter);
    for warning in settings.warnings() {
        log::warn!("{warning}");
    }
    actix_web::rt::System::new().block_on(async {
        let application = Application::build(settings).await?;
        let address = application.address();
        log::info!("listening on http://{address}");
        print(&format!("listening on http://{address}\n"))?;
        Ok(application.run(stop).await?)
    })
}
