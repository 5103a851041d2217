//! Typed ids: each entity has its own type, so that a place can't be passed for a person.
//!
//! All are UUIDs of version 7 (RFC 9562). They are made where the entity is made, also on an offline client, and sort
//! by creation time, which keeps indexes dense.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )+};
}

ids! {
    /// An installation of the server: its database, regardless of its address.
    InstanceId,
    /// A yacht, a hotel, a service company.
    SiteId,
    /// A member of the crew.
    PersonId,
    /// A cabin, room, deck, pantry, office.
    PlaceId,
    /// A button in a place.
    ButtonId,
    /// One recorded press.
    PressId,
    /// A guest's request.
    RequestId,
    /// A note on a request.
    NoteId,
    /// A recording of a guest's voice message.
    RecordingId,
    /// A guest.
    GuestId,
    /// A guest's time in a place.
    StayId,
    /// A command; also its idempotency key.
    CommandId,
    /// A tablet, phone or desktop on which people sign in.
    DeviceId,
    /// A signed-in device of a person.
    SessionId,
    /// An entry in the log.
    EventId,
    /// A voice call between two people of the crew.
    CallId,
    /// One run of the app on one device: made at start, sent in `hello`, and the address of signals.
    EndpointId,
}
