//! French: what the page of the people says

use crate::locales::Plural;
use crate::locales::words::People;

pub const WORDS: People = People {
    title: "Équipage",
    my_duty: "Mon service",
    my_on: "Vous êtes en service : les demandes sonnent chez vous.",
    my_off: "Vous n'êtes pas en service : rien ne sonne chez vous.",
    on_duty: "En service",
    off_duty: "Hors service",
    inactive: "Ne peuvent plus se connecter",
    nobody_on_duty: "Personne n'est en service",
    nobody_on_duty_hint: "Les demandes arrivent et sont enregistrées, mais ne sonnent chez personne.",
    devices: Plural::two("{n} appareil", "{n} appareils"),
    mute: Plural::two("{n} appareil ne peut pas sonner", "{n} appareils ne peuvent pas sonner"),
    hears_nothing: "En service, mais aucun appareil ouvert",
    search: "Rechercher dans l'équipage",
    duty_of: "{who} en service",
    name: "Nom",
    add: "Ajouter une personne",
    edit_of: "Modifier {who}",
    name_hint: "Le nom de connexion ; personne d'autre ne peut l'avoir.",
    active: "Peut se connecter",
    active_hint: "Désactivé, la personne est déconnectée partout et n'est plus en service. Ce qu'elle a fait reste.",
    not_yourself: "Vous ne pouvez pas retirer vos propres droits.",
    secret_title: "Nouveau code ou mot de passe",
    secret_hint: "Un code de 4 à 12 chiffres, ou un mot de passe d'au moins 8 caractères.",
    secret_wrong: "4 à 12 chiffres, ou 8 à 200 caractères.",
    secret_online: "Cela va directement au serveur et ne peut pas attendre : il faut une connexion.",
    secret_unsaved: "Le serveur doit d'abord connaître la personne : il n'a pas encore répondu.",
    secret_ends: "La personne est déconnectée partout et se reconnecte avec.",
    secret_set: "Définir",
    secret_done: "C'est fait : valable dès maintenant.",
    added_hint: "{who} est dans l'équipage. Définissez un code pour la connexion.",
    name_missing: "Un nom est nécessaire.",
};
