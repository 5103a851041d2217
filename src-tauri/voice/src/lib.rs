//! What the app is heard by. No window in it, and no Tauri.
//!
//! | room | what it holds |
//! |---|---|
//! | [`sounds`] | alerts that ring until somebody accepts, and what guests have said |
#![warn(missing_docs)]

pub mod sounds;
