//! English: what the page of the people says

use crate::locales::Plural;
use crate::locales::words::People;

pub const WORDS: People = People {
    title: "People",
    my_duty: "My duty",
    my_on: "You are on duty: requests sound for you.",
    my_off: "You are off duty: nothing sounds for you.",
    on_duty: "On duty",
    off_duty: "Off duty",
    inactive: "May no longer sign in",
    nobody_on_duty: "Nobody is on duty",
    nobody_on_duty_hint: "Requests come in and are recorded, but sound for nobody.",
    devices: Plural::two("{n} device", "{n} devices"),
    mute: Plural::two("{n} device can't sound", "{n} devices can't sound"),
    hears_nothing: "On duty, but no device is open",
    search: "Search the crew",
    duty_of: "{who} on duty",
    name: "Name",
    add: "Add a person",
    edit_of: "Change {who}",
    name_hint: "The name they sign in with; nobody else may have it.",
    active: "May sign in",
    active_hint: "Switched off, the person is signed out everywhere and off duty. What they did stays.",
    not_yourself: "You can't take your own rights away.",
    secret_title: "New PIN or password",
    secret_hint: "A PIN of 4 to 12 digits, or a password of 8 characters or more.",
    secret_wrong: "4 to 12 digits, or 8 to 200 characters.",
    secret_online: "This goes straight to the server and can't wait: it needs a connection.",
    secret_unsaved: "First the server must know the person: it hasn't answered yet.",
    secret_ends: "The person is signed out everywhere and signs in anew with it.",
    secret_set: "Set",
    secret_done: "Done: it counts from now on.",
    added_hint: "{who} is added. Set a PIN, so that they can sign in.",
    name_missing: "A name is needed.",
};
