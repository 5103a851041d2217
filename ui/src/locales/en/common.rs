//! English: texts used in many places: buttons, answers, small words.

use crate::locales::Plural;
use crate::locales::words::Common;

pub const WORDS: Common = Common {
    ok: "OK",
    cancel: "Cancel",
    close: "Close",
    back: "Back",
    save: "Save",
    edit: "Edit",
    retry: "Try again",
    discard: "Discard",
    put_away: "Got it",
    search: "Search",
    all: "All",
    on: "On",
    off: "Off",
    name: "Name",
    loading: "One moment …",
    pending: "Not sent yet",
    you: "You",
    nothing_found: "Nothing found",
    nothing_found_hint: "Try other words or fewer filters.",
    not_allowed: "Your role can't do this.",
    show_more: "Show more",
    items: Plural::two("{n} entry", "{n} entries"),
    in_sync_at: "As of {time}",
    in_sync_live: "Up to date",
    never_synced: "Not loaded yet",
};
