//! skeleton

pub mod cluster;
