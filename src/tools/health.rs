//! `umbler-hub health`: asks a running hub whether it is ready; for Docker's health check.

use super::{ToolError, post, print};
use crate::config::{ServeArgs, Values};

/// Which hub to ask whether it is ready.
#[derive(Debug, clap::Args)]
pub struct HealthArgs {
    /// Address of the hub. Default: the hub of the settings in this folder.
    #[arg(long)]
    url: Option<String>,
}

/// Fails where the hub does not answer, or is not ready.
pub fn run(args: &HealthArgs) -> Result<(), ToolError> {
    let values = Values::collect(&ServeArgs::default())?;
    let url = format!("{}/health/ready", post::hub_url(args.url.as_deref(), &values)?);
    let mut response = post::agent(&url)?
        .get(&url)
        .call()
        .map_err(|error| ToolError::Found(format!("{url} does not answer: {error}")))?;
    let text = response.body_mut().read_to_string().unwrap_or_default();
    if response.status().as_u16() == 200 {
        return print(&format!("{text}\n"));
    }
    Err(ToolError::Found(format!("not ready: {text}")))
}
