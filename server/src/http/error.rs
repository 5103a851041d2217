//! Refusals as HTTP: one place maps codes to statuses. An internal error's body says nothing.

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use crewbell_shared::{Code, Refusal};

use crate::actions::NotDone;
use crate::db::DbError;
use crate::house::refusal_of;

/// A request that was not done: `{"code", "message", "details"}` with the right status.
#[derive(Debug)]
pub struct ApiError(pub Refusal);

/// The status of a code.
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
        | Code::InACall
        | Code::AnsweredElsewhere
        | Code::CallOver
        | Code::NotThere
        | Code::Unrecognised => StatusCode::CONFLICT,
        Code::NotYours | Code::NotAllowed | Code::NotYourCall => StatusCode::FORBIDDEN,
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
    /// Refuses with a code and a sentence.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Refusal::new(code, message))
    }

    /// There is no such thing, or none that the asker may know of.
    pub fn not_found(what: &str) -> Self {
        Self(Refusal::not_found(what))
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let code = self.0.code;
        let mut response = (status(code), Json(self.0)).into_response();
        if code == Code::Unavailable {
            response.headers_mut().insert("retry-after", axum::http::HeaderValue::from_static("1"));
        }
        response
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl From<NotDone> for ApiError {
    fn from(error: NotDone) -> Self {
        Self(refusal_of(error))
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
            refusal_of(NotDone::Unavailable).into()
        } else {
            tracing::error!(%error, "A read failed.");
            refusal_of(NotDone::Internal).into()
        }
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        let code = if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE { Code::TooMany } else { Code::Invalid };
        Self::new(code, rejection.body_text())
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
