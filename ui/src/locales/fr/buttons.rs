//! French: what the page of the buttons says

use crate::locales::words::Buttons;

pub const WORDS: Buttons = Buttons { title: "Boutons" };
