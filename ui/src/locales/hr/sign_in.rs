//! Croatian: texts of the sign-in page.

use crate::locales::words::SignIn;

pub const WORDS: SignIn = SignIn {
    title: "Prijava",
    welcome: "Tko zove, tko je preuzeo i što je bilo.",
    server: "Adresa poslužitelja",
    server_hint: "Kako je zadao administrator, npr. 10.0.0.2:8080",
    connect: "Poveži",
    scan: "Skeniraj QR kod",
    scan_hint: "Na prijavljenom uređaju: Postavke, Dodaj uređaj.",
    no_code: "Na slici nema čitljivog QR koda.",
    choose_site: "Gdje radite?",
    no_sites: "Na ovom poslužitelju još ništa nije postavljeno.",
    name: "Vaše ime",
    pin: "PIN",
    password: "Lozinka",
    use_password: "Koristi lozinku",
    use_pin: "Koristi PIN",
    erase: "Obriši zadnju znamenku",
    person_at: "{who} na {site}",
    someone_else: "Netko drugi",
    other_server: "Drugi poslužitelj",
    trying: "Prijava …",
    looking: "Traženje poslužitelja …",
    name_needed: "Upišite svoje ime.",
    secret_needed: "Upišite PIN ili lozinku.",
    no_connection: "Poslužitelj se odavde ne može dosegnuti. Je li uređaj na pravoj mreži?",
    not_encrypted: "Ova veza nije šifrirana: tko je na istoj mreži može čitati, i vaš PIN. Nastavite samo na mreži kojoj vjerujete.",
};
