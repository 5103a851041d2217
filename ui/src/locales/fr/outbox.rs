//! French: texts of the outbox page.

use crate::locales::Plural;
use crate::locales::words::Outbox;

pub const WORDS: Outbox = Outbox {
    title: "À envoyer",
    intro: "Envoyé dans cet ordre, tout seul, dès qu'il y a une connexion.",
    intro_live: "La connexion est là : l'envoi est en cours.",
    empty: "Tout est envoyé",
    empty_text: "Ce que vous faites sans connexion attend ici jusqu'à ce que le serveur l'ait.",
    refused: "Refusé",
    refused_text: "Le serveur a dit non. Rien n'est perdu : réessayez ou abandonnez.",
    waiting: "En attente",
    done: "Chez le serveur",
    others: "Laissé par quelqu'un d'autre",
    others_text: "Envoyé seulement quand cette personne se reconnecte ici. Sinon, enregistrez-le dans un fichier ou abandonnez-le.",
    state_waiting: "en attente",
    state_refused: "refusé",
    state_done: "fait, arrive dans un instant",
    by: "par {who}",
    now: "Maintenant :",
    now_has: "{who} s'en occupe.",
    now_open: "C'est de nouveau ouvert : vous pouvez réessayer.",
    now_done: "{who} l'a terminé à {time}.",
    now_cancelled: "{who} l'a annulé à {time}.",
    now_yours: "Vous vous en occupez.",
    needs: "Dépend de : {what}",
    needed_by: Plural::two(
        "{n} autre modification en dépend et serait refusée avec elle.",
        "{n} autres modifications en dépendent et seraient refusées avec elle.",
    ),
    retry_first: "Réessayez d'abord celle-là.",
    retry_name: "Réessayer : {what}",
    discard_name: "Abandonner : {what}",
    discard_title: "Abandonner ceci ?",
    discard_refused: "Le serveur ne l'a pas fait, et ce ne sera plus tenté.",
    discard_waiting: "Ce ne sera plus envoyé. Si c'était déjà en route, cela peut se faire quand même.",
    discard_other: "{who} n'en saura rien. Enregistrez d'abord un fichier si c'est important.",
    save_all: "Tout enregistrer dans un fichier",
    save_hint: "Pour un autre appareil ou pour lecture. Rien n'est retiré d'ici.",
    saved: "Enregistré : {path}",
};
