//! English: what the outbox page says

use crate::locales::words::Outbox;

pub const WORDS: Outbox = Outbox { title: "Outbox" };
