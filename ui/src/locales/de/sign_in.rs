//! German: texts of the sign-in page.

use crate::locales::words::SignIn;

pub const WORDS: SignIn = SignIn {
    title: "Anmelden",
    welcome: "Wer ruft, wer es hat und was daraus wurde.",
    server: "Adresse des Servers",
    server_hint: "Wie von der Administration genannt, etwa 10.0.0.2:8080",
    connect: "Verbinden",
    scan: "QR-Code scannen",
    scan_hint: "Auf einem angemeldeten Gerät: Einstellungen, Gerät hinzufügen.",
    no_code: "In diesem Bild ist kein lesbarer QR-Code.",
    choose_site: "Wo arbeitest du?",
    no_sites: "Auf diesem Server ist noch nichts eingerichtet.",
    name: "Dein Name",
    pin: "PIN",
    password: "Passwort",
    use_password: "Passwort verwenden",
    use_pin: "PIN verwenden",
    erase: "Letzte Ziffer löschen",
    person_at: "{who} bei {site}",
    someone_else: "Jemand anderes",
    other_server: "Anderer Server",
    trying: "Anmeldung läuft …",
    looking: "Suche den Server …",
    name_needed: "Gib deinen Namen ein.",
    secret_needed: "Gib deine PIN oder dein Passwort ein.",
    no_connection: "Der Server ist von hier nicht erreichbar. Ist dieses Gerät im richtigen Netz?",
    not_encrypted: "Diese Verbindung ist nicht verschlüsselt: wer im selben Netz ist, kann mitlesen, auch deine PIN. Mach nur in einem Netz weiter, dem du vertraust.",
};
