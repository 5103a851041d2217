//! The language of Crewbell: its nouns, their rules, and what crosses a wire.
//!
//! Pure: no I/O, no clock, no randomness. Time and ids come in as arguments.
pub mod button;
