//! German: texts for connection errors.

use crate::locales::words::Troubles;

pub const WORDS: Troubles = Troubles {
    network: "Der Server ist nicht zu erreichen ({why}).",
    no_answer: "Der Server antwortet nicht.",
    silent: "Der Server ist verstummt.",
    closed: "Der Server hat die Verbindung geschlossen.",
    restarting: "Der Server startet neu.",
    too_slow: "Dieses Gerät war dem Server zu langsam.",
    moved: "Dieses Gerät hat das Netz gewechselt.",
    garbled: "Was der Server gesendet hat, ist nicht lesbar.",
    missed: "Etwas, das der Server gesendet hat, fehlt.",
    stranger: "Jemand anders antwortet anstelle des Servers: zum Beispiel die Anmeldeseite eines WLANs.",
    vault: "Die Anmeldung kann nicht aus dem Schlüsselbund dieses Geräts gelesen werden ({why}).",
    failed: "Die App selbst ist gescheitert.",
    other_server: "Unter dieser Adresse antwortet ein anderes Crewbell. Ist dieses Gerät im richtigen Netz?",
    no_socket: "Dieses Netz lässt keine Live-Verbindung zum Server durch.",
    too_large: "Der Server hat mehr auf einmal geschickt, als dieses Gerät nimmt.",
};
