//! `umbler-hub health`: asks a running hub whether it is ready; for Docker's health check.

use super::{ToolError, post, print};
use crate::config::values::environment;

/// Whom to ask.
#[derive(Debug, clap::Args)]
pub struct HealthArgs {
    /// The hub's address; this machine and PORT where none is given.
    #[arg(long)]
    url: Option<String>,
}

/// An error where the hub does not answer, or is not ready.
pub fn run(args: &HealthArgs) -> Result<(), ToolError> {
    let own = || format!("http://127.0.0.1:{}", environment("PORT").unwrap_or_else(|| "3001".to_owned()));
    let url = format!("{}/health/ready", args.url.clone().unwrap_or_else(own).trim_end_matches('/'));
    let mut response = post::agent()
        .get(&url)
        .call()
        .map_err(|error| ToolError::Found(format!("{url} does not answer: {error}")))?;
    let text = response.body_mut().read_to_string().unwrap_or_default();
    if response.status().as_u16() == 200 {
        return print(&format!("{text}\n"));
    }
    Err(ToolError::Found(format!("not ready: {text}")))
}
