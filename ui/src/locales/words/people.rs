//! Texts of the people page.

use super::{Plural, Text, words};

words! {
    /// Texts of the people page.
    People {
        title: Text,
        my_duty: Text,
        my_on: Text,
        my_off: Text,
        on_duty: Text,
        off_duty: Text,
        inactive: Text,
        nobody_on_duty: Text,
        nobody_on_duty_hint: Text,
        devices: Plural,
        mute: Plural,
        hears_nothing: Text,
        search: Text,
        duty_of: Text,
        name: Text,
        add: Text,
        edit_of: Text,
        name_hint: Text,
        active: Text,
        active_hint: Text,
        not_yourself: Text,
        secret_title: Text,
        secret_current: Text,
        secret_mine: Text,
        secret_hint: Text,
        secret_wrong: Text,
        secret_online: Text,
        secret_unsaved: Text,
        secret_ends: Text,
        secret_set: Text,
        secret_done: Text,
        added_hint: Text,
        name_missing: Text,
    }
}
