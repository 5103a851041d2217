//! Croatian: texts of the page for a new request.

use crate::locales::words::NewRequest;

pub const WORDS: NewRequest = NewRequest {
    title: "Novi zahtjev",
    where_: "Gdje?",
    change: "Promijeni",
    what: "Što?",
    note: "Još nešto? (nije obavezno)",
    note_hint: "Dva espressa, jedan bez šećera",
    ask: "Zatraži",
    choose_first: "Odaberite mjesto i što se želi.",
    no_places: "Još nema mjesta. Voditelj ih dodaje pod Mjesta.",
    search: "Traži mjesta i goste",
    elsewhere: "Drugdje",
};
