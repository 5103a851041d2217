//! Croatian: what the board says

use crate::locales::words::Requests;

pub const WORDS: Requests = Requests { title: "Zahtjevi" };
