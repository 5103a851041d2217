//! English: texts of the page for a new request.

use crate::locales::words::NewRequest;

pub const WORDS: NewRequest = NewRequest {
    title: "New request",
    where_: "Where?",
    change: "Change",
    what: "What?",
    note: "Anything to add? (not needed)",
    note_hint: "Two espressos, one without sugar",
    ask: "Ask for it",
    choose_first: "Choose a place and what is wanted.",
    no_places: "There are no places yet. A supervisor adds them under Places.",
    search: "Search places and guests",
    elsewhere: "Elsewhere",
};
