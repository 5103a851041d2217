//! Asking the server over HTTP.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crewbell_shared::button::{UnrecognisedMessage, UnrecognisedMessages};
use crewbell_shared::ids::{DeviceId, InstanceId, PersonId, RequestId};
use crewbell_shared::person::Person;
use crewbell_shared::protocol::live::FromClient;
use crewbell_shared::protocol::{Command, Entry, Outcome};
use reqwest::header::ACCEPT_ENCODING;
use reqwest::{Client, RequestBuilder, Response, redirect};
use rustls::ClientConfig;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{answer, snapshot};
use crate::engine::{Fault, Snapshot};
use crate::screen::{ActivityQuery, SiteInfo, Trouble};
use crate::shell::IceServer;
use crate::store::Cursor;

/// How long a connection may take to be made; a machine that is there answers within a second.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// How long an answer may be silent. The server itself gives up after 30 s.
const SILENT_FOR: Duration = Duration::from_secs(20);

/// How long a short question may take in all.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// How long a server that has shown who it is counts as that one, while nothing is heard of it.
const CONFIRMED_FOR: Duration = Duration::from_secs(15);

/// Entries on a page of the activity.
const PAGE: u32 = 100;

/// The client of all servers.
#[derive(Clone, Debug)]
pub struct Http {
    client: Client,
    trust: Arc<ClientConfig>,
    /// The server that has shown who it is, over this client's connections, and when it was last heard of.
    confirmed: Arc<Mutex<Option<(String, Instant)>>>,
}

/// Who signs in, and on what.
#[derive(Serialize)]
pub struct Login {
    /// The site's slug.
    pub site: String,
    /// The person's name.
    pub name: String,
    /// Their PIN or password.
    pub secret: String,
    /// This device.
    pub device_id: DeviceId,
    /// How it is called in the list of sessions.
    pub device_name: String,
}

/// Somebody is signed in.
#[derive(Deserialize)]
pub struct SignedIn {
    /// What proves it from here on.
    pub token: String,
    /// Who.
    pub person: Person,
    /// The site's slug.
    pub site: String,
}

// Neither a secret nor a token may reach a log by way of a `{:?}`.

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("site", &self.site).field("device_id", &self.device_id).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedIn").field("site", &self.site).field("person", &self.person.id).finish_non_exhaustive()
    }
}

/// Who answers at an address.
#[derive(Debug, Deserialize)]
pub struct Server {
    /// Its version.
    pub version: String,
    /// Its sites.
    pub sites: Vec<SiteInfo>,
    /// Which installation it is.
    #[serde(default)]
    pub instance: Option<InstanceId>,
}

/// A page of the activity, newest first.
#[derive(Debug, Deserialize)]
pub struct Activity {
    /// What happened.
    pub items: Vec<Entry>,
    /// Where the next page begins.
    pub next_before: Option<u64>,
}

impl Http {
    /// A client that trusts whom the device trusts.
    ///
    /// # Errors
    /// The client can't be made; a sentence says why.
    pub fn new(trust: Arc<ClientConfig>) -> Result<Self, String> {
        let client = Client::builder()
            .tls_backend_preconfigured(ClientConfig::clone(&trust))
            .user_agent(concat!("Crewbell/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_WITHIN)
            .read_timeout(SILENT_FOR)
            // A portal redirects to its own page; our server never redirects.
            .redirect(redirect::Policy::none())
            .tcp_nodelay(true)
            .pool_idle_timeout(Duration::from_secs(30))
            .gzip(true)
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { client, trust, confirmed: Arc::default() })
    }

    /// The same with no connection open; those that were are left to the requests that still go over them.
    ///
    /// # Errors
    /// As [`Http::new`].
    pub fn anew(&self) -> Result<Self, String> {
        Self::new(Arc::clone(&self.trust))
    }

    /// How TLS is spoken.
    pub fn trust(&self) -> &Arc<ClientConfig> {
        &self.trust
    }

    /// Who answers at a base URL.
    ///
    /// # Errors
    /// Nobody, or no Crewbell.
    pub async fn server(&self, base: &str) -> Result<Server, Fault> {
        let asked = self.client.get(format!("{base}/api/server")).timeout(CONNECT_WITHIN * 2);
        answer::json(asked.send().await.map_err(answer::away)?).await
    }

    /// Makes sure that whoever answers at a base URL is the installation that a device signed in to, before it is sent a
    /// token; `anew`: though it was just heard of.
    ///
    /// # Errors
    /// Nobody, no Crewbell, or another one.
    pub async fn confirm(&self, base: &str, expected: Option<InstanceId>, anew: bool) -> Result<(), Fault> {
        let Some(expected) = expected else { return Ok(()) };
        let is_fresh = |(known, at): &(String, Instant)| known == base && at.elapsed() < CONFIRMED_FOR;
        if !anew && self.confirmed().as_ref().is_some_and(is_fresh) {
            return Ok(());
        }
        let server = self.server(base).await?;
        let is_it = server.instance == Some(expected);
        *self.confirmed() = is_it.then(|| (base.to_owned(), Instant::now()));
        if is_it { Ok(()) } else { Err(Fault::Away(Trouble::OtherServer)) }
    }

    /// The server that has shown who it is was heard of, over a connection that stood then.
    pub fn heard(&self) {
        if let Some((_, at)) = &mut *self.confirmed() {
            *at = Instant::now();
        }
    }

    fn confirmed(&self) -> std::sync::MutexGuard<'_, Option<(String, Instant)>> {
        self.confirmed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Signs in.
    ///
    /// # Errors
    /// `bad_credentials`, `slow_down`, or there is no connection.
    pub async fn login(&self, base: &str, login: &Login) -> Result<SignedIn, Fault> {
        let asked = self.client.post(format!("{base}/api/auth/login")).json(login).timeout(ANSWER_WITHIN);
        answer::json(asked.send().await.map_err(answer::away)?).await
    }

    /// A server's door for somebody who is signed in.
    pub fn door(&self, base: &str, token: Arc<str>) -> Door {
        Door { http: self.clone(), base: base.to_owned(), token }
    }
}

/// A server's door for somebody who is signed in.
#[derive(Clone)]
pub struct Door {
    http: Http,
    base: String,
    token: Arc<str>,
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Door").field("base", &self.base).finish_non_exhaustive()
    }
}

impl Door {
    fn get(&self, path: &str) -> RequestBuilder {
        self.http.client.get(format!("{}{path}", self.base)).bearer_auth(&self.token)
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.http.client.post(format!("{}{path}", self.base)).bearer_auth(&self.token).timeout(ANSWER_WITHIN)
    }

    /// Whether the token is worth anything.
    ///
    /// # Errors
    /// `not_signed_in` when it isn't; otherwise as [`Fault`] says, and nothing is known.
    pub async fn me(&self) -> Result<(), Fault> {
        let asked = self.get("/api/auth/me").timeout(ANSWER_WITHIN);
        let _: serde_json::Value = answer::json(asked.send().await.map_err(answer::away)?).await?;
        Ok(())
    }

    /// The event stream after a cursor, as it begins.
    ///
    /// # Errors
    /// It couldn't be reached.
    pub async fn events(&self, cursor: Cursor) -> Result<Response, Fault> {
        let event_id = cursor.event_id.map(|id| ("event_id", id.to_string()));
        let pairs: Vec<_> =
            [("frames", "true".to_owned()), ("after", cursor.seq.to_string())].into_iter().chain(event_id).collect();
        // Whoever packs a stream holds it back.
        let asked = self.get("/api/events").query(&pairs).header(ACCEPT_ENCODING, "identity");
        asked.send().await.map_err(answer::away)
    }

    /// Says what would be said on the live socket.
    ///
    /// # Errors
    /// The server said no, or nothing.
    pub async fn say(&self, frame: &FromClient) -> Result<(), Fault> {
        answer::nothing(self.post("/api/events/said").json(frame).send().await.map_err(answer::away)?).await
    }

    /// Signs out: the token is worth nothing from here on.
    ///
    /// # Errors
    /// The server said no, or nothing.
    pub async fn logout(&self) -> Result<(), Fault> {
        answer::nothing(self.post("/api/auth/logout").send().await.map_err(answer::away)?).await
    }

    /// The site whole, read as it arrives; a slow line may take as long as it needs, as long as something comes.
    ///
    /// # Errors
    /// As [`Fault`] says; a snapshot that ends before its end is none.
    pub async fn snapshot(&self) -> Result<Snapshot, Fault> {
        let response = self.get("/api/sync/snapshot").send().await.map_err(answer::away)?;
        snapshot::read(answer::success(response).await?).await
    }

    /// Sends commands, in order; what became of each. The list may end early: the rest is to be sent again.
    ///
    /// # Errors
    /// As [`Fault`] says; then nothing is known of any of them.
    pub async fn commands(&self, commands: &[Command]) -> Result<Vec<Outcome>, Fault> {
        #[derive(Serialize)]
        struct Batch<'a> {
            commands: &'a [Command],
        }
        #[derive(Deserialize)]
        struct Outcomes {
            outcomes: Vec<Outcome>,
        }
        let asked = self.post("/api/commands").json(&Batch { commands });
        let Outcomes { outcomes } = answer::json_of_content(asked.send().await.map_err(answer::away)?).await?;
        Ok(outcomes)
    }

    /// All that happened to a request, oldest first.
    ///
    /// # Errors
    /// As [`Fault`] says.
    pub async fn timeline(&self, id: RequestId) -> Result<Vec<Entry>, Fault> {
        #[derive(Deserialize)]
        struct Story {
            timeline: Vec<Entry>,
        }
        let asked = self.get(&format!("/api/service-requests/{id}")).timeout(ANSWER_WITHIN);
        let Story { timeline } = answer::json(asked.send().await.map_err(answer::away)?).await?;
        Ok(timeline)
    }

    /// A page of the activity.
    ///
    /// # Errors
    /// As [`Fault`] says.
    pub async fn activity(&self, query: &ActivityQuery) -> Result<Activity, Fault> {
        let asked = self.get("/api/activity").query(&asked(query, Some(PAGE))).timeout(ANSWER_WITHIN);
        answer::json(asked.send().await.map_err(answer::away)?).await
    }

    /// What devices said that was no press, the newest first.
    ///
    /// # Errors
    /// As [`Fault`] says.
    pub async fn unrecognised(&self) -> Result<Vec<UnrecognisedMessage>, Fault> {
        let asked = self.get("/api/buttons/unheard").timeout(ANSWER_WITHIN);
        let UnrecognisedMessages { items } = answer::json(asked.send().await.map_err(answer::away)?).await?;
        Ok(items)
    }

    /// The activity as CSV: the newest 10,000 entries that match.
    ///
    /// # Errors
    /// As [`Fault`] says.
    pub async fn activity_csv(&self, query: &ActivityQuery) -> Result<Vec<u8>, Fault> {
        let asked = self.get("/api/activity.csv").query(&asked(query, None));
        answer::body(asked.send().await.map_err(answer::away)?, &["text/csv"]).await
    }

    /// What a guest said: a WAV file, or what can't be made one as it was sent.
    ///
    /// # Errors
    /// As [`Fault`] says; `not_found` when there is no recording.
    pub async fn voice(&self, id: RequestId) -> Result<Vec<u8>, Fault> {
        let asked = self.get(&format!("/api/service-requests/{id}/voice"));
        let response = asked.send().await.map_err(answer::away)?;
        answer::body(response, &["audio/wav", "application/octet-stream"]).await
    }

    /// Servers that help two devices to reach each other.
    ///
    /// # Errors
    /// As [`Fault`] says.
    pub async fn ice_servers(&self) -> Result<Vec<IceServer>, Fault> {
        #[derive(serde::Deserialize)]
        struct Answer {
            ice_servers: Vec<IceServer>,
        }
        let asked = self.get("/api/call/ice");
        let answer: Answer = answer::json(asked.send().await.map_err(answer::away)?).await?;
        Ok(answer.ice_servers)
    }

    /// Gives a person a new PIN or password; one's own in the place of the present one.
    ///
    /// # Errors
    /// As [`Fault`] says.
    pub async fn set_secret(&self, person: PersonId, secret: &str, current: Option<&str>) -> Result<(), Fault> {
        let url = format!("{}/api/people/{person}/secret", self.base);
        let asked = self.http.client.put(url).bearer_auth(&self.token).timeout(ANSWER_WITHIN);
        let asked = asked.json(&serde_json::json!({ "secret": secret, "current": current }));
        answer::nothing(asked.send().await.map_err(answer::away)?).await
    }
}

fn asked(query: &ActivityQuery, limit: Option<u32>) -> Vec<(&'static str, String)> {
    let ActivityQuery { text, category, person_id, from, to, before } = query;
    let pairs = [
        ("q", text.clone()),
        ("category", category.clone()),
        ("actor_id", person_id.map(|id| id.to_string())),
        ("from", from.map(|at| at.to_string())),
        ("to", to.map(|at| at.to_string())),
        ("before", before.map(|seq| seq.to_string())),
        ("limit", limit.map(|limit| limit.to_string())),
    ];
    pairs.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}
