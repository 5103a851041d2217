//! English: texts of the outbox page.

use crate::locales::Plural;
use crate::locales::words::Outbox;

pub const WORDS: Outbox = Outbox {
    title: "Outbox",
    intro: "Sent in this order, by itself, as soon as there is a connection.",
    intro_live: "There is a connection: what waits is being sent.",
    empty: "Everything is sent",
    empty_text: "What you do without a connection waits here until the server has it.",
    refused: "Refused",
    refused_text: "The server said no. Nothing is lost: try again, or discard.",
    waiting: "Waiting",
    done: "With the server",
    others: "Left by somebody else",
    others_text: "It is sent only when that person signs in here again. Otherwise save it as a file for them, or discard it.",
    state_waiting: "waiting",
    state_refused: "refused",
    state_done: "done, arrives in a moment",
    by: "by {who}",
    now: "Now:",
    now_has: "{who} has it.",
    now_open: "It is open again: you can try once more.",
    now_done: "{who} completed it at {time}.",
    now_cancelled: "{who} cancelled it at {time}.",
    now_yours: "You have it.",
    needs: "Needs: {what}",
    needed_by: Plural::two(
        "{n} more change needs this one and would be refused with it.",
        "{n} more changes need this one and would be refused with it.",
    ),
    retry_first: "Try that one first.",
    retry_name: "Try again: {what}",
    discard_name: "Discard: {what}",
    discard_title: "Discard this?",
    discard_refused: "The server didn't do it, and it will not be tried again.",
    discard_waiting: "It will not be sent any more. If it was on its way already, it may be done all the same.",
    discard_other: "{who} will not learn of it. Save it as a file first if it matters.",
    save_all: "Save all as a file",
    save_hint: "For another device or a person to read. Nothing is taken out of the outbox.",
    saved: "Saved as {path}",
};
