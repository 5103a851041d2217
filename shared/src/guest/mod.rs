//! Guests and their stays. Guests don't sign in.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{GuestId, PlaceId, StayId};

/// A guest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Guest {
    /// Who.
    pub id: GuestId,
    /// How they like to be called.
    pub name: String,
    /// What the crew should know: preferences, allergies.
    pub notes: String,
}

/// A guest's time in a place, from check-in to check-out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Stay {
    /// Which stay.
    pub id: StayId,
    /// Who stays.
    pub guest_id: GuestId,
    /// Where.
    pub place_id: PlaceId,
    /// When they checked in.
    pub checked_in_at: Timestamp,
    /// When they checked out; none while they stay.
    pub checked_out_at: Option<Timestamp>,
}
