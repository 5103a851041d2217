//! What the page of the people says

use super::{Text, words};

words! {
    /// What the page of the people says
    People {
        title: Text,
    }
}
