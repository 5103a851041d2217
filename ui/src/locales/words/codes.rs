//! A sentence for each refusal, and for whatever else came to nothing

use super::{Plural, Text, words};

words! {
    /// A sentence for each refusal, and for whatever else came to nothing
    Codes {
        already_accepted: Text,
        someone: Text,
        not_accepted: Text,
        not_yours: Text,
        already_closed: Text,
        not_allowed: Text,
        not_found: Text,
        invalid: Text,
        invalid_field: Text,
        name_taken: Text,
        stay_conflict: Text,
        in_use: Text,
        not_active: Text,
        too_many: Text,
        too_many_limit: Text,
        key_reused: Text,
        depends_on_refused: Text,
        bad_credentials: Text,
        not_signed_in: Text,
        slow_down: Text,
        slow_down_for: Plural,
        snapshot_needed: Text,
        unavailable: Text,
        internal: Text,
        offline: Text,
        not_kept: Text,
        not_kept_full: Text,
        unreadable: Text,
        not_crewbell: Text,
        field_name: Text,
        field_text: Text,
        field_notes: Text,
        field_reason: Text,
        field_secret: Text,
        field_place: Text,
        field_service: Text,
        field_device: Text,
    }
}
