//! Devices.
pub mod sound;
