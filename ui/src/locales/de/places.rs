//! German: what the page of the places says

use crate::locales::words::Places;

pub const WORDS: Places = Places { title: "Orte" };
