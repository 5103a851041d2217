//! What is said everywhere: buttons, answers, small words

use super::{Plural, Text, words};

words! {
    /// What is said everywhere: buttons, answers, small words
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
        /// Something of this person's that the server hasn't said yes to.
        pending: Text,
        you: Text,
        nothing_found: Text,
        nothing_found_hint: Text,
        not_allowed: Text,
        show_more: Text,
        items: Plural,
        /// Under a list: when it was as the server has it.
        in_sync_at: Text,
        in_sync_live: Text,
        never_synced: Text,
    }
}
