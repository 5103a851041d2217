//! skeleton

pub mod backup;
pub mod cluster;
pub mod config;
