//! HTTP error responses: the only mapping of refusal codes to statuses. The body of an internal error has no details.

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use crewbell_shared::{Code, Refusal};

use crate::actions::ActionError;
use crate::db::DbError;
use crate::http::router::LARGEST_BODY;
use crate::site_registry::refusal_from_action_error;

/// The error response of a request: `{"code", "message", "details"}` with the matching status.
#[derive(Debug)]
pub struct ApiError(pub Refusal);

/// Returns the HTTP status of a code.
pub fn status(code: Code) -> StatusCode {
    match code {
        Code::AlreadyAccepted
        | Code::NotAccepted
        | Code::AlreadyClosed
        | Code::NameTaken
        | Code::StayConflict
        | Code::InUse
        | Code::NotActive
        | Code::KeyReused
        | Code::DependsOnRefused
        | Code::TooMany
        | Code::TooOld
        | Code::NotesFull
        | Code::NoConnection
        | Code::NoSocket
        | Code::Blocked
        | Code::InACall
        | Code::AnsweredElsewhere
        | Code::CallOver
        | Code::NotThere
        | Code::Unrecognised => StatusCode::CONFLICT,
        Code::NotYours | Code::NotAllowed | Code::NotYourCall | Code::WrongSecret => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Code::BadCredentials | Code::NotSignedIn => StatusCode::UNAUTHORIZED,
        Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::SlowDown => StatusCode::TOO_MANY_REQUESTS,
        Code::SnapshotNeeded => StatusCode::GONE,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl ApiError {
    /// Creates an error with a code and a message.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Refusal::new(code, message))
    }

    /// Creates a `not_found` error for something that doesn't exist or that the caller may not see.
    pub fn not_found(what: &str) -> Self {
        Self(Refusal::not_found(what))
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = status(self.0.code);
        let retry_after = match status {
            // `Retry-After` is in seconds (RFC 9110, 10.2.3).
            StatusCode::TOO_MANY_REQUESTS => self.0.details["retry_after_s"].as_u64().unwrap_or(1),
            StatusCode::SERVICE_UNAVAILABLE => 1,
            _ => 0,
        };
        let mut response = (status, Json(self.0)).into_response();
        let headers = response.headers_mut();
        if retry_after > 0 {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(retry_after));
        }
        if status == StatusCode::UNAUTHORIZED {
            // RFC 9110, 15.5.2: a 401 names the authentication scheme.
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"Crewbell\""));
        }
        response
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl From<ActionError> for ApiError {
    fn from(error: ActionError) -> Self {
        Self(refusal_from_action_error(error))
    }
}

impl From<sqlx::Error> for ApiError {
    fn from(error: sqlx::Error) -> Self {
        DbError::from(error).into()
    }
}

impl From<DbError> for ApiError {
    fn from(error: DbError) -> Self {
        if error.is_transient() {
            refusal_from_action_error(ActionError::Unavailable).into()
        } else if is_of_the_data(&error) {
            // The query contains a value, such as a character or a time, that no row can have.
            Self::new(Code::Invalid, "Something in the question can't be looked for.")
        } else {
            tracing::error!(%error, "A read failed.");
            refusal_from_action_error(ActionError::Internal).into()
        }
    }
}

/// Returns whether the database rejected a value as invalid for its type (SQLSTATE class 22, data exception), which is
/// the client's error.
fn is_of_the_data(error: &DbError) -> bool {
    let DbError::Sqlx(sqlx::Error::Database(error)) = error else { return false };
    error.code().is_some_and(|code| code.starts_with("22"))
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            let message = format!("A body has {LARGEST_BODY} bytes at most.");
            return Refusal::new(Code::TooLarge, message).with("limit", &LARGEST_BODY).into();
        }
        Self::new(Code::Invalid, rejection.body_text())
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        Self::new(Code::Invalid, rejection.body_text())
    }
}

impl From<PathRejection> for ApiError {
    fn from(rejection: PathRejection) -> Self {
        Self::new(Code::Invalid, rejection.body_text())
    }
}

impl From<WebSocketUpgradeRejection> for ApiError {
    fn from(rejection: WebSocketUpgradeRejection) -> Self {
        Self::new(Code::Invalid, rejection.body_text())
    }
}
