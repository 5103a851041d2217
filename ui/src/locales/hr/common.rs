//! Croatian: texts used in many places: buttons, answers, small words.

use crate::locales::Plural;
use crate::locales::words::Common;

pub const WORDS: Common = Common {
    ok: "U redu",
    cancel: "Odustani",
    close: "Zatvori",
    back: "Natrag",
    save: "Spremi",
    edit: "Uredi",
    retry: "Pokušaj ponovno",
    discard: "Odbaci",
    put_away: "Razumijem",
    search: "Traži",
    all: "Sve",
    on: "Uključeno",
    off: "Isključeno",
    name: "Naziv",
    loading: "Trenutak …",
    pending: "Još nije poslano",
    you: "Vi",
    nothing_found: "Ništa nije pronađeno",
    nothing_found_hint: "Pokušajte s drugim riječima ili manje filtara.",
    not_allowed: "Vaša uloga to ne dopušta.",
    show_more: "Prikaži više",
    items: Plural::three("{n} stavka", "{n} stavke", "{n} stavki"),
    in_sync_at: "Stanje u {time}",
    in_sync_live: "Ažurno",
    never_synced: "Još nije učitano",
};
