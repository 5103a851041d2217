//! Texts of a request's page.

use super::{Text, words};

words! {
    /// Texts of a request's page.
    Request {
        gone: Text,
        story: Text,
        story_partial: Text,
        add_note: Text,
        save_note: Text,
        hand_over_to: Text,
        assign: Text,
        nobody: Text,
        cancel: Text,
        cancel_why: Text,
        reason_mistake: Text,
        reason_twice: Text,
        reason_gone: Text,
        sounded: Text,
        sounded_nowhere: Text,
        asked_at: Text,
        took: Text,
        play: Text,
        stop: Text,
        no_recording: Text,
        cant_play: Text,
        said: Text,
        reason: Text,
    }
}
