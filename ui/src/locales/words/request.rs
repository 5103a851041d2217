//! What a request's page says

use super::{Text, words};

words! {
    /// What a request's page says
    Request {
        title: Text,
    }
}
