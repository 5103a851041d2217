//! The German texts.

mod activity;
mod buttons;
mod calls;
mod codes;
mod common;
mod frame;
mod guests;
mod kinds;
mod log;
mod new_request;
mod outbox;
mod people;
mod places;
mod request;
mod requests;
mod settings;
mod sign_in;
mod time;
mod troubles;
mod verbs;

use super::words::Words;

/// All German texts.
pub static WORDS: Words = Words {
    activity: activity::WORDS,
    buttons: buttons::WORDS,
    calls: calls::WORDS,
    codes: codes::WORDS,
    common: common::WORDS,
    frame: frame::WORDS,
    guests: guests::WORDS,
    kinds: kinds::WORDS,
    log: log::WORDS,
    new_request: new_request::WORDS,
    outbox: outbox::WORDS,
    people: people::WORDS,
    places: places::WORDS,
    request: request::WORDS,
    requests: requests::WORDS,
    settings: settings::WORDS,
    sign_in: sign_in::WORDS,
    time: time::WORDS,
    troubles: troubles::WORDS,
    verbs: verbs::WORDS,
};
