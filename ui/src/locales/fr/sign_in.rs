//! French: texts of the sign-in page.

use crate::locales::words::SignIn;

pub const WORDS: SignIn = SignIn {
    title: "Connexion",
    welcome: "Qui appelle, qui s'en occupe, et la suite.",
    server: "Adresse du serveur",
    server_hint: "Donnée par votre administrateur, par exemple 10.0.0.2:8080",
    connect: "Se connecter",
    scan: "Scanner le code QR",
    scan_hint: "Sur un appareil connecté : Réglages, Ajouter un appareil.",
    no_code: "Aucun code QR lisible dans cette image.",
    choose_site: "Où travaillez-vous ?",
    no_sites: "Rien n'est encore configuré sur ce serveur.",
    name: "Votre nom",
    pin: "Code",
    password: "Mot de passe",
    use_password: "Utiliser un mot de passe",
    use_pin: "Utiliser un code",
    erase: "Effacer le dernier chiffre",
    person_at: "{who} sur {site}",
    someone_else: "Quelqu'un d'autre",
    other_server: "Autre serveur",
    trying: "Connexion …",
    looking: "Recherche du serveur …",
    name_needed: "Saisissez votre nom.",
    secret_needed: "Saisissez votre code ou mot de passe.",
    no_connection: "Serveur injoignable d'ici. Cet appareil est-il sur le bon réseau ?",
    not_encrypted: "Cette connexion n'est pas chiffrée : quiconque est sur le même réseau peut lire, votre PIN aussi. Ne continuez que sur un réseau de confiance.",
};
