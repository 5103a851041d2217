//! Croatian: texts for connection errors.

use crate::locales::words::Troubles;

pub const WORDS: Troubles = Troubles {
    network: "Poslužitelj je nedostupan ({why}).",
    no_answer: "Poslužitelj ne odgovara.",
    silent: "Poslužitelj je utihnuo.",
    closed: "Poslužitelj je zatvorio vezu.",
    restarting: "Poslužitelj se ponovno pokreće.",
    too_slow: "Ovaj je uređaj bio prespor za poslužitelj.",
    moved: "Ovaj je uređaj promijenio mrežu.",
    garbled: "Ono što je poslužitelj poslao ne može se pročitati.",
    missed: "Nedostaje nešto što je poslužitelj poslao.",
    stranger: "Netko drugi odgovara umjesto poslužitelja: na primjer stranica za prijavu na Wi-Fi.",
    vault: "Prijava se ne može pročitati iz privjeska ključeva ovog uređaja ({why}).",
    failed: "Sama aplikacija nije uspjela.",
    other_server: "Na ovoj adresi odgovara drugi Crewbell. Je li uređaj na pravoj mreži?",
    no_socket: "Ova mreža ne propušta izravnu vezu s poslužiteljem.",
    too_large: "Poslužitelj je odjednom poslao više nego što uređaj prima.",
};
