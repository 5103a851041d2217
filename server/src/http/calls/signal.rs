//! `POST /api/call/signal`

use axum::http::StatusCode;
use crewbell_shared::ids::{CallId, EndpointId};
use crewbell_shared::protocol::live::Signal;
use crewbell_shared::{Code, Refusal};
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::http::ApiError;
use crate::http::extract::{Body, CurrentUser};
use crate::live::LARGEST_SIGNAL;

/// Something for the other end of a call.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Sent {
    /// Which call.
    call_id: CallId,
    /// The end that says it: the `endpoint` that the call was made or answered with.
    from: EndpointId,
    /// The other end's `endpoint`.
    to: EndpointId,
    /// What; 16 KiB at most.
    #[schema(value_type = Signal)]
    signal: Box<RawValue>,
}

/// Says something to the other end of a live call, for a client without a live socket. It is handed on at once and
/// never kept; at most 100 in a row, and 20 a second.
#[utoipa::path(
    post,
    path = "/api/call/signal",
    tag = "calls",
    request_body = Sent,
    responses((status = 204, description = "It was handed on."), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn signal(CurrentUser(who): CurrentUser, Body(sent): Body<Sent>) -> Result<StatusCode, ApiError> {
    let Sent { call_id, from, to, signal } = sent;
    if signal.get().len() > LARGEST_SIGNAL {
        return Err(Refusal::new(Code::TooLarge, "A signal is 16 KiB at most.").with("limit", &LARGEST_SIGNAL).into());
    }
    let signal: Signal = serde_json::from_str(signal.get())
        .map_err(|error| Refusal::invalid("signal", format!("The signal can't be read: {error}.")))?;
    if signal == Signal::Unknown {
        return Err(Refusal::invalid("signal", "This server knows no such signal.").into());
    }
    let (switchboard, end) = (&who.site.switchboard, (who.person.id, from));
    switchboard.until(who.site.recent.head()).await;
    switchboard.open_mailbox(call_id, end)?;
    if !switchboard.may_post(end) {
        return Err(ApiError::new(Code::SlowDown, "Too many signals."));
    }
    switchboard.signal(end, call_id, to, signal)?;
    Ok(StatusCode::NO_CONTENT)
}
