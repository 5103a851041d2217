//! `POST /api/commands`: the app's door.

use std::collections::HashSet;

use axum::Json;
use axum::extract::State;
use crewbell_shared::ids::CommandId;
use crewbell_shared::protocol::{Command, Outcome};
use crewbell_shared::{Code, Refusal};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::extract::{Body, Who};
use super::{ApiError, App};
use crate::db;

/// Commands in one batch at most.
const BATCH: usize = 500;

/// Commands, in the order in which they were given.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Commands {
    /// At most 500.
    commands: Vec<Command>,
}

/// What became of each command.
#[derive(Debug, Serialize, ToSchema)]
pub struct Outcomes {
    /// In the order of the commands. When the server fails in the middle, the list ends there, and the rest is to be
    /// sent again.
    outcomes: Vec<Outcome>,
    /// For each refusal that names a request, the request as it is now is in its `details`; this is the log's head.
    head: u64,
}

/// Does a batch of commands in order, each once, and tells what became of each. One refused command doesn't hold up
/// those behind it, unless they depend on it.
#[utoipa::path(
    post,
    path = "/api/commands",
    tag = "sync",
    request_body = Commands,
    responses((status = 200, body = Outcomes), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn commands(
    State(app): State<App>,
    Who(who): Who,
    Body(Commands { commands }): Body<Commands>,
) -> Result<Json<Outcomes>, ApiError> {
    if commands.len() > BATCH {
        let message = format!("{BATCH} commands at most.");
        return Err(Refusal::new(Code::TooMany, message).with("limit", &BATCH).into());
    }
    let mut refused = refused_before(&app, &who.site, &commands).await?;
    let mut outcomes = Vec::with_capacity(commands.len());
    for command in commands {
        let id = command.id;
        let outcome = match command.depends_on.filter(|on| refused.contains(on)) {
            Some(on) => who.site.refuse(&who.person, &command, depends_on_refused(on)).await,
            None => who.site.command(&who.person, command).await,
        };
        match outcome {
            Ok(outcome) => {
                if outcome.refusal.is_some() {
                    refused.insert(id);
                }
                outcomes.push(outcome);
            }
            Err(error) if outcomes.is_empty() => return Err(error.into()),
            Err(_) => break,
        }
    }
    Ok(Json(Outcomes { outcomes, head: who.site.tail.head() }))
}

/// Commands of earlier batches that were refused and on which some of these depend.
async fn refused_before(
    app: &App,
    site: &crate::house::OpenSite,
    commands: &[Command],
) -> Result<HashSet<CommandId>, ApiError> {
    let on: Vec<_> = commands.iter().filter_map(|command| command.depends_on).map(|id| id.0).collect();
    if on.is_empty() {
        return Ok(HashSet::new());
    }
    let mut tx = app.house.db.read(site.id).await?;
    let decided = db::commands::find(&mut tx, site.id, &on).await?;
    Ok(decided
        .into_iter()
        .filter(|decided| decided.outcome.refusal.is_some())
        .map(|decided| decided.outcome.id)
        .collect())
}

fn depends_on_refused(on: CommandId) -> Refusal {
    Refusal::new(Code::DependsOnRefused, "What it depends on was refused.").with("depends_on", &on)
}
