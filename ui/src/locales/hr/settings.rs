//! Croatian: what the settings page says

use crate::locales::words::Settings;

pub const WORDS: Settings = Settings { title: "Postavke" };
