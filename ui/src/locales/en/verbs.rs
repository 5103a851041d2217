//! English: texts for commands, as shown in the outbox.

use crate::locales::words::Verbs;

pub const WORDS: Verbs = Verbs {
    create_request: "Ask for something: {place}",
    accept_request: "Accept: {what}",
    release_request: "Give back: {what}",
    hand_over_request: "Hand over to {who}: {what}",
    complete_request: "Complete: {what}",
    cancel_request: "Cancel: {what}",
    note_request: "Note on {what}: “{text}”",
    assign_button: "Assign button {what} to {place}",
    create_button: "Add button {what} at {place}",
    retire_button: "Take button {what} out of use",
    save_place: "Save place {what}",
    dnd_on: "Do not disturb on: {what}",
    dnd_off: "Do not disturb off: {what}",
    save_guest: "Save guest {what}",
    check_in: "Check {who} in: {place}",
    check_out: "Check {who} out",
    save_person: "Save {who}",
    on_duty: "{who}: on duty",
    off_duty: "{who}: off duty",
    save_settings: "Save the site's settings",
    unknown_thing: "something that is gone",
    start_call: "Call {who}",
    answer_call: "Answer a call",
    reject_call: "Reject a call",
    end_call: "Hang up",
    see_call: "Mark a missed call as seen",
    busy: "{who}: busy",
    not_busy: "{who}: no longer busy",
};
