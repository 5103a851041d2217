//! What the page of a new request says

use super::{Text, words};

words! {
    /// What the page of a new request says
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
