//! French: texts for connection errors.

use crate::locales::words::Troubles;

pub const WORDS: Troubles = Troubles {
    network: "Le serveur est injoignable ({why}).",
    no_answer: "Le serveur ne répond pas.",
    silent: "Le serveur ne dit plus rien.",
    closed: "Le serveur a fermé la connexion.",
    restarting: "Le serveur redémarre.",
    too_slow: "Cet appareil était trop lent pour le serveur.",
    moved: "Cet appareil a changé de réseau.",
    garbled: "Ce que le serveur a envoyé est illisible.",
    missed: "Il manque une partie de ce que le serveur a envoyé.",
    stranger: "Quelqu'un d'autre répond à la place du serveur : la page de connexion d'un Wi-Fi, par exemple.",
    vault: "La connexion ne peut pas être lue dans le trousseau de cet appareil ({why}).",
    failed: "L'application elle-même a échoué.",
    other_server: "Un autre Crewbell répond à cette adresse. Cet appareil est-il sur le bon réseau ?",
    no_socket: "Ce réseau ne laisse passer aucune connexion en direct vers le serveur.",
    too_large: "Le serveur a envoyé plus d'un coup que cet appareil n'accepte.",
};
