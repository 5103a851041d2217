//! What the page of the places says

use super::{Text, words};

words! {
    /// What the page of the places says
    Places {
        title: Text,
    }
}
