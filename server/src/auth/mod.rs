//! Signing in, and who a token belongs to.

mod limiter;
mod secrets;
mod sign_in;
mod token;
mod uses;

pub use limiter::LoginLimiter;
pub use secrets::{HashError, hash_secret, secret_matches};
pub use sign_in::{Login, prove, sign_in};
pub use token::{Token, hash_code, join_code};
pub use uses::Uses;

use std::sync::Arc;

use crewbell_shared::ids::{DeviceId, SessionId};
use crewbell_shared::person::Person;

use crate::actions::NotDone;
use crate::db::{self, DbError};
use crate::house::{House, OpenSite};

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Their site.
    pub site: Arc<OpenSite>,
    /// Who they are, as of this moment.
    pub person: Person,
    /// Their session.
    pub session_id: SessionId,
    /// The device of the session.
    pub device_id: DeviceId,
    /// The last entry of the log as of this moment: what it says of them is known, what follows is news.
    pub as_of: u64,
}

/// Who a token belongs to; nobody, when it is no token, ended (also because it was not used for as long as the site says),
/// or its person may no longer sign in.
///
/// # Errors
/// The database is away.
pub async fn of_token(house: &House, text: &str) -> Result<Option<SignedIn>, NotDone> {
    let Some(token) = Token::parse(text) else { return Ok(None) };
    let Some(site) = house.site(token.site()).await.map_err(unavailable)? else { return Ok(None) };
    let mut tx = house.db.read(site.id).await.map_err(unavailable)?;
    let session = db::sessions::by_token(&mut tx, site.id, &token.hash()).await.map_err(unavailable)?;
    let Some((session, as_of)) = session else { return Ok(None) };
    let person = db::people::find(&mut tx, site.id, session.person_id).await.map_err(unavailable)?;
    drop(tx);
    site.uses.note(session.id);
    let (session_id, device_id) = (session.id, session.device_id);
    Ok(person.map(|person| SignedIn { site, person, session_id, device_id, as_of }))
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
fn unavailable(error: DbError) -> NotDone {
    if error.is_transient() {
        NotDone::Unavailable
    } else {
        tracing::error!(%error, "Signing in failed.");
        NotDone::Internal
    }
}
