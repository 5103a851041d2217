//! skeleton

pub mod devices;
