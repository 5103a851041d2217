//! `PUT /api/people/{id}/secret`

use axum::http::StatusCode;
use crewbell_shared::Refusal;
use crewbell_shared::ids::PersonId;
use crewbell_shared::person::Right;
use crewbell_shared::protocol::Source;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::actions::{NotDone, SetPersonSecret};
use crate::auth::hash_secret;
use crate::http::ApiError;
use crate::http::extract::{Body, Path, Who};

/// Digits of a PIN. Fewer than four are guessed within the attempts that are allowed.
const PIN: std::ops::RangeInclusive<usize> = 4..=12;

/// Characters of a password: what NIST SP 800-63B asks for at least, and a bound on what is hashed.
const PASSWORD: std::ops::RangeInclusive<usize> = 8..=200;

/// What somebody will sign in with.
#[derive(Deserialize, ToSchema)]
pub struct NewSecret {
    /// A PIN of 4 to 12 digits, or a password of 8 to 200 characters.
    secret: String,
}

/// Sets what a person signs in with: one's own, or anybody's with the right to change the crew. All their sessions
/// end, also the one that asks.
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
    who: Who,
    Path(person_id): Path<PersonId>,
    Body(NewSecret { secret }): Body<NewSecret>,
) -> Result<StatusCode, ApiError> {
    // The action decides; asking here too keeps those who may not from making the server hash.
    who.be_or_need(person_id, Right::EditPeople)?;
    check(&secret)?;
    let hash = hash_secret(secret).await.map_err(|error| {
        tracing::error!(%error, "A secret was not set.");
        NotDone::Internal
    })?;
    who.0.site.act(Box::new(SetPersonSecret { person_id, hash }), who.actor(), Source::App).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whether a secret can be taken.
fn check(secret: &str) -> Result<(), Refusal> {
    let length = secret.chars().count();
    let pin = PIN.contains(&length) && secret.bytes().all(|byte| byte.is_ascii_digit());
    if pin || PASSWORD.contains(&length) {
        return Ok(());
    }
    Err(Refusal::invalid("secret", "A PIN has 4 to 12 digits, a password 8 to 200 characters."))
}

#[cfg(test)]
mod tests {
    use crewbell_shared::Code;

    use super::*;

    #[test]
    fn a_pin_has_four_to_twelve_digits() {
        for pin in ["4711", "000000", "123456789012"] {
            assert_eq!(check(pin), Ok(()), "{pin}");
        }
        for none in ["", "471", "47a1", "٤٧١١", "47 11"] {
            assert_eq!(check(none).unwrap_err().code, Code::Invalid, "{none}");
        }
    }

    #[test]
    fn a_password_has_eight_to_two_hundred_characters_whatever_they_are() {
        for password in ["sea-legs", "ahoyЯ€漢字!", "1234567890123", &"ß".repeat(200)] {
            assert_eq!(check(password), Ok(()), "{password}");
        }
        for none in ["sealegs", "Я€漢字", &"a".repeat(201)] {
            let refusal = check(none).unwrap_err();
            assert_eq!((refusal.code, &refusal.details["field"]), (Code::Invalid, &"secret".into()), "{none}");
            assert!(none.is_empty() || !refusal.message.contains(none), "a refusal never repeats the secret");
        }
    }
}
