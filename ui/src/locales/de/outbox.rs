//! German: texts of the outbox page.

use crate::locales::Plural;
use crate::locales::words::Outbox;

pub const WORDS: Outbox = Outbox {
    title: "Ausgang",
    intro: "Wird in dieser Reihenfolge von selbst gesendet, sobald es eine Verbindung gibt.",
    intro_live: "Die Verbindung steht: Was wartet, wird gerade gesendet.",
    empty: "Alles ist gesendet",
    empty_text: "Was du ohne Verbindung tust, wartet hier, bis der Server es hat.",
    refused: "Abgelehnt",
    refused_text: "Der Server hat nein gesagt. Nichts ist verloren: versuche es noch einmal oder verwirf es.",
    waiting: "Wartet",
    done: "Beim Server",
    others: "Von jemand anderem",
    others_text: "Es wird erst gesendet, wenn diese Person sich hier wieder anmeldet. Speichere es sonst als Datei oder verwirf es.",
    state_waiting: "wartet",
    state_refused: "abgelehnt",
    state_done: "erledigt, kommt gleich an",
    by: "von {who}",
    now: "Jetzt:",
    now_has: "{who} hat es.",
    now_open: "Es ist wieder offen: Du kannst es noch einmal versuchen.",
    now_done: "{who} hat es um {time} abgeschlossen.",
    now_cancelled: "{who} hat es um {time} storniert.",
    now_yours: "Du hast es.",
    needs: "Braucht: {what}",
    needed_by: Plural::two(
        "{n} weitere Änderung braucht diese und würde mit ihr abgelehnt.",
        "{n} weitere Änderungen brauchen diese und würden mit ihr abgelehnt.",
    ),
    retry_first: "Versuche zuerst das.",
    retry_name: "Noch einmal versuchen: {what}",
    discard_name: "Verwerfen: {what}",
    discard_title: "Verwerfen?",
    discard_refused: "Der Server hat es nicht getan, und es wird nicht mehr versucht.",
    discard_waiting: "Es wird nicht mehr gesendet. War es schon unterwegs, kann es trotzdem geschehen.",
    discard_other: "{who} erfährt nichts davon. Speichere es zuerst als Datei, wenn es wichtig ist.",
    save_all: "Alles als Datei speichern",
    save_hint: "Für ein anderes Gerät oder zum Lesen. Im Ausgang bleibt alles.",
    saved: "Gespeichert als {path}",
};
