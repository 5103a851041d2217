//! English: texts of a request's page.

use crate::locales::words::Request;

pub const WORDS: Request = Request {
    gone: "This request isn't on this device any more.",
    story: "What happened",
    story_partial: "Only what this device knows: the server can't be reached.",
    add_note: "Write a note",
    save_note: "Add note",
    hand_over_to: "Hand over to",
    assign: "Assign …",
    nobody: "Nobody else can take it",
    cancel: "Cancel request",
    cancel_why: "Why? (not needed)",
    reason_mistake: "Pressed by mistake",
    reason_twice: "Asked twice",
    reason_gone: "Guest changed their mind",
    sounded: "Sounded on {sounded} of {devices} devices",
    sounded_nowhere: "It sounded on no device. Tell somebody yourself.",
    asked_at: "Asked at {time}",
    took: "Took {span}",
    play: "Play the message",
    stop: "Stop",
    no_recording: "No recording arrived",
    cant_play: "It can't be played: {why}",
    said: "“{text}”",
    reason: "Reason: {text}",
};
