//! Sign-in: exchanges a name and a secret for a token.

use std::net::IpAddr;
use std::sync::Arc;

use crewbell_shared::ids::{DeviceId, PersonId};
use crewbell_shared::person::{Actor, Person};
use crewbell_shared::protocol::Source;
use crewbell_shared::{Code, Refusal};

use super::limiter::{Attempt, Claim, LoginRateLimiter, Requester};
use super::{SignedIn, Token, of_token, secret_matches, unavailable};
use crate::actions::{ActionError, SignIn, SignInWithSecret, TellWrongSecrets};
use crate::db;
use crate::db::sessions::Session;
use crate::site_registry::{OpenSite, SiteRegistry};

/// Credentials and device of a sign-in.
#[derive(Clone, Debug)]
pub struct Login {
    /// The site's slug; optional if there is only one site.
    pub site: Option<String>,
    /// The person's name.
    pub name: String,
    /// Their PIN or password.
    pub secret: String,
    /// The device.
    pub device_id: DeviceId,
    /// The device's name.
    pub device_name: String,
    /// The device's network address.
    pub address: IpAddr,
}

/// Signs a person in.
///
/// # Errors
/// Returns `bad_credentials`, whichever part was wrong; `slow_down` with the seconds to wait; or an error if the server
/// fails.
pub async fn sign_in(
    registry: &SiteRegistry,
    limiter: &LoginRateLimiter,
    login: Login,
) -> Result<(Token, SignedIn), ActionError> {
    let site = registry.site_named(login.site.as_deref()).await.map_err(unavailable)?.map(|(site, _)| site);
    let known = match &site {
        Some(site) => known(registry, site, &login).await?,
        None => None,
    };
    let claim = match (&site, &known) {
        (Some(site), Some(known)) => Claim::Person(site.id, known.person_id),
        (site, _) => Claim::Nobody { site: site.as_ref().map(|site| site.id), name: &login.name },
    };
    let requester = match known.as_ref().filter(|known| known.on_device) {
        Some(_) => Requester::Device(login.device_id),
        None => Requester::Stranger(login.address),
    };
    let guarded = Guarded { registry, limiter, site: site.as_ref(), address: login.address };
    let person_id = known.as_ref().map(|known| known.person_id);
    let attempt = guarded.charge(claim, requester)?;
    let hash = known.and_then(|known| known.hash);
    // Hashing takes the same time for an unknown name, so that names can't be discovered by timing.
    let right = guarded.is_right(&attempt, login.secret.clone(), hash.clone()).await?;
    let (Some(site), Some(person_id), Some(proof), true) = (&site, person_id, hash, right) else {
        guarded.wrong(&attempt, person_id, requester);
        return Err(wrong().into());
    };
    match open(registry, site, person_id, proof, login).await {
        Ok(signed_in) => {
            limiter.right(&attempt);
            metrics::counter!("sign_ins_total").increment(1);
            Ok(signed_in)
        }
        Err(error) => {
            limiter.undecided(&attempt);
            Err(error)
        }
    }
}

fn wrong() -> Refusal {
    Refusal::new(Code::BadCredentials, "Name, PIN or password are wrong.")
}

/// The person whose name was typed.
struct Known {
    person_id: PersonId,
    hash: Option<String>,
    /// Whether they have signed in on the device before.
    on_device: bool,
}

async fn known(registry: &SiteRegistry, site: &OpenSite, login: &Login) -> Result<Option<Known>, ActionError> {
    let name = login.name.trim();
    // Names have no control characters, and the database doesn't accept them.
    if name.chars().any(char::is_control) {
        return Ok(None);
    }
    let mut tx = registry.db.read(site.id).await.map_err(unavailable)?;
    let found = db::people::by_name(&mut tx, site.id, name).await.map_err(unavailable)?;
    // Also looked up for an unknown name, so that the answer takes as long.
    let person_id = found.as_ref().map_or(PersonId(uuid::Uuid::nil()), |(id, _)| *id);
    let on_device = db::sessions::was_on(&mut tx, site.id, person_id, login.device_id).await.map_err(unavailable)?;
    Ok(found.map(|(person_id, hash)| Known { person_id, hash, on_device }))
}

/// Opens a session, unless the secret was changed while it was being checked.
async fn open(
    registry: &SiteRegistry,
    site: &Arc<OpenSite>,
    person_id: PersonId,
    proof: String,
    login: Login,
) -> Result<(Token, SignedIn), ActionError> {
    let person = find(registry, site, person_id).await?.ok_or_else(wrong)?;
    let at = registry.clock.now();
    let token = Token::new(site.id, &registry.ids);
    let session = Session {
        id: registry.ids.next(at),
        person_id,
        device_id: login.device_id,
        device_name: login.device_name,
        created_at: at,
        used_at: at,
    };
    let action = SignInWithSecret { sign_in: SignIn { session, token_hash: token.hash() }, proof };
    site.act(Box::new(action), Actor::Person(person), Source::App).await?;
    let signed_in = of_token(registry, &token.to_string()).await?.ok_or(ActionError::Internal)?;
    Ok((token, signed_in))
}

async fn find(registry: &SiteRegistry, site: &OpenSite, person: PersonId) -> Result<Option<Person>, ActionError> {
    let mut tx = registry.db.read(site.id).await.map_err(unavailable)?;
    db::people::find(&mut tx, site.id, person).await.map_err(unavailable)
}

/// Checks a signed-in person's current secret, with the same rate limit as at sign-in. Returns the hash of the current
/// secret, which the change must replace, or `None` if the person has no secret yet and needs no proof.
///
/// # Errors
/// Returns `wrong_secret`; `slow_down` with the seconds to wait; or an error if the server fails.
pub async fn prove(
    registry: &SiteRegistry,
    limiter: &LoginRateLimiter,
    who: &SignedIn,
    secret: Option<String>,
    address: IpAddr,
) -> Result<Option<String>, ActionError> {
    let site = &who.site;
    let hash = {
        let mut tx = registry.db.read(site.id).await.map_err(unavailable)?;
        db::people::secret(&mut tx, site.id, who.person.id).await.map_err(unavailable)?
    };
    if hash.is_none() {
        return Ok(None);
    }
    let another_one = || Refusal::new(Code::WrongSecret, "The present PIN or password is another one.");
    // A missing secret doesn't count as a guess.
    let secret = secret.ok_or_else(another_one)?;
    let guarded = Guarded { registry, limiter, site: Some(site), address };
    let requester = Requester::Device(who.device_id);
    let attempt = guarded.charge(Claim::Person(site.id, who.person.id), requester)?;
    if guarded.is_right(&attempt, secret, hash.clone()).await? {
        limiter.right(&attempt);
        return Ok(hash);
    }
    guarded.wrong(&attempt, Some(who.person.id), requester);
    Err(another_one().into())
}

/// Context of an attempt, for counting, logging and notifying.
struct Guarded<'a> {
    registry: &'a SiteRegistry,
    limiter: &'a LoginRateLimiter,
    site: Option<&'a Arc<OpenSite>>,
    address: IpAddr,
}

impl Guarded<'_> {
    fn charge(&self, claim: Claim<'_>, requester: Requester) -> Result<Attempt, Refusal> {
        self.limiter.charge(claim, requester, self.registry.clock.now()).inspect_err(|_| {
            metrics::counter!("sign_ins_slowed_total").increment(1);
            tracing::debug!(address = %self.address, "An attempt to sign in must wait.");
        })
    }

    async fn is_right(&self, attempt: &Attempt, secret: String, hash: Option<String>) -> Result<bool, ActionError> {
        secret_matches(secret, hash).await.map_err(|error| {
            tracing::error!(%error, "A secret could not be compared.");
            self.limiter.undecided(attempt);
            ActionError::Internal
        })
    }

    /// Counts and logs a wrong secret and, past a threshold, notifies the supervisors. The name as typed is recorded
    /// nowhere, because people type their PIN there.
    fn wrong(&self, attempt: &Attempt, person_id: Option<PersonId>, requester: Requester) {
        let known_device = matches!(requester, Requester::Device(_));
        let label = if known_device { "known" } else { "unknown" };
        metrics::counter!("sign_ins_wrong_total", "device" => label).increment(1);
        let site = self.site.map(|site| &*site.slug);
        let person = person_id.map(tracing::field::display);
        tracing::warn!(site, person, address = %self.address, known_device, "A PIN or password was wrong.");
        let alarm = self.limiter.wrong(attempt, self.registry.clock.now());
        let of_person = person_id.zip(alarm.person).map(|(id, times)| (Some(id), times));
        let of_site = alarm.site.map(|times| (None, times));
        for (person_id, times) in of_person.into_iter().chain(of_site) {
            let Some(site) = self.site.cloned() else { return };
            let action = TellWrongSecrets { person_id, times, address: self.address, known_device };
            // In a task of its own, because the answer must take the same time for every name.
            let registry = self.registry.clone();
            tokio::spawn(async move {
                if let Err(error) = tell(&registry, &site, action).await {
                    tracing::error!(%error, "Those who lead could not be told of wrong PINs.");
                }
            });
        }
    }
}

/// Records wrong secrets in the log, with the person concerned as the actor, as a sign-in does.
async fn tell(registry: &SiteRegistry, site: &Arc<OpenSite>, action: TellWrongSecrets) -> Result<(), ActionError> {
    let person = match action.person_id {
        Some(id) => find(registry, site, id).await?,
        None => None,
    };
    let actor = person.map_or(Actor::System, Actor::Person);
    site.act(Box::new(action), actor, Source::Server).await.map(drop)
}
