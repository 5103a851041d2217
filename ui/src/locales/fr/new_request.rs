//! French: what the page of a new request says

use crate::locales::words::NewRequest;

pub const WORDS: NewRequest = NewRequest { title: "Nouvelle demande" };
