//! German: texts of a request's page.

use crate::locales::words::Request;

pub const WORDS: Request = Request {
    gone: "Diese Anfrage ist nicht mehr auf diesem Gerät.",
    story: "Was geschah",
    story_partial: "Nur was dieses Gerät weiß: der Server ist nicht erreichbar.",
    add_note: "Notiz schreiben",
    save_note: "Notiz hinzufügen",
    hand_over_to: "Übergeben an",
    assign: "Zuweisen …",
    nobody: "Niemand sonst kann es nehmen",
    cancel: "Anfrage stornieren",
    cancel_why: "Warum? (freiwillig)",
    reason_mistake: "Versehentlich gedrückt",
    reason_twice: "Doppelt gefragt",
    reason_gone: "Gast hat es sich anders überlegt",
    sounded: "Erklang auf {sounded} von {devices} Geräten",
    sounded_nowhere: "Es erklang auf keinem Gerät. Sag selbst jemandem Bescheid.",
    asked_at: "Gefragt um {time}",
    took: "Dauerte {span}",
    play: "Nachricht abspielen",
    stop: "Stopp",
    no_recording: "Keine Aufnahme angekommen",
    cant_play: "Kann nicht abgespielt werden: {why}",
    said: "„{text}“",
    reason: "Grund: {text}",
};
