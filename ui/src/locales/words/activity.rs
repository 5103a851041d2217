//! What the page of what happened says

use super::{Text, words};

words! {
    /// What the page of what happened says
    Activity {
        title: Text,
    }
}
