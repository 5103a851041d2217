//! `GET /api/call/signals`

use axum::Json;
use crewbell_shared::Refusal;
use crewbell_shared::ids::{CallId, EndpointId};
use crewbell_shared::protocol::live::{FromServer, Signal};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::http::ApiError;
use crate::http::extract::{CurrentUser, Query};

/// Whose signals.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// Of which call.
    call_id: CallId,
    /// The asker's end: the `endpoint` that the call was made or answered with.
    endpoint: EndpointId,
}

/// Something from the other end.
#[derive(Debug, Serialize, ToSchema)]
pub struct Received {
    /// Which call.
    call_id: CallId,
    /// The other end.
    from: EndpointId,
    /// What.
    signal: Signal,
}

/// What came.
#[derive(Debug, Serialize, ToSchema)]
pub struct Signals {
    /// Oldest first; none of it is given twice.
    items: Vec<Received>,
}

/// Takes the signals that the other end of a live call sent, for a client without a live socket. From the first request
/// on, up to 128 of them are queued until the call is over.
#[utoipa::path(
    get,
    path = "/api/call/signals",
    tag = "calls",
    params(Params),
    responses((status = 200, body = Signals), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn signals(CurrentUser(who): CurrentUser, Query(asked): Query<Params>) -> Result<Json<Signals>, ApiError> {
    let (switchboard, end) = (&who.site.switchboard, (who.person.id, asked.endpoint));
    switchboard.until(who.site.recent.head()).await;
    switchboard.open_mailbox(asked.call_id, end)?;
    let received = |frame| match frame {
        FromServer::Signal { call_id, from, signal } => Some(Received { call_id, from, signal }),
        // Presence shows whether the other end is connected.
        FromServer::Peer { .. }
        | FromServer::SignalRefused { .. }
        | FromServer::Welcome { .. }
        | FromServer::Entries { .. }
        | FromServer::Present { .. }
        | FromServer::Seen { .. }
        | FromServer::Reached { .. }
        | FromServer::Pulse { .. }
        | FromServer::Refused { .. }
        | FromServer::Bye { .. }
        | FromServer::Unknown => None,
    };
    Ok(Json(Signals { items: switchboard.collect(end).into_iter().filter_map(received).collect() }))
}
