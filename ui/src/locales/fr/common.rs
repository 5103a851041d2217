//! French: texts used in many places: buttons, answers, small words.

use crate::locales::Plural;
use crate::locales::words::Common;

pub const WORDS: Common = Common {
    ok: "OK",
    cancel: "Annuler",
    close: "Fermer",
    back: "Retour",
    save: "Enregistrer",
    edit: "Modifier",
    retry: "Réessayer",
    discard: "Abandonner",
    put_away: "Compris",
    search: "Rechercher",
    all: "Tous",
    on: "Activé",
    off: "Désactivé",
    name: "Nom",
    loading: "Un instant …",
    pending: "Pas encore envoyé",
    you: "Vous",
    nothing_found: "Rien trouvé",
    nothing_found_hint: "Essayez d'autres mots ou moins de filtres.",
    not_allowed: "Votre rôle ne le permet pas.",
    show_more: "Afficher plus",
    items: Plural::two("{n} élément", "{n} éléments"),
    in_sync_at: "État à {time}",
    in_sync_live: "À jour",
    never_synced: "Pas encore chargé",
};
