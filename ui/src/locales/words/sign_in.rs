//! Texts of the sign-in page.

use super::{Text, words};

words! {
    /// Texts of the sign-in page.
    SignIn {
        title: Text,
        welcome: Text,
        server: Text,
        server_hint: Text,
        connect: Text,
        scan: Text,
        scan_hint: Text,
        no_code: Text,
        choose_site: Text,
        no_sites: Text,
        name: Text,
        pin: Text,
        password: Text,
        use_password: Text,
        use_pin: Text,
        erase: Text,
        person_at: Text,
        someone_else: Text,
        other_server: Text,
        trying: Text,
        looking: Text,
        name_needed: Text,
        secret_needed: Text,
        no_connection: Text,
        not_encrypted: Text,
    }
}
