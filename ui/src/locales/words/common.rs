//! Texts used in many places: buttons, answers, small words.

use super::{Plural, Text, words};

words! {
    /// Texts used in many places: buttons, answers, small words.
    Common {
        ok: Text,
        cancel: Text,
        close: Text,
        back: Text,
        save: Text,
        edit: Text,
        retry: Text,
        discard: Text,
        put_away: Text,
        search: Text,
        all: Text,
        on: Text,
        off: Text,
        name: Text,
        loading: Text,
        /// Marks a change of this person that the server hasn't confirmed.
        pending: Text,
        you: Text,
        nothing_found: Text,
        nothing_found_hint: Text,
        not_allowed: Text,
        show_more: Text,
        items: Plural,
        /// Stands under a list: the time of the last sync.
        in_sync_at: Text,
        in_sync_live: Text,
        never_synced: Text,
    }
}
