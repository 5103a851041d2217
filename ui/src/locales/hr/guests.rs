//! Croatian: what the page of the guests says

use crate::locales::words::Guests;

pub const WORDS: Guests = Guests { title: "Gosti" };
