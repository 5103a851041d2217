//! What the page of the guests says

use super::{Text, words};

words! {
    /// What the page of the guests says
    Guests {
        title: Text,
    }
}
