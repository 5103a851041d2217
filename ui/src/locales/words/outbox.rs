//! Texts of the outbox page.

use super::{Plural, Text, words};

words! {
    /// Texts of the outbox page.
    Outbox {
        title: Text,
        intro: Text,
        intro_live: Text,
        empty: Text,
        empty_text: Text,
        refused: Text,
        refused_text: Text,
        waiting: Text,
        done: Text,
        others: Text,
        others_text: Text,
        state_waiting: Text,
        state_refused: Text,
        state_done: Text,
        by: Text,
        now: Text,
        now_has: Text,
        now_open: Text,
        now_done: Text,
        now_cancelled: Text,
        now_yours: Text,
        needs: Text,
        needed_by: Plural,
        retry_first: Text,
        retry_name: Text,
        discard_name: Text,
        discard_title: Text,
        discard_refused: Text,
        discard_waiting: Text,
        discard_other: Text,
        save_all: Text,
        save_hint: Text,
        saved: Text,
    }
}
