//! The domain model of Crewbell: its entities, their rules, and the protocol types.
//!
//! The crate is pure: no I/O, no clock, no randomness. Time and ids are arguments, so the server and an offline app
//! decide alike, and a test controls the clock.
//!
//! | module | contents |
//! |---|---|
//! | [`entities`] | the registry: every entity, declared once |
//! | [`button`] | the device in a cabin, its presses, and duplicate detection |
//! | [`request`] | a guest's request and its state machine |
//! | [`call`] | a voice call between two crew members, from ringing to its end |
//! | [`person`] | the crew, their roles, the table of rights |
//! | [`place`], [`guest`] | cabins and decks; guests and their stays |
//! | [`site`] | the tenant and its settings |
//! | [`names`] | comparison of names, independent of case and Unicode normalization |
//! | [`rules`] | the decision on every verb: its changes or its refusal; shared by the server and an offline app |
//! | [`protocol`] | the wire format: commands, entries, live frames |
#![warn(missing_docs)]

pub mod button;
pub mod call;
pub mod entities;
pub mod guest;
pub mod ids;
pub mod names;
pub mod person;
pub mod place;
pub mod protocol;
mod refusal;
pub mod request;
pub mod rules;
pub mod site;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use entities::{Entity, EntityBody, EntityId, EntityKey, EntityType, Registered};
pub use refusal::{Code, Refusal};
