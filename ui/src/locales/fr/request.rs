//! French: texts of a request's page.

use crate::locales::words::Request;

pub const WORDS: Request = Request {
    gone: "Cette demande n'est plus sur cet appareil.",
    story: "Ce qui s'est passé",
    story_partial: "Seulement ce que sait cet appareil : serveur injoignable.",
    add_note: "Écrire une note",
    save_note: "Ajouter",
    hand_over_to: "Transmettre à",
    assign: "Affecter …",
    nobody: "Personne d'autre ne peut la prendre",
    cancel: "Annuler la demande",
    cancel_why: "Pourquoi ? (facultatif)",
    reason_mistake: "Appuyé par erreur",
    reason_twice: "Demandé deux fois",
    reason_gone: "Le client a changé d'avis",
    sounded: "A sonné sur {sounded} appareils sur {devices}",
    sounded_nowhere: "Aucun appareil n'a sonné. Prévenez quelqu'un vous-même.",
    asked_at: "Demandé à {time}",
    took: "A pris {span}",
    play: "Écouter le message",
    stop: "Arrêter",
    no_recording: "Aucun enregistrement reçu",
    cant_play: "Lecture impossible : {why}",
    said: "« {text} »",
    reason: "Raison : {text}",
};
