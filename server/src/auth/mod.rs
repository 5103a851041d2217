//! Signing in, and who a token belongs to.

mod secrets;
mod token;

pub use secrets::{HashError, hash_secret, secret_matches};
pub use token::{Token, hash_code, join_code};

use std::sync::Arc;

use crewbell_shared::ids::{DeviceId, SessionId};
use crewbell_shared::person::{Actor, Person};
use crewbell_shared::protocol::Source;
use crewbell_shared::{Code, Refusal};

use crate::actions::{NotDone, SignIn};
use crate::db::sessions::Session;
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
    /// The last entry of the log as of this moment: what it says of them is known, what follows is news.
    pub as_of: u64,
}

/// What somebody signs in with.
#[derive(Clone, Debug)]
pub struct Login {
    /// The site's slug; not needed where there is one site only.
    pub site: Option<String>,
    /// Their name.
    pub name: String,
    /// Their PIN or password.
    pub secret: String,
    /// The device.
    pub device_id: DeviceId,
    /// The device's name.
    pub device_name: String,
}

/// Signs somebody in.
///
/// # Errors
/// `bad_credentials`, whatever of it was wrong; or the server can't.
pub async fn sign_in(house: &House, login: Login) -> Result<(Token, SignedIn), NotDone> {
    let wrong = || Refusal::new(Code::BadCredentials, "Name, PIN or password are wrong.");
    let named = house.site_named(login.site.as_deref()).await.map_err(unavailable)?;
    let Some((site, _)) = named else { return Err(wrong().into()) };
    let known = {
        let mut tx = house.db.read(site.id).await.map_err(unavailable)?;
        db::people::by_name(&mut tx, site.id, login.name.trim()).await.map_err(unavailable)?
    };
    let (person_id, hash) = known.map_or((None, None), |(id, hash)| (Some(id), hash));
    // Hashing takes the same time for a name that isn't there, so that names can't be guessed by the clock.
    let right = secret_matches(login.secret, hash).await.map_err(|_| NotDone::Internal)?;
    let (Some(person_id), true) = (person_id, right) else { return Err(wrong().into()) };
    let person = {
        let mut tx = house.db.read(site.id).await.map_err(unavailable)?;
        db::people::find(&mut tx, site.id, person_id).await.map_err(unavailable)?
    };
    let Some(person) = person else { return Err(wrong().into()) };
    let at = house.clock.now();
    let token = Token::new(site.id, &house.ids);
    let session = Session {
        id: house.ids.next(at),
        person_id,
        device_id: login.device_id,
        device_name: login.device_name,
        created_at: at,
    };
    let session_id = session.id;
    let action = SignIn { session, token_hash: token.hash() };
    site.act(Box::new(action), Actor::Person(person), Source::App).await?;
    let signed_in = of_token(house, &token.to_string()).await?.ok_or(NotDone::Internal)?;
    debug_assert_eq!(signed_in.session_id, session_id);
    Ok((token, signed_in))
}

/// Who a token belongs to; nobody, when it is no token, ended, or its person may no longer sign in.
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
    Ok(person.map(|person| SignedIn { site, person, session_id: session.id, as_of }))
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
