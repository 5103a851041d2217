//! `GET /api/buttons/unrecognised`

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use crewbell_shared::Refusal;
use crewbell_shared::button::{UnrecognisedMessage, UnrecognisedMessages, Vocabulary};
use crewbell_shared::person::Right;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::db::unrecognised::{self, StoredMessage};
use crate::devices::dialects::{Decoded, Dialects, Ignored, Said};
use crate::devices::remedy;
use crate::http::extract::{CurrentUser, Query};
use crate::http::{ApiError, App};

/// Maximum number of kinds of messages on a page.
const PAGE: i64 = 500;

/// How many to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// At most so many, 1 to 500; 100 when not given.
    limit: Option<i64>,
}

/// Lists messages of devices that are no press, or were refused, and what else is wrong with devices, for whoever finds
/// out why a button doesn't ring.
#[utoipa::path(
    get,
    path = "/api/buttons/unrecognised",
    tag = "buttons",
    params(Params),
    responses((status = 200, body = UnrecognisedMessages), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn unrecognised(
    State(app): State<App>,
    who: CurrentUser,
    Query(Params { limit }): Query<Params>,
) -> Result<Json<UnrecognisedMessages>, ApiError> {
    who.need(Right::AssignButtons)?;
    let site = who.0.site.id;
    let mut tx = app.registry.db.read(site).await?;
    let messages = unrecognised::list(&mut tx, site, limit.unwrap_or(100).clamp(1, PAGE)).await?;
    let settings = Arc::clone(&who.0.site.settings.borrow());
    let shown = messages.into_iter().map(|message| shown(message, &app.dialects, &settings.vocabulary));
    Ok(Json(UnrecognisedMessages { items: shown.collect() }))
}

/// Maximum number of bytes of a message that are returned. More are stored if a word of it can be taught.
const SHOWN: usize = 512;

/// Decodes a stored message again with the current vocabulary, which may have gained its word since.
fn shown(message: StoredMessage, dialects: &Dialects, vocabulary: &Vocabulary) -> UnrecognisedMessage {
    let Decoded { dialect, heard, .. } = dialects.decode(vocabulary, &message.topic, &message.sample, false);
    let said = heard.iter().find(|heard| heard.device.as_ref() == Some(&message.device)).or(heard.first());
    let ignored = said.and_then(|heard| match &heard.said {
        Said::Nothing(ignored) => Some(ignored),
        Said::Press(_) | Said::Health(_) | Said::Voice(_) => None,
    });
    // Retained and refused messages decode well and still aren't presses.
    let lacked_a_word = ["unknown_word", "unknown_topic"].contains(&message.reason.as_str());
    UnrecognisedMessage {
        detail: ignored.filter(|now| now.code() == message.reason).and_then(Ignored::detail).map(str::to_owned),
        dialect,
        word: ignored.and_then(Ignored::word).filter(|_| lacked_a_word).map(str::to_owned),
        is_known_now: lacked_a_word && heard.iter().any(|heard| matches!(heard.said, Said::Press(_))),
        device: message.device,
        remedy: remedy(&message.reason).to_owned(),
        reason: message.reason,
        topic: message.topic,
        sample: String::from_utf8_lossy(&message.sample[..message.sample.len().min(SHOWN)]).into_owned(),
        times: message.times,
        last_at: message.last_at,
    }
}
