//! The site: the tenant that everything belongs to, and its settings.

mod verbs;

pub use verbs::SiteVerb;

use std::ops::RangeInclusive;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::EntityBody;
use crate::button::{ButtonKey, Vocabulary};
use crate::ids::SiteId;
use crate::protocol::{object, objects};
use crate::request::Priority;

/// A site: a yacht, a hotel or a service company.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Site {
    /// The site's id.
    pub id: SiteId,
    /// Its short name in addresses, user names and the log: lower-case letters, digits and hyphens.
    pub slug: String,
    /// Its display name.
    pub name: String,
    /// Its settings.
    pub settings: SiteSettings,
}

impl EntityBody for Site {}

/// A site's settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct SiteSettings {
    /// Seconds within which a further press of the same kind joins the open request instead of creating another; 0
    /// turns that off. 0 to 600.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 600))]
    pub press_window_s: u32,
    /// Days that entries stay in the log before they move to the monthly archives; 0 keeps them for ever. 0 to 3650.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 3650))]
    pub retention_days: u32,
    /// Seconds that a voice call rings before it counts as missed. 10 to 300.
    #[cfg_attr(feature = "openapi", schema(minimum = 10, maximum = 300))]
    pub ring_time_s: u32,
    /// Days of disuse after which a device's session expires; 0 disables expiry. 0 to 3650.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 3650))]
    pub session_days: u32,
    /// Days that requests, calls and stays remain on devices after their end; the log and the activity list keep them.
    /// 1 to 90.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 90))]
    pub closed_days: u32,
    /// The site's time zone: a name of the IANA time zone database, such as `Europe/Zagreb`. Plain dates are in this
    /// zone.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 64))]
    pub time_zone: String,
    /// The services of the auxiliary keys; one service per key.
    #[cfg_attr(feature = "openapi", schema(max_items = 5))]
    #[serde(deserialize_with = "objects")]
    pub services: Vec<Service>,
    /// The site's additions to the built-in device vocabulary.
    #[serde(deserialize_with = "object")]
    pub vocabulary: Vocabulary,
}

/// The service that an auxiliary key requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Service {
    /// The key.
    pub key: ButtonKey,
    /// The stable code that the UI translates: `lights`, `bring_drinks`, or a site's own.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 200))]
    pub code: String,
    /// The priority of its requests.
    pub priority: Priority,
}

impl SiteSettings {
    /// Range of [`SiteSettings::press_window_s`].
    pub const PRESS_WINDOW_S: RangeInclusive<u32> = 0..=600;
    /// Range of [`SiteSettings::retention_days`].
    pub const RETENTION_DAYS: RangeInclusive<u32> = 0..=3650;
    /// Range of [`SiteSettings::ring_time_s`]: long enough to get a phone out of a pocket, short enough to call somebody
    /// else in time.
    pub const RING_TIME_S: RangeInclusive<u32> = 10..=300;

    /// Range of [`SiteSettings::session_days`].
    pub const SESSION_DAYS: RangeInclusive<u32> = 0..=3650;
    /// Range of [`SiteSettings::closed_days`].
    pub const CLOSED_DAYS: RangeInclusive<u32> = 1..=90;

    /// The code of the service that switches a place's do-not-disturb instead of creating a request.
    pub const DO_NOT_DISTURB: &'static str = "do_not_disturb";

    /// The time that closed entities remain on devices.
    pub fn keeps_closed_for(&self) -> SignedDuration {
        SignedDuration::from_hours(24 * i64::from(self.closed_days))
    }

    /// The service of a key; a key without one makes a plain request, so that no press is lost.
    pub fn service(&self, key: ButtonKey) -> Option<&Service> {
        self.services.iter().find(|service| service.key == key)
    }
}

impl Default for SiteSettings {
    fn default() -> Self {
        let service = |key, code: &str, priority| Service { key, code: code.to_owned(), priority };
        Self {
            press_window_s: 20,
            retention_days: 400,
            ring_time_s: 60,
            session_days: 30,
            closed_days: 7,
            time_zone: "UTC".to_owned(),
            services: vec![
                service(ButtonKey::Aux1, Self::DO_NOT_DISTURB, Priority::Low),
                service(ButtonKey::Aux2, "lights", Priority::Low),
                service(ButtonKey::Aux3, "prepare_food", Priority::Normal),
                service(ButtonKey::Aux4, "bring_drinks", Priority::Normal),
            ],
            vocabulary: Vocabulary::default(),
        }
    }
}
