//! Texts of the places page.

use super::{Plural, Text, words};

words! {
    /// Texts of the places page.
    Places {
        title: Text,
        search: Text,
        empty: Text,
        empty_hint: Text,
        elsewhere: Text,
        deck_empty: Text,
        add: Text,
        add_deck: Text,
        edit_of: Text,
        kind: Text,
        deck: Text,
        no_deck: Text,
        position: Text,
        position_hint: Text,
        position_wrong: Text,
        name_missing: Text,
        name_taken: Text,
        dnd: Text,
        dnd_hint: Text,
        guests: Text,
        guests_none: Text,
        vacant: Text,
        since: Text,
        requests: Text,
        requests_none: Text,
        open: Plural,
        buttons: Text,
        buttons_none: Text,
        buttons_count: Plural,
        no_button: Text,
        pick_search: Text,
        pick_more: Text,
        count: Plural,
    }
}
