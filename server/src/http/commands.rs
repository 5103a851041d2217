//! `POST /api/commands`: batches of commands from the app.

use std::collections::HashSet;

use axum::Json;
use axum::extract::State;
use crewbell_shared::ids::CommandId;
use crewbell_shared::protocol::{Command, Outcome};
use crewbell_shared::{Code, Refusal};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::extract::{Body, CurrentUser};
use super::{ApiError, App};
use crate::db;

/// Maximum number of commands in a batch.
const BATCH: usize = 500;

/// Maximum number of characters of the message about an unreadable command.
const LONGEST_MESSAGE: usize = 200;

/// Commands, in the order in which they were given.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Commands {
    /// At most 500.
    #[schema(value_type = Vec<Command>, max_items = 500)]
    commands: Vec<Said>,
}

/// An item of a batch: a command, or at least a value with a command's id.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Value")]
enum Said {
    Command(Command),
    /// A command with an unknown verb, or with arguments that can't be parsed.
    Unreadable {
        id: CommandId,
        said: Value,
        why: String,
    },
}

impl TryFrom<Value> for Said {
    type Error = serde_json::Error;

    /// Fails only for a value without an id, because no outcome could be reported for it.
    fn try_from(said: Value) -> Result<Self, Self::Error> {
        #[derive(Deserialize)]
        struct Envelope {
            id: CommandId,
        }
        match Command::deserialize(&said) {
            Ok(command) => Ok(Self::Command(command)),
            Err(error) => {
                let Envelope { id } = Envelope::deserialize(&said)?;
                Ok(Self::Unreadable { id, why: error.to_string(), said })
            }
        }
    }
}

impl Said {
    fn depends_on(&self) -> Option<CommandId> {
        match self {
            Self::Command(command) => command.depends_on,
            Self::Unreadable { .. } => None,
        }
    }
}

/// What became of each command.
#[derive(Debug, Serialize, ToSchema)]
pub struct Outcomes {
    /// In the order of the commands. When the server fails in the middle, the list ends there, and the rest is to be
    /// sent again.
    outcomes: Vec<Outcome>,
    /// The log's head. The `details` of a refusal that names a request hold the request as it is now.
    head: u64,
}

/// Does a batch of commands in order, each once, and tells what became of each. One refused command doesn't hold up
/// those behind it, unless they depend on it. A command that this version doesn't know or can't read is refused by
/// itself; only one without an id makes the whole batch `invalid`.
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
    CurrentUser(who): CurrentUser,
    Body(Commands { commands }): Body<Commands>,
) -> Result<Json<Outcomes>, ApiError> {
    if commands.len() > BATCH {
        let message = format!("{BATCH} commands at most.");
        return Err(Refusal::new(Code::TooMany, message).with("limit", &BATCH).into());
    }
    let mut refused = refused_before(&app, &who.site, &commands).await?;
    let mut outcomes = Vec::with_capacity(commands.len());
    for said in commands {
        let outcome = match said {
            Said::Unreadable { id, said, why } => {
                who.site.refuse_unreadable(&who.person, id, &said, unreadable(&said, &why)).await
            }
            Said::Command(command) => match command.depends_on.filter(|on| refused.contains(on)) {
                Some(on) => who.site.refuse(&who.person, &command, depends_on_refused(on)).await,
                None => who.site.command(&who.person, command).await,
            },
        };
        match outcome {
            Ok(outcome) => {
                if outcome.refusal.is_some() {
                    refused.insert(outcome.id);
                }
                outcomes.push(outcome);
            }
            Err(error) if outcomes.is_empty() => return Err(error.into()),
            Err(_) => break,
        }
    }
    Ok(Json(Outcomes { outcomes, head: who.site.recent.head() }))
}

/// Finds the refused commands of earlier batches on which some of these depend.
async fn refused_before(
    app: &App,
    site: &crate::site_registry::OpenSite,
    commands: &[Said],
) -> Result<HashSet<CommandId>, ApiError> {
    let on: Vec<_> = commands.iter().filter_map(Said::depends_on).map(|id| id.0).collect();
    if on.is_empty() {
        return Ok(HashSet::new());
    }
    let mut tx = app.registry.db.read(site.id).await?;
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

/// Returns the refusal of an unreadable command. Its message is cleaned of control characters and cut, because part of
/// it is client input.
fn unreadable(said: &Value, why: &str) -> Refusal {
    let clean = |text: &str| {
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_MESSAGE).collect::<String>()
    };
    let verb = said.get("type").and_then(Value::as_str).map_or_else(|| "null".to_owned(), |verb| format!("`{verb}`"));
    let message = clean(&format!("This server can't read the command {}: {why}", clean(&verb)));
    Refusal::new(Code::Invalid, message).with("what", &"command")
}
