//! `/api/call` and `/api/calls`: voice calls for clients that poll, with the signalling and ICE servers for those that
//! have a voice.

mod get;
mod ice;
mod list;
mod missed;
mod signal;
mod signals;

use axum::Json;
use crewbell_shared::call::Call;
use crewbell_shared::call::CallVerb;
use crewbell_shared::ids::CallId;
use crewbell_shared::protocol::{Outcome, Verb};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{CurrentUser, IdempotencyKey};
use super::{ApiError, App, command};
use crate::db::calls;

/// The endpoints of calls.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(missed::missed))
        .routes(routes!(signal::signal))
        .routes(routes!(signals::signals))
        .routes(routes!(ice::ice))
        .routes(routes!(get::get))
        .routes(routes!(list::list))
}

/// What became of a command about a call, and the call as it is then.
#[derive(Debug, Serialize, ToSchema)]
pub struct CallOutcome {
    #[serde(flatten)]
    outcome: Outcome,
    /// The call. When two people call each other, it is the call that was made first.
    call: Call,
}

/// Runs a command about a call and returns the call's state afterwards.
pub(super) async fn run(
    app: &App,
    who: &CurrentUser,
    key: IdempotencyKey,
    verb: Verb,
) -> Result<Json<CallOutcome>, ApiError> {
    let Some(call_id) = verb.subject().map(|subject| CallId(subject.id)) else {
        return Err(ApiError::not_found("call"));
    };
    let callee = if let Verb::Call(CallVerb::Start { callee_id, .. }) = verb { Some(callee_id) } else { None };
    let endpoint = if let Verb::Call(CallVerb::Start { endpoint, .. } | CallVerb::Answer { endpoint, .. }) = verb {
        endpoint
    } else {
        None
    };
    let Json(outcome) = command::run(who, key, verb).await?;
    let (site, me) = (&who.0.site, who.0.person.id);
    let mut tx = app.registry.db.read(site.id).await?;
    let mut call = calls::find(&mut tx, site.id, call_id).await?;
    if let (None, Some(callee)) = (&call, callee) {
        call = calls::live_between(&mut tx, site.id, me, callee).await?;
    }
    let call = call.ok_or_else(|| ApiError::not_found("call"))?;
    drop(tx);
    if let Some(end) = endpoint.map(|endpoint| (me, endpoint)).filter(|end| !site.switchboard.is_plugged_in(*end)) {
        site.switchboard.until(site.recent.head()).await;
        // Signals may arrive before the client polls for the first time. A call that is over by now needs no mailbox.
        // If there is no room for one, the client is told so when it polls.
        let _ = site.switchboard.open_mailbox(call.id, end);
    }
    Ok(Json(CallOutcome { outcome, call }))
}

/// Finds a call by its id.
async fn find(app: &App, who: &CurrentUser, id: CallId) -> Result<Call, ApiError> {
    let mut tx = app.registry.db.read(who.0.site.id).await?;
    calls::find(&mut tx, who.0.site.id, id).await?.ok_or_else(|| ApiError::not_found("call"))
}
