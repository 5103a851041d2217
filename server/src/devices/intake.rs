//! Authentication and authorization for the listener: sign-in, accepted messages, permitted subscriptions.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use crewbell_shared::button::{Flapping, Telemetry, device_id};
use crewbell_shared::person::Actor;
use crewbell_shared::protocol::Source;
use subtle::ConstantTimeEq;
use tokio::time::Instant;

use super::acks;
use super::delivery::{Message, Peer};
use super::listener::{ClientIssue, Gone, Intake, Login, NotLetIn, Outgoing, Taken};
use super::message_handler::{MessageHandler, Speaker};
use crate::actions::HearButton;
use crate::auth::hash_code;
use crate::db::{self, DbError};
use crate::limits::{Guesses, Origin, Standing};
use crate::site_registry::{OpenSite, SiteRegistry};

/// Time without a change after which a flapping button's connection state is reported.
const SETTLED: Duration = Duration::from_secs(Flapping::STEADY.as_secs().unsigned_abs() + 5);

/// The authenticated identity of a connection.
#[derive(Clone, Debug)]
pub struct Principal {
    site: Arc<OpenSite>,
    /// The button, if it authenticated as one. With the join code, the connection may speak for all buttons without
    /// credentials.
    device: Option<Arc<str>>,
}

impl PartialEq for Principal {
    fn eq(&self, other: &Self) -> bool {
        self.site.id == other.site.id && self.device == other.device
    }
}

/// Authentication and message handling for the buttons of all sites.
#[derive(Clone, Debug)]
pub struct Buttons {
    registry: SiteRegistry,
    handler: MessageHandler,
    prefix: Arc<str>,
    /// Whether connections without credentials are accepted, with the same permissions as the join code. Only on a
    /// server with a single site.
    anonymous: bool,
    guesses: Arc<Guesses>,
}

impl Buttons {
    /// Creates the intake for topics with a prefix.
    pub fn new(registry: SiteRegistry, handler: MessageHandler, prefix: &str, anonymous: bool) -> Self {
        Self { registry, handler, prefix: prefix.into(), anonymous, guesses: Arc::default() }
    }

    /// Authenticates by user name: `<slug>` with the join code, or `<slug>/<device>` with the button's own password.
    async fn principal(&self, login: &Login) -> Result<Principal, NotLetIn> {
        let Some(username) = login.username.as_deref() else {
            let named = if self.anonymous { self.registry.site_named(None).await.map_err(not_now)? } else { None };
            let (site, _) = named.ok_or(NotLetIn::NotAuthorized)?;
            return Ok(Principal { site, device: None });
        };
        let (slug, device) = match username.split_once('/') {
            Some((slug, device)) => (slug, Some(device_id(device))),
            None => (username, None),
        };
        let named = self.registry.site_named(Some(slug)).await.map_err(not_now)?;
        let (site, known) = named.ok_or(NotLetIn::BadCredentials)?;
        let (expected, known) = match device {
            None => (known.join_code_hash, true),
            Some(ref device) => {
                let mut tx = self.registry.db.read(site.id).await.map_err(not_now)?;
                let secret = db::buttons::secret(&mut tx, site.id, device).await.map_err(not_now)?;
                let known = secret.is_some();
                (secret.and_then(|secret| secret.secret_hash), known)
            }
        };
        let given = hash_code(login.password.as_deref().unwrap_or_default());
        let has_one = expected.is_some();
        if expected.is_some_and(|expected| bool::from(expected.ct_eq(&given))) {
            return Ok(Principal { site, device: device.map(Into::into) });
        }
        // Listed under the named button only if it exists: invented names would fill the list.
        let (device, reason) = match device.as_deref() {
            None => ("", "wrong_join_code"),
            Some(device) if known && has_one => (device, "wrong_password"),
            Some(device) if known => (device, "has_no_password"),
            Some(_) => ("", "unknown_user_name"),
        };
        let user: String = username.chars().filter(|c| !c.is_control()).take(100).collect();
        self.handler.tell(&site, device, reason, &format!("user name {user}, from {}", login.remote.ip()));
        Err(NotLetIn::BadCredentials)
    }

    /// The current acknowledgement on a button's topic.
    async fn lamp(&self, site: &OpenSite, topic: &str) -> Result<Option<Outgoing>, DbError> {
        let Some(spelled) = acks::device_of(&self.prefix, topic) else { return Ok(None) };
        let device = self.handler.spellings.known_by(site.id, spelled);
        let since = self.registry.clock.now().saturating_sub(acks::SHOWS).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let mut tx = self.registry.db.read(site.id).await?;
        let Some(id) = db::buttons::last_request(&mut tx, site.id, &device, since).await? else { return Ok(None) };
        let request = db::requests::find(&mut tx, site.id, id.into()).await?;
        let shown = request
            .and_then(|request| acks::messages(&self.prefix, spelled, &request).into_iter().find(|m| m.0 == topic));
        Ok(shown.map(|(topic, payload)| Outgoing { topic, payload: Bytes::from(payload) }))
    }
}

impl Intake for Buttons {
    type Principal = Principal;

    async fn authenticate(&self, login: Login) -> Result<Principal, NotLetIn> {
        let from = Origin::from(login.remote.ip());
        let name = login.username.as_deref().unwrap_or_default();
        let judged = match self.guesses.try_one(from, name, Instant::now()) {
            Ok(()) => self.principal(&login).await,
            Err(_) => Err(NotLetIn::TooOften),
        };
        let why = match &judged {
            Ok(_) => {
                self.guesses.was_right(from, name, Instant::now());
                return judged;
            }
            Err(NotLetIn::NotNow) => {
                self.guesses.was_not_judged(from, name, Instant::now());
                "not_now"
            }
            Err(NotLetIn::BadCredentials) => "bad_credentials",
            Err(NotLetIn::NotAuthorized) => "not_authorized",
            Err(NotLetIn::TooOften) => "too_often",
        };
        metrics::counter!("mqtt_not_let_in_total", "why" => why).increment(1);
        judged
    }

    fn standing(&self, principal: &Principal) -> (Standing, Option<String>) {
        match &principal.device {
            Some(device) => (Standing::Known, Some(format!("{}/{device}", principal.site.id.0))),
            None => (Standing::Shared, None),
        }
    }

    fn troubled(&self, peer: &Peer<Principal>, trouble: ClientIssue) {
        let (reason, words) = match trouble {
            ClientIssue::SharedClientId => ("shared_client_id", "Several devices connect with one client id"),
            ClientIssue::Flood => ("flood", "A device says more than it can have to say, and is read slowly"),
        };
        let Principal { site, device } = &peer.principal;
        metrics::counter!("mqtt_trouble_total", "what" => reason).increment(1);
        let (client_id, address) = (&peer.client_id, peer.remote.ip());
        self.handler.warn(
            site,
            device.as_deref().unwrap_or_default(),
            reason,
            &format!("{words}: {client_id}, from {address}."),
        );
    }

    fn scope(&self, principal: &Principal) -> u128 {
        principal.site.id.0.as_u128()
    }

    fn take(&self, peer: &Peer<Principal>, message: Message) -> impl Future<Output = Taken> + Send + 'static {
        let speaker = Speaker {
            site: Arc::clone(&peer.principal.site),
            device: peer.principal.device.clone(),
            for_all: false,
            connection: peer.connection,
            client_id: Some(peer.client_id.clone()),
            clean_start: peer.clean_start,
            via: Some(format!("{} {}", Origin::from(peer.remote.ip()), peer.client_id)),
        };
        let handler = self.handler.clone();
        async move { handler.take(speaker, message).await }
    }

    async fn subscribed(&self, peer: &Peer<Principal>, filter: &str) -> Result<Vec<Outgoing>, NotLetIn> {
        let own = match &peer.principal.device {
            Some(device) => acks::is_of(&self.prefix, filter, device),
            None => acks::is_lamp(&self.prefix, filter),
        };
        if !own {
            return Err(NotLetIn::NotAuthorized);
        }
        let now = self.lamp(&peer.principal.site, filter).await.map_err(not_now)?;
        Ok(now.into_iter().collect())
    }

    fn came(&self, peer: &Peer<Principal>) {
        let Some(device) = &peer.principal.device else { return };
        let site = Arc::clone(&peer.principal.site);
        self.handler.connections.came(site.id, device, peer.connection);
        tokio::spawn(say(site, Arc::clone(device), true));
    }

    fn gone(&self, peer: &Peer<Principal>, how: Gone) {
        tracing::debug!(client_id = peer.client_id, ?how, "A device's connection ended.");
        let site = Arc::clone(&peer.principal.site);
        let connections = self.handler.connections.clone();
        let goodbye = how == Gone::Clean;
        connections.ended(site.id, &peer.client_id, peer.connection, goodbye, self.registry.clock.now());
        let Some(device) = peer.principal.device.clone() else { return };
        connections.left(site.id, &device, peer.connection);
        // A device that sent DISCONNECT may sleep until its next press; a lost one can't call.
        if how != Gone::Lost {
            return;
        }
        tokio::spawn(async move {
            // A second time for a flapping button, whose first change was not reported.
            for wait in [Duration::ZERO, SETTLED] {
                tokio::time::sleep(wait).await;
                if connections.is_live(site.id, &device) {
                    // It may have come back while its changes were damped.
                    if wait > Duration::ZERO {
                        say(site, device, true).await;
                    }
                    return;
                }
                say(Arc::clone(&site), Arc::clone(&device), false).await;
                if connections.is_live(site.id, &device) {
                    return say(site, device, true).await;
                }
            }
        });
    }
}

/// Records whether a button is connected. Errors are ignored: without the database, the board shows a worse fault.
async fn say(site: Arc<OpenSite>, device: Arc<str>, online: bool) {
    let vitals = Telemetry { online: Some(online), ..Telemetry::default() };
    let name = device.to_string();
    let heard = HearButton { device: name.clone(), own: true, vitals, greets: online };
    let _ = site.act(Box::new(heard), Actor::Button { name }, Source::Device).await;
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
fn not_now(error: DbError) -> NotLetIn {
    tracing::warn!(%error, "A device can't be judged at present.");
    NotLetIn::NotNow
}
