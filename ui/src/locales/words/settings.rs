//! What the settings page says

use super::{Text, words};

words! {
    /// What the settings page says
    Settings {
        title: Text,
    }
}
