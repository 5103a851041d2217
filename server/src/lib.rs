//! The Crewbell server.
pub mod actions;
pub mod clock;
pub mod db;
pub mod log;
