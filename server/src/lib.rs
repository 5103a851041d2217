//! skeleton

pub mod backup;
pub mod cluster;
