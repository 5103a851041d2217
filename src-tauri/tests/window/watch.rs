//! A watch by hand: every action is pressed, chosen and typed as a person would.

use anyhow::{Context, Result};
use crewbell_desk::{Desk, Window, until};
use serde_json::Value;

use crate::crew::{
    choose, comes, go, offers, on_board, open, press_button, press_found, press_named, press_on_card, says, sees,
    sign_in, siri_on_board,
};
use crate::ship::{Ship, requests};
use crate::story::{falls_silent, is_heard, stays_silent};

/// Waits until the board has the cards of exactly these places.
fn has_cards(window: &Window, places: &[&str]) -> Result<()> {
    let script = format!(
        "const places = [...document.querySelectorAll('article.card h3')].map(one => one.innerText).sort();
         return JSON.stringify(places) === JSON.stringify({}.sort())",
        serde_json::to_string(places)?
    );
    comes(window, &format!("the cards of {places:?}"), &script)
}

/// Waits until a sheet is shown, or none.
fn has_sheet(window: &Window, is_there: bool) -> Result<()> {
    let what = if is_there { "a sheet" } else { "no sheet" };
    comes(window, what, &format!("return !!document.querySelector('.sheet') === {is_there}"))
}

/// Waits until the server has a place's request in a state, and returns it.
fn with_the_server(ship: &Ship, state: &str, place: &str) -> Result<Value> {
    until(&format!("the server to have {place} {state}"), || {
        let list = requests(&ship.get("Dana", &format!("/api/service-requests?state={state}"))?);
        Ok(list.into_iter().find(|request| request["place_name"] == place))
    })
}

/// Filters the board by deck, and shows all again; the device's back action closes the sheet.
fn filters(siri: &Window, ship: &mut Ship) -> Result<()> {
    let (main, upper) = (ship.press("cabin-05", "single")?, ship.press("cabin-03", "single")?);
    has_cards(siri, &[&main, &upper])?;

    press_button(siri, "Filter")?;
    has_sheet(siri, true)?;
    choose(siri, "Deck or floor", "Upper Deck")?;
    siri.shoot("watch-1-filter")?;
    press_button(siri, "OK")?;
    has_sheet(siri, false)?;
    has_cards(siri, &[&upper])?;
    sees(siri, "1 hidden by the filter")?;
    comes(siri, "no trouble", "return !document.body.innerText.includes(\"It wasn't done\")")?;
    siri.shoot("watch-2-filtered")?;
    press_found(siri, "Show all", "document.querySelector('.hidden-note button')")?;
    has_cards(siri, &[&main, &upper])?;

    // The filter is chosen once more, and reset in the sheet.
    press_button(siri, "Filter")?;
    choose(siri, "Kind", "Emergency")?;
    has_cards(siri, &[])?;
    press_found(siri, "Show all", "document.querySelector('.sheet .acts button:nth-child(2)')")?;
    has_cards(siri, &[&main, &upper])?;
    // The device's back action closes the sheet, and goes no further.
    let before = siri.run("return location.hash")?;
    siri.run("history.back()")?;
    has_sheet(siri, false)?;
    assert_eq!(siri.run("return location.hash")?, before);
    comes(siri, "the board", "return !!document.querySelector('.board')")
}

/// Makes a request without a button, accepts it and hands it to a colleague.
fn asks_and_hands_over(siri: &Window, ship: &Ship) -> Result<()> {
    press_button(siri, "New request")?;
    press_named(siri, "button.place", "Saloon")?;
    press_named(siri, "button.tile", "Bring drinks")?;
    siri.type_into(".new-request textarea", "Two espressos, one without sugar")?;
    siri.shoot("watch-3-new-request")?;
    press_button(siri, "Ask for it")?;
    offers(siri, "Saloon", "Accept")?;
    sees(siri, "“Two espressos, one without sugar”")?;
    let asked = with_the_server(ship, "open", "Saloon")?;
    assert_eq!(
        [&asked["kind"], &asked["service"], &asked["text"]],
        ["service", "bring_drinks", "Two espressos, one without sugar"],
        "{asked}"
    );

    press_on_card(siri, "Saloon", "Accept")?;
    press_on_card(siri, "Saloon", "Hand over")?;
    has_sheet(siri, true)?;
    siri.shoot("watch-4-hand-over")?;
    let mia = "[...document.querySelectorAll('.sheet .row-press')].find(one => one.innerText.includes('Mia'))";
    press_found(siri, "Mia", mia)?;
    has_sheet(siri, false)?;
    let handed = until("the server to have handed it over", || {
        let now = with_the_server(ship, "accepted", "Saloon")?;
        let holder = now["accepted_by"]["name"].as_str().context("nobody has it")?.to_owned();
        Ok((holder != "Siri").then_some(holder))
    })?;
    assert_eq!(handed, "Mia");
    says(siri, "Saloon", "Accepted by Mia", "Hand over")
}

/// Silences the ringing; the next press rings again.
fn silences(siri: &Window, ship: &mut Ship, desk: &Desk) -> Result<()> {
    let recording = desk.record()?;
    let place = ship.press("cabin-05", "single")?;
    is_heard(&recording)?;
    press_button(siri, "Silence for a minute")?;
    comes(
        siri,
        "that it is silenced",
        "const button = document.querySelector('.button.silence');
         return button?.disabled && button.innerText.trim() === 'Silenced'",
    )?;
    falls_silent(&recording)?;
    stays_silent(&recording, 2)?;
    siri.shoot("watch-5-silenced")?;
    offers(siri, &place, "Accept")?;
    drop(recording);
    let recording = desk.record()?;
    ship.press("cabin-03", "single")?;
    is_heard(&recording)
}

#[test]
fn a_watch_is_kept_by_filtering_asking_handing_over_and_silencing() -> Result<()> {
    let (mut ship, desk, siri) = siri_on_board()?;
    filters(&siri, &mut ship)?;
    ship.calm()?;
    asks_and_hands_over(&siri, &ship)?;
    silences(&siri, &mut ship, &desk)
}

#[test]
fn a_guest_is_checked_in_and_out_and_a_new_button_is_given_its_place() -> Result<()> {
    let mut ship = Ship::sail()?;
    ship.calm()?;
    let desk = Desk::set_up()?;
    let dana = open(&desk, "dana")?;
    dana.resize(1440, 900)?;
    sign_in(&dana, &ship, "Dana")?;
    on_board(&dana)?;

    go(&dana, "guests")?;
    press_button(&dana, "Add a guest")?;
    dana.type_into(".sheet .field input", "Mr Quist")?;
    // The sheet of a new guest offers the check-in first.
    press_found(&dana, "Check in", "document.querySelector('.sheet .button.go')")?;
    sees(&dana, "Check in Mr Quist")?;
    press_named(&dana, ".sheet label.room", "Cabin 12")?;
    dana.shoot("watch-6-check-in")?;
    press_button(&dana, "Check in to Cabin 12")?;
    has_sheet(&dana, false)?;
    sees(&dana, "Stays in Cabin 12")?;
    let place = ship.press("cabin-12", "single")?;
    go(&dana, "requests")?;
    sees(&dana, &place)?;
    comes(
        &dana,
        "the guest on the card",
        "return document.querySelector('article.card .guest')?.innerText.includes('Mr Quist')",
    )?;

    go(&dana, "guests")?;
    press_named(&dana, ".guests-row .row-press", "Mr Quist")?;
    press_button(&dana, "Check out")?;
    sees(&dana, "Check out Mr Quist?")?;
    sees(&dana, "1 open request stays open.")?;
    dana.press(".sheet .button.danger")?;
    has_sheet(&dana, false)?;
    sees(&dana, "No place yet")?;
    sees(&dana, "Earlier stays")?;

    go(&dana, "buttons")?;
    comes(&dana, "the buttons", "return !!document.querySelector('.row.device')")?;
    ship.press_new("pantry-1")?;
    sees(&dana, "Waiting for a place")?;
    sees(&dana, "Just heard: pantry-1")?;
    dana.shoot("watch-7-new-button")?;
    press_named(&dana, ".row.device .row-press", "pantry-1")?;
    sees(&dana, "Where is pantry-1?")?;
    press_named(&dana, ".sheet label.choice", "Pantry")?;
    dana.shoot("watch-8-assign")?;
    press_button(&dana, "Assign to Pantry")?;
    has_sheet(&dana, false)?;
    comes(
        &dana,
        "the button in its place",
        "return [...document.querySelectorAll('.row.device')].some(row => /Pantry/.test(row.innerText)
             && /pantry-1/.test(row.innerText) && !row.matches('.pending'))",
    )?;
    ship.press_new("pantry-1")?;
    with_the_server(&ship, "open", "Pantry")?;

    // The sheet of a button closes by its cross and by the device's back action, and stays closed.
    for leave in ["document.querySelector('.sheet-top button').click()", "history.back()"] {
        press_named(&dana, ".row.device .row-press", "Pantry")?;
        has_sheet(&dana, true)?;
        dana.run(leave)?;
        has_sheet(&dana, false)?;
        comes(&dana, "the page of the buttons", "return location.hash === '#/buttons'")?;
    }
    dana.run("history.back()")?;
    has_sheet(&dana, false)
}
