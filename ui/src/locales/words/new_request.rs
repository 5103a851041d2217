//! What the page of a new request says

use super::{Text, words};

words! {
    /// What the page of a new request says
    NewRequest {
        title: Text,
    }
}
