//! What the board says

use super::{Text, words};

words! {
    /// What the board says
    Requests {
        title: Text,
    }
}
