//! French: texts of the page for a new request.

use crate::locales::words::NewRequest;

pub const WORDS: NewRequest = NewRequest {
    title: "Nouvelle demande",
    where_: "Où ?",
    change: "Changer",
    what: "Quoi ?",
    note: "Autre chose ? (facultatif)",
    note_hint: "Deux expressos, dont un sans sucre",
    ask: "Demander",
    choose_first: "Choisissez un lieu et ce qui est souhaité.",
    no_places: "Pas encore de lieux. Un responsable les ajoute sous Lieux.",
    search: "Chercher lieux et clients",
    elsewhere: "Ailleurs",
};
