//! What the page of the buttons says

use super::{Text, words};

words! {
    /// What the page of the buttons says
    Buttons {
        title: Text,
    }
}
