//! Extractors for endpoints: JSON, queries and paths with our own refusals, and the signed-in caller.

use std::net::IpAddr;

use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Request};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use crewbell_shared::ids::{CommandId, PersonId};
use crewbell_shared::person::{Actor, Right};
use crewbell_shared::protocol::Object;
use crewbell_shared::{Code, Refusal};
use serde::de::DeserializeOwned;

use super::{ApiError, App, Remote, caller_of};
use crate::actions::ActionError;
use crate::auth::{SignedIn, of_token};

/// A JSON body: an object.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let axum::Json(Object(body)) = axum::Json::from_request(request, state).await?;
        Ok(Self(body))
    }
}

/// A query string.
#[derive(Debug, FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(ApiError))]
pub struct Query<T>(pub T);

/// The parameters of a path.
#[derive(Debug, FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(ApiError))]
pub struct Path<T>(pub T);

/// The signed-in caller, authenticated by the bearer token.
#[derive(Clone, Debug)]
pub struct CurrentUser(pub SignedIn);

impl CurrentUser {
    /// Returns the caller as the actor of an action.
    pub fn actor(&self) -> Actor {
        Actor::Person(self.0.person.clone())
    }

    /// Refuses unless the caller has a right. For reads, which run no action.
    ///
    /// # Errors
    /// Returns `not_allowed` with the right's name.
    pub fn need(&self, right: Right) -> Result<(), Refusal> {
        self.actor().need(right)
    }

    /// Refuses unless the caller is the person concerned or has a right.
    ///
    /// # Errors
    /// Returns `not_allowed` with the right's name.
    pub fn be_or_need(&self, person: PersonId, right: Right) -> Result<(), Refusal> {
        if self.0.person.id == person { Ok(()) } else { self.need(right) }
    }
}

impl FromRequestParts<App> for CurrentUser {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let refusal = || ApiError::new(Code::NotSignedIn, "Sign in first.");
        let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(|value| value.strip_prefix("Bearer ")).ok_or_else(refusal)?;
        let who = of_token(&app.registry, token.trim()).await?.map(Self).ok_or_else(refusal)?;
        caller_of(parts).signed_in().map_err(|full| ApiError::new(Code::Unavailable, full.to_string()))?;
        Ok(who)
    }
}

/// The idempotency key of a write: the header `Idempotency-Key`, a UUID, or a new one without the header.
#[derive(Clone, Copy, Debug)]
pub struct IdempotencyKey(pub CommandId);

impl FromRequestParts<App> for IdempotencyKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        match parts.headers.get("idempotency-key") {
            None => Ok(Self(app.registry.ids.next(app.registry.clock.now()))),
            Some(value) => value
                .to_str()
                .ok()
                .and_then(|text| text.parse().ok())
                .map(Self)
                .ok_or_else(|| Refusal::invalid("Idempotency-Key", "The key is a UUID.").into()),
        }
    }
}

/// The client's address, determined through trusted proxies.
#[derive(Clone, Copy, Debug)]
pub struct Address(pub IpAddr);

impl FromRequestParts<App> for Address {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let peer = ConnectInfo::<Remote>::from_request_parts(parts, app).await;
        let ConnectInfo(Remote(peer)) =
            peer.map_err(|_| crate::site_registry::refusal_from_action_error(ActionError::Internal))?;
        Ok(Self(app.proxies.client(peer.ip(), &parts.headers)))
    }
}
