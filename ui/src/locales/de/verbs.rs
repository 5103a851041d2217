//! German: texts for commands, as shown in the outbox.

use crate::locales::words::Verbs;

pub const WORDS: Verbs = Verbs {
    create_request: "Anfrage stellen: {place}",
    accept_request: "Annehmen: {what}",
    release_request: "Zurückgeben: {what}",
    hand_over_request: "An {who} übergeben: {what}",
    complete_request: "Abschließen: {what}",
    cancel_request: "Stornieren: {what}",
    note_request: "Notiz zu {what}: „{text}“",
    assign_button: "Knopf {what} zuordnen: {place}",
    create_button: "Knopf {what} hinzufügen: {place}",
    retire_button: "Knopf {what} außer Betrieb nehmen",
    save_place: "Ort {what} speichern",
    dnd_on: "Nicht stören an: {what}",
    dnd_off: "Nicht stören aus: {what}",
    save_guest: "Gast {what} speichern",
    check_in: "{who} einchecken: {place}",
    check_out: "{who} auschecken",
    save_person: "{who} speichern",
    on_duty: "{who}: im Dienst",
    off_duty: "{who}: nicht im Dienst",
    save_settings: "Einstellungen des Standorts speichern",
    unknown_thing: "etwas, das nicht mehr da ist",
    start_call: "{who} anrufen",
    answer_call: "Anruf annehmen",
    reject_call: "Anruf ablehnen",
    end_call: "Auflegen",
    see_call: "Verpassten Anruf als gesehen markieren",
    busy: "{who}: beschäftigt",
    not_busy: "{who}: nicht mehr beschäftigt",
};
