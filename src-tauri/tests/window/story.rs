//! A watch on board: a press is heard and accepted, a colleague's device falls silent, the server is stopped and
//! started again, and in the end everything is there once.

use anyhow::{Context, Result};
use crewbell_desk::{Desk, RATE, Recording, until};

use crate::crew::{
    comes, is_fresh, is_stale, look_into, offers, on_board, open, press_button, press_on_card, says, sees, sign_in,
};
use crate::pages::{every_size_and_light, set};
use crate::ship::{Ship, requests};

/// Waits until the recorded sound has ended: half a second of silence.
pub fn falls_silent(recording: &Recording) -> Result<()> {
    let half_a_second = usize::try_from(RATE / 2)?;
    until("silence", || {
        let samples = recording.samples()?;
        let last = samples.len().saturating_sub(half_a_second);
        let quiet = samples.len() > half_a_second && samples[last..].iter().all(|sample| sample.unsigned_abs() < 100);
        Ok(quiet.then_some(()))
    })
}

/// Waits until the recording has a sound.
pub fn is_heard(recording: &Recording) -> Result<()> {
    until("the sound", || Ok(recording.is_heard()?.then_some(())))
}

/// Checks that the next seconds of a recording are silent.
pub fn stays_silent(recording: &Recording, seconds: usize) -> Result<()> {
    let before = recording.samples()?.len();
    let all = before + seconds * usize::try_from(RATE)?;
    let samples = until("the recording to go on", || {
        let samples = recording.samples()?;
        Ok((samples.len() >= all).then_some(samples))
    })?;
    let loudest = samples[before..].iter().map(|sample| sample.unsigned_abs()).max().unwrap_or_default();
    anyhow::ensure!(loudest < 100, "it sounds: {loudest}");
    Ok(())
}

#[test]
fn a_press_rings_until_one_accepts_and_everybody_sees_who() -> Result<()> {
    let mut ship = Ship::sail()?;
    ship.calm()?;
    let (hers, his) = (Desk::set_up()?, Desk::set_up()?);
    let siri = open(&hers, "siri")?;
    sign_in(&siri, &ship, "Siri")?;
    let sam = open(&his, "sam")?;
    sign_in(&sam, &ship, "Sam")?;
    on_board(&siri)?;
    on_board(&sam)?;

    let (at_hers, at_his) = (hers.record()?, his.record()?);
    assert!(!at_hers.is_heard()? && !at_his.is_heard()?, "nothing rings before anybody presses");
    let place = ship.press("cabin-05", "single")?;
    sees(&siri, &place)?;
    sees(&sam, &place)?;
    is_heard(&at_hers)?;
    is_heard(&at_his)?;
    siri.shoot("story-1-pressed")?;

    press_on_card(&siri, &place, "Accept")?;
    says(&sam, &place, "Accepted by Siri", "Accept")?;
    sam.shoot("story-2-siri-has-it")?;
    falls_silent(&at_hers)?;
    falls_silent(&at_his)?;

    press_on_card(&siri, &place, "Complete")?;
    let open = || ship.get("Dana", "/api/service-requests?state=completed");
    until("the record of it", || {
        let list = open()?;
        Ok(requests(&list).iter().any(|request| request["place_name"] == place.as_str()).then_some(()))
    })
}

#[test]
fn what_is_done_while_the_server_is_away_is_there_once_when_it_is_back() -> Result<()> {
    let mut ship = Ship::sail()?;
    let desk = Desk::set_up()?;
    let siri = open(&desk, "siri")?;
    sign_in(&siri, &ship, "Siri")?;
    on_board(&siri)?;
    ship.calm()?;
    let place = ship.press("cabin-07", "single")?;
    offers(&siri, &place, "Accept")?;

    assert_eq!(siri.run("return !!document.querySelector('.strip.wait')")?, false);
    ship.go_away();
    is_stale(&siri, "")?;
    press_on_card(&siri, &place, "Accept")?;
    look_into(&siri, &place)?;
    siri.type_into(".write-note textarea", "Two towels, and the shutters")?;
    siri.run("document.querySelector('.write-note .button').focus()")?;
    until("the note to be written", || Ok(siri.press(".write-note .button").ok()))?;
    sees(&siri, "Two towels, and the shutters")?;
    is_stale(&siri, "2 changes waiting")?;
    siri.shoot("story-3-away")?;

    // The app is closed and started again: its commands are still there, and still unsent.
    drop(siri);
    let siri = open(&desk, "siri")?;
    sees(&siri, &place)?;
    is_stale(&siri, "2 changes waiting")?;
    siri.shoot("story-4-started-again")?;
    ship.serve()?;
    is_fresh(&siri)?;

    let told = until("the server to have it", || {
        let list = requests(&ship.get("Dana", "/api/service-requests?state=accepted")?);
        let found = list.into_iter().find(|request| request["place_name"] == place.as_str());
        Ok(found.filter(|request| request["notes"].as_array().is_some_and(|notes| !notes.is_empty())))
    })?;
    assert_eq!(told["accepted_by"]["name"], "Siri");
    assert_eq!(told["notes"].as_array().map(Vec::len), Some(1), "once");
    let id = told["id"].as_str().context("no id")?;
    let whole = ship.get("Dana", &format!("/api/service-requests/{id}"))?;
    let accepts = whole.to_string().matches("\"request_accepted\"").count();
    assert_eq!(accepts, 1, "accepted once: {whole}");
    siri.shoot("story-5-back")?;
    Ok(())
}

#[test]
fn who_loses_a_race_without_a_network_sees_who_won() -> Result<()> {
    let mut ship = Ship::sail()?;
    let (hers, his) = (Desk::set_up()?, Desk::set_up()?);
    let siri = open(&hers, "siri")?;
    sign_in(&siri, &ship, "Siri")?;
    let sam = open(&his, "sam")?;
    sign_in(&sam, &ship, "Sam")?;
    on_board(&siri)?;
    on_board(&sam)?;
    ship.calm()?;
    let place = ship.press("cabin-03", "double")?;
    offers(&siri, &place, "Accept")?;
    offers(&sam, &place, "Accept")?;

    ship.go_away();
    press_on_card(&siri, &place, "Accept")?;
    press_on_card(&sam, &place, "Accept")?;
    ship.serve()?;
    let winner = until("one of them to have it", || {
        let list = requests(&ship.get("Dana", "/api/service-requests?state=accepted")?);
        let found = list.into_iter().find(|request| request["place_name"] == place.as_str());
        Ok(found.and_then(|request| request["accepted_by"]["name"].as_str().map(str::to_owned)))
    })?;
    let loser = if winner == "Siri" { &sam } else { &siri };
    says(loser, &place, &format!("Accepted by {winner}"), "Accept")?;
    loser.run("location.hash = '#/outbox'")?;
    let refused = "document.querySelector('.outbox-item.refused')";
    let reason = format!("return {refused}?.querySelector('.reason')?.innerText.includes('{winner}') ?? false");
    comes(loser, "the reason", &reason)?;
    loser.shoot("story-6-lost")?;
    every_size_and_light(loser, "outbox-refused")?;
    set(loser, "theme", "light")?;
    press_button(loser, "Discard")?;
    comes(loser, "the question", "return !!document.querySelector('.sheet')")?;
    loser.shoot("story-7-discard")?;
    loser.press(".sheet .acts .button.danger")?;
    comes(loser, "an empty outbox", &format!("return !{refused}"))
}
