//! The HTTP client of `watch`: signing in, the snapshot and the live WebSocket.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use crewbell_shared::ids::EventId;
use crewbell_shared::protocol::Entity;
use crewbell_shared::protocol::live::FromClient;
use crewbell_shared::{Code, Refusal};
use futures_util::SinkExt;
use reqwest::{Client, Response, StatusCode, Url, header};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::{client::generate_key, derive_accept_key};
use tokio_tungstenite::tungstenite::protocol::Role;

use super::model::Model;
use crate::cli::format::refused;

/// Timeout of an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Timeout of a connection attempt: shorter, so that a lost network is noticed soon.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// The live WebSocket. It starts as an HTTP request that is upgraded, so it takes the same path as all others (TLS,
/// proxies).
pub(super) type Socket = WebSocketStream<reqwest::Upgraded>;

/// The error of a request to the server.
#[derive(Debug)]
pub(super) enum ApiError {
    /// A temporary failure; a retry makes sense.
    ForNow(anyhow::Error),
    /// A refusal by the server, which a retry doesn't change.
    Refused(Refusal),
    /// An answer that isn't from Crewbell, or that this version can't read.
    Strange(anyhow::Error),
}

impl ApiError {
    /// Converts it into the error to show.
    pub(super) fn error(self) -> anyhow::Error {
        match self {
            Self::ForNow(error) | Self::Strange(error) => error,
            Self::Refused(refusal) => refused(&refusal),
        }
    }
}

/// The API client of one server.
#[derive(Clone, Debug)]
pub(super) struct ApiClient {
    client: Client,
    server: Url,
}

/// The answer to signing in.
#[derive(Deserialize)]
struct SignedIn {
    token: String,
}

/// The first line of a snapshot.
#[derive(Deserialize)]
struct Head {
    seq: u64,
    #[serde(default)]
    event_id: Option<EventId>,
    entities: usize,
}

impl ApiClient {
    /// Creates the client of a server.
    ///
    /// # Errors
    /// Returns an error if the system's certificates can't be read.
    pub(super) fn new(server: Url) -> anyhow::Result<Self> {
        // A WebSocket starts as an HTTP/1.1 request (RFC 6455, 4.1).
        let client = Client::builder().http1_only().connect_timeout(CONNECT_WITHIN).build()?;
        Ok(Self { client, server })
    }

    fn url(&self, path: &str) -> Result<Url, ApiError> {
        self.server.join(path).map_err(|error| ApiError::Strange(error.into()))
    }

    /// Signs in and returns a token, which is valid until it is given back.
    pub(super) async fn sign_in(&self, site: Option<&str>, name: &str, secret: &str) -> Result<String, ApiError> {
        let login = json!({ "site": site, "name": name, "secret": secret, "device_name": "crewbell-server watch" });
        let request = self.client.post(self.url("api/auth/login")?).json(&login).timeout(PATIENCE);
        let answer = self.answer(request).await?;
        let signed_in = answer.json::<SignedIn>().await.map_err(|error| self.strange(error))?;
        Ok(signed_in.token)
    }

    /// Signs the token out. A failure is ignored, because the client is leaving.
    pub(super) async fn sign_out(&self, token: &str) {
        if let Ok(url) = self.url("api/auth/logout") {
            let request = self.client.post(url).bearer_auth(token).timeout(CONNECT_WITHIN);
            let _ = request.send().await;
        }
    }

    /// Fetches the snapshot of everything that the person may see.
    pub(super) async fn snapshot(&self, token: &str) -> Result<Model, ApiError> {
        let request = self.client.get(self.url("api/sync/snapshot")?).bearer_auth(token).timeout(PATIENCE);
        let text = self.answer(request).await?.text().await.map_err(|error| self.away(&error))?;
        read_snapshot(&text).map_err(ApiError::Strange)
    }

    /// Opens the live WebSocket and sends `hello`.
    pub(super) async fn live(&self, token: &str, model: &Model) -> Result<Socket, ApiError> {
        let key = generate_key();
        let request = self
            .client
            .get(self.url("api/live")?)
            .header(header::CONNECTION, "Upgrade")
            .header(header::UPGRADE, "websocket")
            .header(header::SEC_WEBSOCKET_VERSION, "13")
            .header(header::SEC_WEBSOCKET_KEY, &key);
        let opening = tokio::time::timeout(PATIENCE, self.answer(request)).await;
        let answer = opening.map_err(|_| ApiError::ForNow(anyhow::anyhow!("{} doesn't answer.", self.server)))??;
        let accepts = answer
            .headers()
            .get(header::SEC_WEBSOCKET_ACCEPT)
            .is_some_and(|accept| accept.as_bytes() == derive_accept_key(key.as_bytes()).as_bytes());
        if answer.status() != StatusCode::SWITCHING_PROTOCOLS || !accepts {
            return Err(ApiError::Strange(anyhow::anyhow!("{} doesn't open the live socket.", self.server)));
        }
        let stream = answer.upgrade().await.map_err(|error| self.away(&error))?;
        let mut socket = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
        let hello = FromClient::Hello {
            token: token.to_owned(),
            cursor: Some(model.cursor),
            event_id: model.event_id,
            categories: Vec::new(),
            endpoint: None,
        };
        say(&mut socket, &hello).await.map_err(ApiError::ForNow)?;
        Ok(socket)
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Result<Response, ApiError> {
        let answer = request.send().await.map_err(|error| self.away(&error))?;
        let status = answer.status();
        if status.is_success() || status == StatusCode::SWITCHING_PROTOCOLS {
            return Ok(answer);
        }
        match answer.json::<Refusal>().await {
            Ok(refusal) if refusal.code == Code::Unavailable || refusal.code == Code::Internal => {
                Err(ApiError::ForNow(refused(&refusal)))
            }
            Ok(refusal) => Err(ApiError::Refused(refusal)),
            // A proxy answers itself while the server behind it restarts.
            Err(_) if status.is_server_error() => {
                Err(ApiError::ForNow(anyhow::anyhow!("{} answers {status}.", self.server)))
            }
            Err(_) => Err(ApiError::Strange(anyhow::anyhow!("{} answers {status}: is that Crewbell?", self.server))),
        }
    }

    fn away(&self, error: &reqwest::Error) -> ApiError {
        // The innermost error says what happened; those around it repeat the address.
        let mut cause: &dyn std::error::Error = error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        ApiError::ForNow(anyhow::anyhow!("{} can't be reached: {cause}.", self.server))
    }

    fn strange(&self, error: reqwest::Error) -> ApiError {
        ApiError::Strange(
            anyhow::Error::new(error).context(format!("{} says what this version can't read", self.server)),
        )
    }
}

/// Sends a frame on the live WebSocket.
///
/// # Errors
/// Returns an error if the socket is broken.
pub(super) async fn say(socket: &mut Socket, frame: &FromClient) -> anyhow::Result<()> {
    let text = serde_json::to_string(frame)?;
    socket.send(Message::text(text)).await.context("The live socket is broken")
}

/// Parses the lines of a snapshot. Entities of an unknown type are skipped.
fn read_snapshot(text: &str) -> anyhow::Result<Model> {
    let mut lines = text.lines();
    let head: Head = serde_json::from_str(lines.next().unwrap_or_default()).context("The snapshot can't be read")?;
    let mut model = Model::at(head.seq, head.event_id);
    let mut entities = 0;
    for line in lines {
        let chunk: Vec<Value> = serde_json::from_str(line).context("The snapshot can't be read")?;
        entities += chunk.len();
        for entity in chunk {
            if let Ok(entity) = serde_json::from_value::<Entity>(entity) {
                model.put(entity);
            }
        }
    }
    ensure!(entities == head.entities, "The snapshot is not whole: {entities} of {} entities.", head.entities);
    Ok(model)
}

/// Parses the address of a server.
///
/// # Errors
/// Returns an error if it is not an HTTP or HTTPS URL.
pub(super) fn server(text: &str) -> anyhow::Result<Url> {
    let mut url: Url = text.parse().context("an address such as http://127.0.0.1:8080")?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        bail!("an address such as http://127.0.0.1:8080");
    }
    if !url.path().ends_with('/') {
        // A trailing slash makes `join` append paths, also behind a proxy that serves the API under a path.
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::super::props::open_request;
    use super::*;

    #[test]
    fn a_snapshot_is_read_with_entities_from_the_future() {
        let request = serde_json::to_string(&Entity::from(open_request())).unwrap();
        let moon = r#"{"entity_type":"moon","entity":{"id":1}}"#;
        let text = format!("{{\"seq\":7,\"site\":\"serenity\",\"entities\":2}}\n[{request},{moon}]\n");
        let model = read_snapshot(&text).unwrap();
        assert_eq!((model.cursor, model.counts()), (7, (1, 0)));
    }

    #[test]
    fn a_snapshot_that_broke_off_is_noticed() {
        assert!(read_snapshot("{\"seq\":7,\"entities\":2}\n[]\n").is_err());
        assert!(read_snapshot("").is_err());
    }

    #[test]
    fn paths_go_behind_the_server_s_own() {
        let url = |text: &str| server(text).unwrap().join("api/live").unwrap().to_string();
        assert_eq!(url("http://ship:8080"), "http://ship:8080/api/live");
        assert_eq!(url("https://fleet.example/serenity"), "https://fleet.example/serenity/api/live");
        for text in ["ship:8080", "ftp://ship", "127.0.0.1:8080", ""] {
            assert!(server(text).is_err(), "{text}");
        }
    }
}
