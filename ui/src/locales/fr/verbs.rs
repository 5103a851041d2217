//! French: texts for commands, as shown in the outbox.

use crate::locales::words::Verbs;

pub const WORDS: Verbs = Verbs {
    create_request: "Demander : {place}",
    accept_request: "Accepter : {what}",
    release_request: "Rendre : {what}",
    hand_over_request: "Transmettre à {who} : {what}",
    complete_request: "Terminer : {what}",
    cancel_request: "Annuler : {what}",
    note_request: "Note sur {what} : « {text} »",
    assign_button: "Affecter le bouton {what} à {place}",
    create_button: "Ajouter le bouton {what} à {place}",
    retire_button: "Mettre le bouton {what} hors service",
    save_place: "Enregistrer le lieu {what}",
    dnd_on: "Ne pas déranger activé : {what}",
    dnd_off: "Ne pas déranger désactivé : {what}",
    save_guest: "Enregistrer le client {what}",
    check_in: "Arrivée de {who} : {place}",
    check_out: "Départ de {who}",
    save_person: "Enregistrer {who}",
    on_duty: "{who} : en service",
    off_duty: "{who} : hors service",
    save_settings: "Enregistrer les réglages du site",
    unknown_thing: "quelque chose qui n'est plus là",
    start_call: "Appeler {who}",
    answer_call: "Prendre un appel",
    reject_call: "Refuser un appel",
    end_call: "Raccrocher",
    see_call: "Marquer un appel manqué comme vu",
    busy: "{who} : occupation signalée",
    not_busy: "{who} : de nouveau disponible",
};
