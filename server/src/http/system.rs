//! `/healthz`, `/readyz`, `/metrics`: endpoints for monitoring.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use crewbell_shared::person::Right;
use crewbell_shared::{Code, Refusal};
use metrics_exporter_prometheus::PrometheusHandle;
use subtle::ConstantTimeEq;

use super::extract::CurrentUser;
use super::{ApiError, App};
use crate::config::Secret;
use crate::limits::Full;

/// The process is there.
#[utoipa::path(get, path = "/healthz", tag = "system", responses((status = 200, body = String)))]
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Time limit for a writer that failed recently to prove that it can write.
const SHOWN_WITHIN: Duration = Duration::from_secs(3);

/// The server can take a press: the database answers, its disk has room, every site's writer writes, and a button that
/// comes can be let in. A writer that failed lately has to show that it can again.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "system",
    responses((status = 200, body = String), (status = 503, body = String))
)]
pub async fn readyz(State(app): State<App>) -> impl IntoResponse {
    if app.registry.stop.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "going down\n");
    }
    if let Err(unready) = app.registry.db.ready().await {
        return (StatusCode::SERVICE_UNAVAILABLE, unready.why());
    }
    if !app.registry.silent(SHOWN_WITHIN).await.is_empty() {
        return (StatusCode::SERVICE_UNAVAILABLE, "a site's writer can't write\n");
    }
    match app.registry.connections.mqtt.is_full() {
        None | Some(Full::Unauthenticated) => (StatusCode::OK, "ready\n"),
        Some(Full::Shared) => (StatusCode::SERVICE_UNAVAILABLE, "no room for more buttons with a join code\n"),
        Some(Full::SignedIn) => (StatusCode::SERVICE_UNAVAILABLE, "no room for more buttons\n"),
    }
}

/// The metrics, and the token for reading them.
#[derive(Clone, Debug)]
pub struct Metering {
    /// The Prometheus recorder.
    pub counted: PrometheusHandle,
    /// The token of a collector; without it, only an administrator's token gives access.
    pub token: Option<Secret>,
}

/// The metrics in Prometheus' text format, for a collector with the token of the settings (`http.metrics_token`), and
/// for whoever may change the site. The caller's address doesn't matter, because a proxy on this machine has the
/// machine's address.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "system",
    responses((status = 200, body = String), (status = 403, body = Refusal))
)]
pub async fn metrics(
    State(app): State<App>,
    headers: HeaderMap,
    who: Result<CurrentUser, ApiError>,
) -> Result<impl IntoResponse, ApiError> {
    let token = app.metrics.as_ref().and_then(|metrics| metrics.token.as_ref());
    let may =
        token.is_some_and(|token| shows(&headers, token)) || who.is_ok_and(|who| who.need(Right::EditSite).is_ok());
    if !may {
        return Err(ApiError::new(Code::NotAllowed, "Only with the token of the settings, or an administrator's."));
    }
    let text = app.metrics.as_ref().map(|metrics| metrics.counted.render()).unwrap_or_default();
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text))
}

fn shows(headers: &HeaderMap, token: &Secret) -> bool {
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let shown = shown.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    bool::from(shown.as_bytes().ct_eq(token.expose().as_bytes()))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_token_is_shown_whole_or_not_at_all() {
        let token = Secret::new("s3cret");
        let with = |value: &'static str| {
            shows(&[(header::AUTHORIZATION, HeaderValue::from_static(value))].into_iter().collect(), &token)
        };
        assert!(with("Bearer s3cret"));
        assert!(!with("Bearer s3cre") && !with("s3cret") && !with("Basic s3cret") && !with("Bearer "));
        assert!(!shows(&HeaderMap::new(), &token));
    }
}
