//! What endpoints take: JSON, queries and paths that refuse in our words, and who is asking.

use std::net::IpAddr;
use std::num::NonZeroU32;

use axum::extract::{FromRequest, FromRequestParts};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use crewbell_shared::ids::{CommandId, PersonId};
use crewbell_shared::person::{Actor, Right};
use crewbell_shared::{Code, Refusal};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::{ApiError, App, caller_of};
use crate::auth::{SignedIn, of_token};

/// A JSON body.
#[derive(Debug, FromRequest)]
#[from_request(via(axum::Json), rejection(ApiError))]
pub struct Body<T>(pub T);

/// A query string.
#[derive(Debug, FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(ApiError))]
pub struct Query<T>(pub T);

/// What the path names.
#[derive(Debug, FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(ApiError))]
pub struct Path<T>(pub T);

/// Who is asking, by the bearer token.
#[derive(Clone, Debug)]
pub struct Who(pub SignedIn);

impl Who {
    /// The asker as the one who acts.
    pub fn actor(&self) -> Actor {
        Actor::Person(self.0.person.clone())
    }

    /// Refuses unless the asker has a right: for reads, which no action decides.
    ///
    /// # Errors
    /// `not_allowed` with the right's name.
    pub fn need(&self, right: Right) -> Result<(), Refusal> {
        self.actor().need(right)
    }

    /// Refuses unless it is about the asker, or they have a right.
    ///
    /// # Errors
    /// `not_allowed` with the right's name.
    pub fn be_or_need(&self, person: PersonId, right: Right) -> Result<(), Refusal> {
        if self.0.person.id == person { Ok(()) } else { self.need(right) }
    }
}

impl FromRequestParts<App> for Who {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let refusal = || ApiError::new(Code::NotSignedIn, "Sign in first.");
        let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(|value| value.strip_prefix("Bearer ")).ok_or_else(refusal)?;
        let who = of_token(&app.house, token.trim()).await?.map(Self).ok_or_else(refusal)?;
        caller_of(parts).signed_in().map_err(|full| ApiError::new(Code::Unavailable, full.to_string()))?;
        Ok(who)
    }
}

/// The idempotency key of a write: the header `Idempotency-Key`, a UUID; a new one when there is none.
#[derive(Clone, Copy, Debug)]
pub struct IdempotencyKey(pub CommandId);

impl FromRequestParts<App> for IdempotencyKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        match parts.headers.get("idempotency-key") {
            None => Ok(Self(app.house.ids.next(app.house.clock.now()))),
            Some(value) => value
                .to_str()
                .ok()
                .and_then(|text| text.parse().ok())
                .map(Self)
                .ok_or_else(|| Refusal::invalid("Idempotency-Key", "The key is a UUID.").into()),
        }
    }
}

/// Attempts to sign in: ten a minute for a name, and sixty for an address, so that a whole crew behind one access
/// point gets in and a guesser doesn't.
#[derive(Debug)]
pub struct Attempts {
    by_name: DefaultKeyedRateLimiter<String>,
    by_address: DefaultKeyedRateLimiter<IpAddr>,
}

impl Default for Attempts {
    fn default() -> Self {
        let per_minute = |count: u32| Quota::per_minute(NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN));
        Self { by_name: RateLimiter::keyed(per_minute(10)), by_address: RateLimiter::keyed(per_minute(60)) }
    }
}

impl Attempts {
    /// Counts an attempt.
    ///
    /// # Errors
    /// `slow_down` with the seconds to wait.
    pub fn count(&self, site: Option<&str>, name: &str, address: Option<IpAddr>) -> Result<(), Refusal> {
        let key = format!("{}/{}", site.unwrap_or_default(), name.trim().to_lowercase());
        let by_name = self.by_name.check_key(&key).err();
        let by_address = address.and_then(|address| self.by_address.check_key(&address).err());
        let Some(until) = by_name
            .into_iter()
            .chain(by_address)
            .max_by_key(|until| until.wait_time_from(DefaultClock::default().now()))
        else {
            return Ok(());
        };
        self.by_name.retain_recent();
        self.by_address.retain_recent();
        let seconds = until.wait_time_from(DefaultClock::default().now()).as_secs() + 1;
        metrics::counter!("sign_ins_slowed_total").increment(1);
        Err(Refusal::new(Code::SlowDown, format!("Too many attempts. Try again in {seconds} s."))
            .with("retry_after_s", &seconds))
    }
}
