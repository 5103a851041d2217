//! The Crewbell server: a guest's press becomes a record, and the crew are notified at once.
//!
//! | module | what it does | what it may not do |
//! |---|---|---|
//! | [`devices`] | MQTT in, decodes, answers the buttons | SQL, rules |
//! | [`http`] | the endpoints for people and programs | write |
//! | [`actions`] | the only writers, one pipeline | be bypassed |
//! | [`db`] | SQL and rows | rules, begin, commit |
//! | [`log`] | append, read after a cursor, wake the readers | decide |
//! | [`live`] | sockets and event streams | SQL |
//! | [`site_registry`] | the registry of open sites | |
//! | [`ice`] | STUN and TURN servers for calls, with credentials that expire | |
//! | [`auth`] | signing in, tokens | |
//! | [`limits`] | rate and resource limits for strangers and floods | MQTT, HTTP, sites |
//! | [`jobs`] | timers and background work; they execute actions | |
//! | [`cluster`], [`backup`] | the private PostgreSQL, dumps | |
//! | [`turn`] | the TURN server, for calls across networks | the database |
//! | [`serve`] | starts and stops all parts | |
//! | [`clock`] | time and randomness | |
//! | [`demo`] | the demo site, with a week of history | write other than by actions |

pub mod actions;
pub mod auth;
pub mod backup;
pub mod cli;
pub mod clock;
pub mod cluster;
pub mod config;
pub mod db;
pub mod demo;
pub mod devices;
#[cfg(test)]
mod fuzz;
pub mod http;
pub mod ice;
pub mod jobs;
pub mod limits;
pub mod live;
pub mod log;
#[cfg(test)]
#[path = "../tests/props/log_output.rs"]
mod log_output;
#[cfg(test)]
#[path = "../tests/props/mod.rs"]
mod props;
pub mod serve;
pub mod site_registry;
pub mod turn;
