//! Job that ends the flapping state of buttons that have fallen silent.
//!
//! While a button flaps, its changes between connected and lost are not logged; its next message ends that. A button
//! that is lost for good sends no message, hence this job.

use std::sync::Arc;
use std::time::Duration;

use crewbell_shared::person::Actor;
use crewbell_shared::protocol::Source;
use tokio_util::sync::CancellationToken;

use crate::actions::{ActionError, SettleButton};
use crate::db::{Db, buttons};
use crate::site_registry::{OpenSite, SiteRegistry};

/// Interval between two checks.
const EVERY: Duration = Duration::from_mins(1);

/// Settles a site's buttons until cancelled.
pub async fn run(registry: SiteRegistry, site: Arc<OpenSite>, stop: CancellationToken) {
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stop.cancelled() => return,
        }
        // The writer logs an unavailable database; the next tick retries.
        if let Err(error) = settle_buttons(&registry.db, &site).await {
            tracing::debug!(site = %site.slug, %error, "Buttons that flapped could not be looked after.");
        }
    }
}

/// Ends the flapping state of the buttons that have fallen silent.
///
/// # Errors
/// Returns an error if the database is unavailable.
pub async fn settle_buttons(db: &Db, site: &OpenSite) -> Result<(), ActionError> {
    let all = {
        let mut tx = db.read(site.id).await.map_err(|_| ActionError::Unavailable)?;
        buttons::all(&mut tx, site.id).await.map_err(|_| ActionError::Unavailable)?
    };
    for known in all.into_iter().filter(|known| known.button.health.flapping_since.is_some()) {
        let action = SettleButton { device: known.button.device };
        site.act(Box::new(action), Actor::System, Source::Server).await?;
    }
    Ok(())
}
