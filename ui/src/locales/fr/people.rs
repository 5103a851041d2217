//! French: what the page of the people says

use crate::locales::words::People;

pub const WORDS: People = People { title: "Équipage" };
