//! Texts for commands, as shown in the outbox.

use super::{Text, words};

words! {
    /// Texts for commands, as shown in the outbox.
    Verbs {
        create_request: Text,
        accept_request: Text,
        release_request: Text,
        hand_over_request: Text,
        complete_request: Text,
        cancel_request: Text,
        note_request: Text,
        assign_button: Text,
        create_button: Text,
        retire_button: Text,
        save_place: Text,
        dnd_on: Text,
        dnd_off: Text,
        save_guest: Text,
        check_in: Text,
        check_out: Text,
        save_person: Text,
        on_duty: Text,
        off_duty: Text,
        save_settings: Text,
        unknown_thing: Text,
        start_call: Text,
        answer_call: Text,
        reject_call: Text,
        end_call: Text,
        see_call: Text,
        busy: Text,
        not_busy: Text,
    }
}
