//! Names of kinds and states: requests, services, roles, places, buttons.

use super::{Text, words};

words! {
    /// Names of kinds and states: requests, services, roles, places, buttons.
    Kinds {
        call: Text,
        urgent: Text,
        voice: Text,
        emergency: Text,
        service: Text,
        lights: Text,
        prepare_food: Text,
        bring_drinks: Text,
        do_not_disturb: Text,
        priority_low: Text,
        priority_normal: Text,
        priority_high: Text,
        priority_emergency: Text,
        state_open: Text,
        state_accepted: Text,
        state_completed: Text,
        state_cancelled: Text,
        role: Text,
        role_crew: Text,
        role_supervisor: Text,
        role_technician: Text,
        role_dispatcher: Text,
        role_admin: Text,
        place_deck: Text,
        place_cabin: Text,
        place_shared: Text,
        place_crew: Text,
        button_new: Text,
        button_assigned: Text,
        button_retired: Text,
        key_main: Text,
        key_aux: Text,
    }
}
