//! The Crewbell server.
pub mod actions;
pub mod clock;
pub mod db;
pub mod auth;
pub mod http;
pub mod devices;
pub mod house;
pub mod live;
pub mod log;
