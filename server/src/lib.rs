//! The Crewbell server: a guest's press becomes a record, and the crew know at once.
//!
//! | room | what it does | what it may not |
//! |---|---|---|
//! | [`devices`] | MQTT in, decodes, answers the buttons | SQL, rules |
//! | [`http`] | the doors for people and programs | write |
//! | [`actions`] | the only writers, one pipeline | be gone around |
//! | [`db`] | SQL and rows | rules, begin, commit |
//! | [`log`] | append, read after a cursor, wake the readers | decide |
//! | [`live`] | sockets and event streams | SQL |
//! | [`house`] | the sites that are served | |
//! | [`ice`] | STUN and TURN servers for calls, with credentials that end | |
//! | [`auth`] | signing in, tokens | |
//! | [`limits`] | what strangers and floods may cost | MQTT, HTTP, sites |
//! | [`jobs`] | timers and background work; they call actions | |
//! | [`cluster`], [`backup`] | the private PostgreSQL, dumps | |
//! | [`turn`] | how calls reach devices in other networks | the database |
//! | [`serve`] | all of it together, from start to stop | |
//! | [`clock`] | time and randomness | |
//! | [`demo`] | the demo site, with a week of history | write but by actions |

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
pub mod house;
pub mod http;
pub mod ice;
pub mod jobs;
pub mod limits;
pub mod live;
pub mod log;
#[cfg(test)]
#[path = "../tests/props/mod.rs"]
mod props;
pub mod serve;
pub mod turn;
