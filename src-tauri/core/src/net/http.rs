//! HTTP client for the server's API.

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
use crate::screen::{ActivityQuery, ConnectionError, SiteInfo};
use crate::shell::IceServer;
use crate::store::Cursor;

/// Connect timeout; a reachable machine answers within a second.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// Read timeout. The server itself gives up after 30 s.
const SILENT_FOR: Duration = Duration::from_secs(20);

/// Total timeout of a short request.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// How long a confirmed server identity stays valid without further contact.
const CONFIRMED_FOR: Duration = Duration::from_secs(15);

/// Page size of the activity, in entries.
const PAGE: u32 = 100;

/// The HTTP client for all servers.
#[derive(Clone, Debug)]
pub struct Http {
    client: Client,
    trust: Arc<ClientConfig>,
    /// Base URL of the server whose identity is confirmed over this client's connections, and the time of the last
    /// contact.
    confirmed: Arc<Mutex<Option<(String, Instant)>>>,
}

/// Body of a sign-in request.
#[derive(Serialize)]
pub struct Login {
    /// The site's slug.
    pub site: String,
    /// The person's name.
    pub name: String,
    /// The person's PIN or password.
    pub secret: String,
    /// The id of this device.
    pub device_id: DeviceId,
    /// The device's name in the list of sessions.
    pub device_name: String,
}

/// Response to a successful sign-in.
#[derive(Deserialize)]
pub struct SignedIn {
    /// The session token.
    pub token: String,
    /// The person who signed in.
    pub person: Person,
    /// The site's slug.
    pub site: String,
}

// Secrets and tokens must not reach a log through `{:?}`.

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

/// Description of the server at an address.
#[derive(Debug, Deserialize)]
pub struct Server {
    /// The server's version.
    pub version: String,
    /// The server's sites.
    pub sites: Vec<SiteInfo>,
    /// The id of the installation.
    #[serde(default)]
    pub instance: Option<InstanceId>,
}

/// A page of the activity, newest first.
#[derive(Debug, Deserialize)]
pub struct Activity {
    /// The entries of the page.
    pub items: Vec<Entry>,
    /// The `before` parameter of the next page.
    pub next_before: Option<u64>,
}

impl Http {
    /// Creates a client with the device's TLS configuration.
    ///
    /// # Errors
    /// Returns an error if the client can't be created; the message is a sentence that says why.
    pub fn new(trust: Arc<ClientConfig>) -> Result<Self, String> {
        let client = Client::builder()
            .tls_backend_preconfigured(ClientConfig::clone(&trust))
            .user_agent(concat!("Crewbell/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_WITHIN)
            .read_timeout(SILENT_FOR)
            // Captive portals redirect to their own page; the Crewbell server never redirects.
            .redirect(redirect::Policy::none())
            .tcp_nodelay(true)
            .pool_idle_timeout(Duration::from_secs(30))
            .gzip(true)
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { client, trust, confirmed: Arc::default() })
    }

    /// Creates a client with the same configuration and an empty connection pool. Requests in flight keep the old
    /// connections.
    ///
    /// # Errors
    /// Returns the errors of [`Http::new`].
    pub fn anew(&self) -> Result<Self, String> {
        Self::new(Arc::clone(&self.trust))
    }

    /// Returns the TLS configuration.
    pub fn trust(&self) -> &Arc<ClientConfig> {
        &self.trust
    }

    /// Fetches the description of the server at a base URL.
    ///
    /// # Errors
    /// Returns an error if no Crewbell server answers.
    pub async fn server(&self, base: &str) -> Result<Server, Fault> {
        let asked = self.client.get(format!("{base}/api/server")).timeout(CONNECT_WITHIN * 2);
        answer::json(asked.send().await.map_err(answer::away)?).await
    }

    /// Confirms that the server at a base URL is the installation that the device signed in to, before a token is sent
    /// to it. `anew` forces the check even after recent contact.
    ///
    /// # Errors
    /// Returns an error if no server answers, or it is no Crewbell or another installation.
    pub async fn confirm(&self, base: &str, expected: Option<InstanceId>, anew: bool) -> Result<(), Fault> {
        let Some(expected) = expected else { return Ok(()) };
        let is_fresh = |(known, at): &(String, Instant)| known == base && at.elapsed() < CONFIRMED_FOR;
        if !anew && self.confirmed().as_ref().is_some_and(is_fresh) {
            return Ok(());
        }
        let server = self.server(base).await?;
        let is_it = server.instance == Some(expected);
        *self.confirmed() = is_it.then(|| (base.to_owned(), Instant::now()));
        if is_it { Ok(()) } else { Err(Fault::Away(ConnectionError::OtherServer)) }
    }

    /// Records contact with the confirmed server, over a connection that was open at the time of the confirmation.
    pub fn heard(&self) {
        if let Some((_, at)) = &mut *self.confirmed() {
            *at = Instant::now();
        }
    }

    fn confirmed(&self) -> std::sync::MutexGuard<'_, Option<(String, Instant)>> {
        self.confirmed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Signs a person in.
    ///
    /// # Errors
    /// Returns `bad_credentials` or `slow_down`, or an error if there is no connection.
    pub async fn login(&self, base: &str, login: &Login) -> Result<SignedIn, Fault> {
        let asked = self.client.post(format!("{base}/api/auth/login")).json(login).timeout(ANSWER_WITHIN);
        answer::json(asked.send().await.map_err(answer::away)?).await
    }

    /// Returns an authenticated client for a server.
    pub fn api_client(&self, base: &str, token: Arc<str>) -> ApiClient {
        ApiClient { http: self.clone(), base: base.to_owned(), token }
    }
}

/// An authenticated API client for one server.
#[derive(Clone)]
pub struct ApiClient {
    http: Http,
    base: String,
    token: Arc<str>,
}

impl std::fmt::Debug for ApiClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Door").field("base", &self.base).finish_non_exhaustive()
    }
}

impl ApiClient {
    fn get(&self, path: &str) -> RequestBuilder {
        self.http.client.get(format!("{}{path}", self.base)).bearer_auth(&self.token)
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.http.client.post(format!("{}{path}", self.base)).bearer_auth(&self.token).timeout(ANSWER_WITHIN)
    }

    /// Checks whether the token is valid.
    ///
    /// # Errors
    /// Returns `not_signed_in` if the token is invalid; any other [`Fault`] leaves its validity unknown.
    pub async fn me(&self) -> Result<(), Fault> {
        let asked = self.get("/api/auth/me").timeout(ANSWER_WITHIN);
        let _: serde_json::Value = answer::json(asked.send().await.map_err(answer::away)?).await?;
        Ok(())
    }

    /// Opens the event stream after a cursor and returns the response with its body unread.
    ///
    /// # Errors
    /// Returns an error if the server can't be reached.
    pub async fn events(&self, cursor: Cursor) -> Result<Response, Fault> {
        let event_id = cursor.event_id.map(|id| ("event_id", id.to_string()));
        let pairs: Vec<_> =
            [("frames", "true".to_owned()), ("after", cursor.seq.to_string())].into_iter().chain(event_id).collect();
        // Compression would make proxies buffer the stream.
        let asked = self.get("/api/events").query(&pairs).header(ACCEPT_ENCODING, "identity");
        asked.send().await.map_err(answer::away)
    }

    /// Sends a frame that would otherwise go over the live socket.
    ///
    /// # Errors
    /// Returns an error if the server refuses or doesn't answer.
    pub async fn say(&self, frame: &FromClient) -> Result<(), Fault> {
        answer::nothing(self.post("/api/events/said").json(frame).send().await.map_err(answer::away)?).await
    }

    /// Signs out, which revokes the token.
    ///
    /// # Errors
    /// Returns an error if the server refuses or doesn't answer.
    pub async fn logout(&self) -> Result<(), Fault> {
        answer::nothing(self.post("/api/auth/logout").send().await.map_err(answer::away)?).await
    }

    /// Fetches the site's snapshot as a stream; there is no total timeout, only the read timeout.
    ///
    /// # Errors
    /// Returns a [`Fault`], also for an incomplete snapshot.
    pub async fn snapshot(&self) -> Result<Snapshot, Fault> {
        let response = self.get("/api/sync/snapshot").send().await.map_err(answer::away)?;
        snapshot::read(answer::success(response).await?).await
    }

    /// Sends commands in order and returns their outcomes. The list may be shorter; the remaining commands have to be
    /// sent again.
    ///
    /// # Errors
    /// Returns a [`Fault`]; the outcome of every command is then unknown.
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

    /// Fetches a request's timeline, oldest entry first.
    ///
    /// # Errors
    /// Returns a [`Fault`] if the request fails.
    pub async fn timeline(&self, id: RequestId) -> Result<Vec<Entry>, Fault> {
        #[derive(Deserialize)]
        struct Story {
            timeline: Vec<Entry>,
        }
        let asked = self.get(&format!("/api/service-requests/{id}")).timeout(ANSWER_WITHIN);
        let Story { timeline } = answer::json(asked.send().await.map_err(answer::away)?).await?;
        Ok(timeline)
    }

    /// Fetches a page of the activity.
    ///
    /// # Errors
    /// Returns a [`Fault`] if the request fails.
    pub async fn activity(&self, query: &ActivityQuery) -> Result<Activity, Fault> {
        let asked = self.get("/api/activity").query(&asked(query, Some(PAGE))).timeout(ANSWER_WITHIN);
        answer::json(asked.send().await.map_err(answer::away)?).await
    }

    /// Fetches the devices' unrecognised messages, newest first.
    ///
    /// # Errors
    /// Returns a [`Fault`] if the request fails.
    pub async fn unrecognised(&self) -> Result<Vec<UnrecognisedMessage>, Fault> {
        let asked = self.get("/api/buttons/unrecognised").timeout(ANSWER_WITHIN);
        let UnrecognisedMessages { items } = answer::json(asked.send().await.map_err(answer::away)?).await?;
        Ok(items)
    }

    /// Fetches the activity as CSV: the newest 10,000 entries that match.
    ///
    /// # Errors
    /// Returns a [`Fault`] if the request fails.
    pub async fn activity_csv(&self, query: &ActivityQuery) -> Result<Vec<u8>, Fault> {
        let asked = self.get("/api/activity.csv").query(&asked(query, None));
        answer::body(asked.send().await.map_err(answer::away)?, &["text/csv"]).await
    }

    /// Fetches a guest's recording: a WAV file, or the original bytes if they can't be converted.
    ///
    /// # Errors
    /// Returns a [`Fault`]; `not_found` if there is no recording.
    pub async fn voice(&self, id: RequestId) -> Result<Vec<u8>, Fault> {
        let asked = self.get(&format!("/api/service-requests/{id}/voice"));
        let response = asked.send().await.map_err(answer::away)?;
        answer::body(response, &["audio/wav", "application/octet-stream"]).await
    }

    /// Fetches the STUN and TURN servers.
    ///
    /// # Errors
    /// Returns a [`Fault`] if the request fails.
    pub async fn ice_servers(&self) -> Result<Vec<IceServer>, Fault> {
        #[derive(serde::Deserialize)]
        struct Answer {
            ice_servers: Vec<IceServer>,
        }
        let asked = self.get("/api/call/ice");
        let answer: Answer = answer::json(asked.send().await.map_err(answer::away)?).await?;
        Ok(answer.ice_servers)
    }

    /// Sets a person's PIN or password; changing one's own requires the current one.
    ///
    /// # Errors
    /// Returns a [`Fault`] if the request fails.
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
