//! `crewbell-server watch`: shows a crew member's view live in a terminal.
//!
//! It is an ordinary client: it fetches a snapshot and then follows the live WebSocket from the snapshot's cursor.
//! After any failure it reconnects and continues from there.

mod api_client;
mod board;
mod follow;
mod lines;
mod model;
#[cfg(test)]
mod props;
mod screen;

use clap::{ArgGroup, Args};

use crate::cli::format::ask_secret;
use crate::clock::{Clock, Ids};

/// The arguments of `watch`.
#[derive(Clone, Debug, Args)]
#[command(
    group = ArgGroup::new("who").args(["token", "name"]).required(true),
    after_help = "Examples:
  crewbell-server watch --name Siri                     asks for the PIN
  crewbell-server watch --name Siri --pin 4711 --board
  CREWBELL_TOKEN=… crewbell-server watch --server https://ship.local

The PIN is asked for where it isn't given, so that it stands in no list of processes."
)]
pub struct WatchArgs {
    /// The server's address
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080", value_parser = api_client::server)]
    pub server: reqwest::Url,
    /// A token, as `admin token` makes it
    #[arg(long, env = "CREWBELL_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// The name to sign in with
    #[arg(long)]
    pub name: Option<String>,
    /// The PIN or password of that name; asked for when not given
    #[arg(long, requires = "name", conflicts_with = "token")]
    pub pin: Option<String>,
    /// The site's slug, where the server has several
    #[arg(long, requires = "name", conflicts_with = "token")]
    pub site: Option<String>,
    /// Show the open and accepted requests as a board, with the latest events below
    #[arg(long)]
    pub board: bool,
}

/// Shows a person's view until it is interrupted.
///
/// # Errors
/// Returns an error, as a sentence, if the first connection fails or the person may no longer sign in.
pub async fn run(args: WatchArgs, clock: &Clock, ids: &Ids) -> anyhow::Result<()> {
    let client = api_client::ApiClient::new(args.server.clone())?;
    let (token, own) = match (args.token, &args.name) {
        (Some(token), _) => (token, false),
        (None, name) => {
            let name = name.as_deref().unwrap_or_default();
            let secret = args.pin.map_or_else(|| ask_secret(name), Ok)?;
            let token =
                client.sign_in(args.site.as_deref(), name, &secret).await.map_err(api_client::ApiError::error)?;
            (token, true)
        }
    };
    let outcome = follow::follow(&client, &token, args.board, clock, ids).await;
    if own {
        client.sign_out(&token).await;
    }
    outcome
}
