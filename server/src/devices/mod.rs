//! Where buttons speak: MQTT in, presses out.

pub mod dialects;
