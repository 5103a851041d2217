//! `GET /api/buttons/unheard`

use axum::Json;
use axum::extract::State;
use crewbell_shared::Refusal;
use crewbell_shared::person::Right;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::db::unheard;
use crate::devices::remedy;
use crate::http::extract::{Query, Who};
use crate::http::{ApiError, App};

/// Sorts of messages on one page at most.
const PAGE: i64 = 500;

/// How many to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// At most so many, 1 to 500; 100 when not given.
    limit: Option<i64>,
}

/// A sort of message that a device sent and that is no press, and how often it came.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnheardMessage {
    /// The device, as far as the topic told.
    device: String,
    /// Why it is no press: a stable code.
    reason: String,
    /// What can be done about it, in words.
    remedy: &'static str,
    /// The topic of the last one.
    topic: String,
    /// The first bytes of the last one, as text; bytes that are no UTF-8 are shown as U+FFFD.
    sample: String,
    /// How many came.
    times: i64,
    /// When the last one came.
    last_at: Timestamp,
}

/// What wasn't heard.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnheardMessages {
    /// The newest first.
    items: Vec<UnheardMessage>,
}

/// Lists messages of devices that are no press, or were refused, and what else is wrong with devices, for whoever finds out
/// why a button doesn't ring.
#[utoipa::path(
    get,
    path = "/api/buttons/unheard",
    tag = "buttons",
    params(Asked),
    responses((status = 200, body = UnheardMessages), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn unheard(
    State(app): State<App>,
    who: Who,
    Query(Asked { limit }): Query<Asked>,
) -> Result<Json<UnheardMessages>, ApiError> {
    who.need(Right::AssignButtons)?;
    let site = who.0.site.id;
    let mut tx = app.house.db.read(site).await?;
    let messages = unheard::list(&mut tx, site, limit.unwrap_or(100).clamp(1, PAGE)).await?;
    let shown = messages.into_iter().map(|message| UnheardMessage {
        device: message.device,
        remedy: remedy(&message.reason),
        reason: message.reason,
        topic: message.topic,
        sample: String::from_utf8_lossy(&message.sample).into_owned(),
        times: message.times,
        last_at: message.last_at,
    });
    Ok(Json(UnheardMessages { items: shown.collect() }))
}
