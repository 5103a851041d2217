//! `PUT /api/people/{id}/secret`

use axum::extract::State;
use axum::http::StatusCode;
use crewbell_shared::Refusal;
use crewbell_shared::ids::PersonId;
use crewbell_shared::person::{Right, check_secret};
use crewbell_shared::protocol::Source;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::actions::{Action, ActionError, ChangeOwnSecret, SetPersonSecret};
use crate::auth::{hash_secret, prove};
use crate::http::extract::{Address, Body, CurrentUser, Path};
use crate::http::texts::fits;
use crate::http::{ApiError, App};

/// What somebody will sign in with.
#[derive(Deserialize, ToSchema)]
pub struct NewSecret {
    /// A PIN of 4 to 12 digits, or a password of 8 to 200 characters.
    #[schema(min_length = 4, max_length = 200)]
    secret: String,
    /// The present PIN or password: needed for one's own, passed over for somebody else's.
    #[serde(default)]
    #[schema(max_length = 200)]
    current: Option<String>,
}

/// Sets what a person signs in with: one's own in the place of the present one, or anybody else's with the right to
/// change the crew. All their sessions end, also the one that asks. A present one that is wrong is `wrong_secret`, and
/// is slowed down as at sign-in.
#[utoipa::path(
    put,
    path = "/api/people/{id}/secret",
    tag = "people",
    params(("id" = PersonId, Path, description = "The person")),
    request_body = NewSecret,
    responses((status = 204), (status = "4XX", body = Refusal)),
    security(("bearer" = []))
)]
pub async fn secret(
    State(app): State<App>,
    who: CurrentUser,
    Address(address): Address,
    Path(person_id): Path<PersonId>,
    Body(NewSecret { secret, current }): Body<NewSecret>,
) -> Result<StatusCode, ApiError> {
    let own = who.0.person.id == person_id;
    // The action decides too; this check keeps a caller without the right from making the server hash.
    if !own {
        who.need(Right::EditPeople)?;
    }
    check_secret(&secret)?;
    fits("current", current.as_deref(), 200)?;
    let action: Box<dyn Action> = if own {
        let proof = prove(&app.registry, &app.limiter, &who.0, current, address).await?;
        Box::new(ChangeOwnSecret { proof, hash: hash(secret).await? })
    } else {
        Box::new(SetPersonSecret { person_id, hash: hash(secret).await? })
    };
    who.0.site.act(action, who.actor(), Source::App).await?;
    app.limiter.forget(who.0.site.id, person_id);
    Ok(StatusCode::NO_CONTENT)
}

async fn hash(secret: String) -> Result<String, ActionError> {
    hash_secret(secret).await.map_err(|error| {
        tracing::error!(%error, "A secret was not set.");
        ActionError::Internal
    })
}
