//! What the outbox page says

use super::{Text, words};

words! {
    /// What the outbox page says
    Outbox {
        title: Text,
    }
}
