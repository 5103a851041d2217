//! German: texts used in many places: buttons, answers, small words.

use crate::locales::Plural;
use crate::locales::words::Common;

pub const WORDS: Common = Common {
    ok: "OK",
    cancel: "Abbrechen",
    close: "Schließen",
    back: "Zurück",
    save: "Speichern",
    edit: "Bearbeiten",
    retry: "Erneut versuchen",
    discard: "Verwerfen",
    put_away: "Verstanden",
    search: "Suchen",
    all: "Alle",
    on: "An",
    off: "Aus",
    name: "Name",
    loading: "Einen Moment …",
    pending: "Noch nicht gesendet",
    you: "Du",
    nothing_found: "Nichts gefunden",
    nothing_found_hint: "Versuche andere Wörter oder weniger Filter.",
    not_allowed: "Deine Rolle darf das nicht.",
    show_more: "Mehr anzeigen",
    items: Plural::two("{n} Eintrag", "{n} Einträge"),
    in_sync_at: "Stand {time}",
    in_sync_live: "Aktuell",
    never_synced: "Noch nicht geladen",
};
