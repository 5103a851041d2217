//! Texts of the page for a new request.

use super::{Text, words};

words! {
    /// Texts of the page for a new request.
    NewRequest {
        title: Text,
        where_: Text,
        change: Text,
        what: Text,
        note: Text,
        note_hint: Text,
        ask: Text,
        choose_first: Text,
        no_places: Text,
        search: Text,
        elsewhere: Text,
    }
}
