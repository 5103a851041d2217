//! The language of Crewbell: its nouns, their rules, and what crosses a wire.
//!
//! Pure: no I/O, no clock, no randomness. Time and ids come in as arguments, so the server and an app that is offline
//! decide alike, and a test holds the clock.
//!
//! | room | what it holds |
//! |---|---|
//! | [`button`] | the device in a cabin, its presses, how a repetition is told from a new press |
//! | [`request`] | what a guest wants; the state machine that everything turns on |
//! | [`call`] | a voice call between two of the crew, from ringing to its end |
//! | [`person`] | the crew, their roles, the table of rights |
//! | [`place`], [`guest`] | cabins and decks; guests and their stays |
//! | [`site`] | the tenant and its settings |
//! | [`names`] | how names are compared, whatever their case and the way they were typed |
//! | [`rules`] | what every verb changes or why it is refused; decided alike by the server and by an app that is offline |
//! | [`protocol`] | what crosses a wire: commands, entries, live frames |
#![warn(missing_docs)]

pub mod button;
pub mod call;
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

pub use refusal::{Code, Refusal};
