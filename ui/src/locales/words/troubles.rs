//! Texts for connection errors.

use super::{Text, words};

words! {
    /// Texts for connection errors.
    Troubles {
        network: Text,
        no_answer: Text,
        silent: Text,
        closed: Text,
        restarting: Text,
        too_slow: Text,
        moved: Text,
        garbled: Text,
        missed: Text,
        stranger: Text,
        vault: Text,
        failed: Text,
        other_server: Text,
        no_socket: Text,
        too_large: Text,
    }
}
