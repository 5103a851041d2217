//! German: texts of the page for a new request.

use crate::locales::words::NewRequest;

pub const WORDS: NewRequest = NewRequest {
    title: "Neue Anfrage",
    where_: "Wo?",
    change: "Ändern",
    what: "Was?",
    note: "Noch etwas? (freiwillig)",
    note_hint: "Zwei Espressi, einer ohne Zucker",
    ask: "Anfragen",
    choose_first: "Wähle einen Ort und was gewünscht wird.",
    no_places: "Es gibt noch keine Orte. Die Leitung legt sie unter Orte an.",
    search: "Orte und Gäste suchen",
    elsewhere: "Anderswo",
};
