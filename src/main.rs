//! The command line: reads the arguments, and runs the hub or one of its tools.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use mimalloc::MiMalloc;
use umbler_hub::facade::program::{
    self, AcceptArgs, Application, BackupArgs, CheckArgs, ClusterArgs, Config, EXIT_ANEW, EraseArgs,
    HealthArgs, MembersArgs, RebuildArgs, RecomputeArgs, ReplayArgs, RestoreArgs, ServeArgs, SimulateArgs,
    StartError, StopSignal, Stopped, TokenArgs, ToolError, Values, chain, print,
};

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
    /// Post recorded deliveries from a file, one per line; resumes where it stopped.
    Replay(ReplayArgs),
    /// Make a token that a hub with these settings accepts.
    Token(TokenArgs),
    /// Show the settings in force and what is wrong with them.
    Check(CheckArgs),
    /// Ask a running hub whether it is ready.
    Health(HealthArgs),
    /// Copy the database, while the hub runs or not.
    Backup(BackupArgs),
    /// Replace the database by a backup; the hub must be stopped.
    Restore(RestoreArgs),
    /// Give a running hub the names of agents.
    Members(MembersArgs),
    /// Compute the metrics again; the hub must be stopped.
    Recompute(RecomputeArgs),
    /// Compute everything again that follows from the stored records; the hub must be stopped.
    Rebuild(RebuildArgs),
    /// Erase a person's data; the hub must be stopped.
    Erase(EraseArgs),
    /// Continue with what is left after deliveries were lost; the hub must be stopped.
    AcceptDataLoss(AcceptArgs),
    /// Begin a cluster of several hubs, leave it, compare its hubs, or have them skip a record.
    Cluster(ClusterArgs),
}

/// The exit code for wrong settings, so that a script can tell them from other failures.
const EXIT_SETTINGS: u8 = 2;

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Tool(#[from] ToolError),
    #[error("stopped, so that the next start gets a copy of another hub's database")]
    BeginAnew,
}

fn main() -> ExitCode {
    program::keep_new_files_private();
    let cli = Cli::parse();
    let outcome = match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(args) => serve(&args),
        Command::Simulate(args) => program::simulate(&args).map_err(Failure::from),
        Command::Replay(args) => program::replay(&args).map_err(Failure::from),
        Command::Token(args) => program::token(args).map_err(Failure::from),
        Command::Check(args) => program::check(&args).map_err(Failure::from),
        Command::Health(args) => program::health(&args).map_err(Failure::from),
        Command::Backup(args) => program::backup(&args).map_err(Failure::from),
        Command::Restore(args) => program::restore(&args).map_err(Failure::from),
        Command::Members(args) => program::members(&args).map_err(Failure::from),
        Command::Recompute(args) => program::recompute(&args).map_err(Failure::from),
        Command::Rebuild(args) => program::rebuild(&args).map_err(Failure::from),
        Command::Erase(args) => program::erase(&args).map_err(Failure::from),
        Command::Cluster(args) => program::cluster(&args).map_err(Failure::from),
        Command::AcceptDataLoss(args) => program::accept_data_loss(&args).map_err(Failure::from),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => report(&failure),
    }
}

/// Prints the error and its causes in one sentence.
#[expect(clippy::print_stderr, reason = "the error of a program that fails goes where people look")]
fn report(failure: &Failure) -> ExitCode {
    eprintln!("umbler-hub: {}", chain(failure));
    match failure {
        Failure::Tool(ToolError::Config(_)) => ExitCode::from(EXIT_SETTINGS),
        Failure::BeginAnew => ExitCode::from(EXIT_ANEW),
        Failure::Tool(_) | Failure::Start(_) => ExitCode::FAILURE,
    }
}

fn serve(args: &ServeArgs) -> Result<(), Failure> {
    let stop = StopSignal::listen().map_err(StartError::from)?;
    let settings = Values::collect(args).and_then(|values| Config::read(&values)).map_err(ToolError::from)?;
    program::start_log(settings.log_format, &settings.log_filter);
    for warning in settings.warnings() {
        log::warn!("{warning}");
    }
    actix_web::rt::System::new().block_on(async {
        let application = Application::build(settings).await?;
        let address = application.address();
        log::info!("listening on http://{address}");
        print(&format!("listening on http://{address}\n"))?;
        match application.run(stop).await? {
            Stopped::Asked => Ok(()),
            Stopped::ToBeginAnew => Err(Failure::BeginAnew),
        }
    })
}
