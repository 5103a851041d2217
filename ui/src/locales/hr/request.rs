//! Croatian: texts of a request's page.

use crate::locales::words::Request;

pub const WORDS: Request = Request {
    gone: "Ovaj zahtjev više nije na uređaju.",
    story: "Što se dogodilo",
    story_partial: "Samo što ovaj uređaj zna: poslužitelj nije dostupan.",
    add_note: "Napiši bilješku",
    save_note: "Dodaj bilješku",
    hand_over_to: "Predaj",
    assign: "Dodijeli …",
    nobody: "Nitko drugi ne može preuzeti",
    cancel: "Otkaži zahtjev",
    cancel_why: "Zašto? (nije obavezno)",
    reason_mistake: "Pritisnuto greškom",
    reason_twice: "Zatraženo dvaput",
    reason_gone: "Gost se predomislio",
    sounded: "Zvonilo na {sounded} od {devices} uređaja",
    sounded_nowhere: "Nije zvonilo ni na jednom uređaju. Javite nekome osobno.",
    asked_at: "Zatraženo u {time}",
    took: "Trajalo {span}",
    play: "Pusti poruku",
    stop: "Zaustavi",
    no_recording: "Snimka nije stigla",
    cant_play: "Ne može se pustiti: {why}",
    said: "„{text}”",
    reason: "Razlog: {text}",
};
