//! Authentication: sign-in by name and secret, and bearer tokens.

mod limiter;
mod secrets;
mod sign_in;
mod token;
mod uses;

pub use limiter::LoginRateLimiter;
pub use secrets::{HashError, hash_secret, secret_matches};
pub use sign_in::{Login, prove, sign_in};
pub use token::{Token, hash_code, join_code};
pub use uses::Uses;

use std::sync::Arc;

use crewbell_shared::ids::{DeviceId, SessionId};
use crewbell_shared::person::Person;

use crate::actions::ActionError;
use crate::db::{self, DbError};
use crate::site_registry::{OpenSite, SiteRegistry};

/// An authenticated session: a person, their site and their device.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Their site.
    pub site: Arc<OpenSite>,
    /// The person, as of `as_of`.
    pub person: Person,
    /// Their session.
    pub session_id: SessionId,
    /// The device of the session.
    pub device_id: DeviceId,
    /// Number of the log's last entry when the session was read. `person` includes every entry up to it.
    pub as_of: u64,
}

/// Authenticates a bearer token and marks its session as used. Returns `None` if the text is no token, the session has
/// ended or expired (unused for longer than the site allows), or the person may no longer sign in.
///
/// # Errors
/// Returns an error if the database can't be read.
pub async fn of_token(registry: &SiteRegistry, text: &str) -> Result<Option<SignedIn>, ActionError> {
    let Some(token) = Token::parse(text) else { return Ok(None) };
    let Some(site) = registry.site(token.site()).await.map_err(unavailable)? else { return Ok(None) };
    let mut tx = registry.db.read(site.id).await.map_err(unavailable)?;
    let session = db::sessions::by_token(&mut tx, site.id, &token.hash()).await.map_err(unavailable)?;
    let Some((session, as_of)) = session else { return Ok(None) };
    let person = db::people::find(&mut tx, site.id, session.person_id).await.map_err(unavailable)?;
    drop(tx);
    site.uses.note(session.id);
    let (session_id, device_id) = (session.id, session.device_id);
    Ok(person.map(|person| SignedIn { site, person, session_id, device_id, as_of }))
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
fn unavailable(error: DbError) -> ActionError {
    if error.is_transient() {
        ActionError::Unavailable
    } else {
        tracing::error!(%error, "Signing in failed.");
        ActionError::Internal
    }
}
