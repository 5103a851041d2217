//! `GET /api/server`: information about the server, available without a token.

use axum::Json;
use axum::extract::State;
use crewbell_shared::Refusal;
use crewbell_shared::ids::InstanceId;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{ApiError, App};
use crate::db::sites;

/// What a sign-in page shows.
#[derive(Debug, Serialize, ToSchema)]
pub struct Server {
    /// The server's version.
    version: &'static str,
    /// The sites that one can sign in to, by slug.
    sites: Vec<SiteName>,
    /// The server's clock, for a client whose own is wrong.
    time: Timestamp,
    /// Which installation it is, whatever its address: a client sends its token to no other.
    instance: InstanceId,
}

/// How a site is called.
#[derive(Debug, Serialize, ToSchema)]
pub struct SiteName {
    /// Its short name, for signing in.
    slug: String,
    /// Its name on screens.
    name: String,
}

/// Tells who answers here: the version, the sites and the time. Needs no token.
#[utoipa::path(
    get,
    path = "/api/server",
    tag = "system",
    responses((status = 200, body = Server), (status = "4XX", body = Refusal))
)]
pub async fn server(State(app): State<App>) -> Result<Json<Server>, ApiError> {
    let instance = app.registry.instance().await?;
    let mut tx = app.registry.db.read_sites().await?;
    let known = sites::all(&mut tx).await?.into_iter().map(|known| known.site);
    let sites = known.map(|site| SiteName { slug: site.slug, name: site.name }).collect();
    Ok(Json(Server { version: env!("CARGO_PKG_VERSION"), sites, time: app.registry.clock.now(), instance }))
}
