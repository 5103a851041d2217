//! English: texts of the sign-in page.

use crate::locales::words::SignIn;

pub const WORDS: SignIn = SignIn {
    title: "Sign in",
    welcome: "Who calls, who has it, and what became of it.",
    server: "Server address",
    server_hint: "As your administrator gave it, such as 10.0.0.2:8080",
    connect: "Connect",
    scan: "Scan the QR code",
    scan_hint: "On a device that is signed in: Settings, Add a device.",
    no_code: "There is no QR code in this picture that can be read.",
    choose_site: "Where do you work?",
    no_sites: "Nothing has been set up on this server yet.",
    name: "Your name",
    pin: "PIN",
    password: "Password",
    use_password: "Use a password",
    use_pin: "Use a PIN",
    erase: "Delete the last digit",
    person_at: "{who} at {site}",
    someone_else: "Someone else",
    other_server: "Another server",
    trying: "Signing in …",
    looking: "Looking for the server …",
    name_needed: "Type your name.",
    secret_needed: "Type your PIN or password.",
    no_connection: "The server can't be reached from here. Is this device on the right network?",
    not_encrypted: "This connection is not encrypted: whoever is in the same network can read along, your PIN too. Go on only in a network that you trust.",
};
