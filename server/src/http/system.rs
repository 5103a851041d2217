//! `/healthz`, `/readyz`, `/metrics`: for whoever watches the server.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;

use super::App;
use crate::limits::Full;

/// The process is there.
#[utoipa::path(get, path = "/healthz", tag = "system", responses((status = 200, body = String)))]
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// The server can take a press: the database answers, its disk has room, and a button that comes can be let in.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "system",
    responses((status = 200, body = String), (status = 503, body = String))
)]
pub async fn readyz(State(app): State<App>) -> impl IntoResponse {
    if app.house.stop.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "going down\n");
    }
    if let Err(unready) = app.house.db.ready().await {
        return (StatusCode::SERVICE_UNAVAILABLE, unready.why());
    }
    match app.house.doors.mqtt.is_full() {
        None | Some(Full::Unauthenticated) => (StatusCode::OK, "ready\n"),
        Some(Full::Shared) => (StatusCode::SERVICE_UNAVAILABLE, "no room for more buttons with a join code\n"),
        Some(Full::SignedIn) => (StatusCode::SERVICE_UNAVAILABLE, "no room for more buttons\n"),
    }
}

/// What is counted, in Prometheus' text format.
#[utoipa::path(get, path = "/metrics", tag = "system", responses((status = 200, body = String)))]
pub async fn metrics(State(app): State<App>) -> impl IntoResponse {
    let text = app.metrics.as_ref().map(metrics_exporter_prometheus::PrometheusHandle::render).unwrap_or_default();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}
