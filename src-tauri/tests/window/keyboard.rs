//! A dispatcher's work by keyboard alone, the search on every page, and the export of the activity log.

use anyhow::{Context, Result};
use crewbell_desk::{ALT, CONTROL, DOWN, Desk, UP, Window, until};

use crate::crew::{comes, go, on_board, open, press_button, sees, sign_in};
use crate::ship::{Ship, requests};

/// Waits until the card of a place is selected, and its request is shown beside the board.
fn is_chosen(window: &Window, place: &str) -> Result<()> {
    let place = serde_json::to_string(place)?;
    let script = format!(
        "return document.querySelector('article.card.chosen h3')?.innerText === {place}
             && document.querySelector('.detail').innerText.includes({place})"
    );
    comes(window, "the chosen card", &script)
}

/// Waits until the server has the request in a state, by Dana.
fn is_with_the_server(ship: &Ship, id: &str, state: &str, by: &str) -> Result<()> {
    until(&format!("the server to have it {state}"), || {
        let list = requests(&ship.get("Dana", &format!("/api/service-requests?state={state}"))?);
        Ok(list.iter().any(|request| request["id"] == id && request[by]["name"] == "Dana").then_some(()))
    })
}

#[test]
fn a_dispatcher_needs_no_mouse_and_takes_what_happened_along() -> Result<()> {
    let mut ship = Ship::sail()?;
    ship.calm()?;
    let desk = Desk::set_up()?;
    let window = open(&desk, "dana")?;
    window.resize(1440, 900)?;
    sign_in(&window, &ship, "Dana")?;
    on_board(&window)?;
    for device in ["cabin-05", "cabin-03"] {
        let place = ship.press(device, "single")?;
        sees(&window, &place)?;
    }
    comes(&window, "both cards", "return document.querySelectorAll('article.card').length === 2")?;
    let cards = window.run("return [...document.querySelectorAll('article.card h3')].map(name => name.innerText)")?;
    let (first, second) = (cards[0].as_str().context("no card")?, cards[1].as_str().context("no second card")?);

    window.keys(DOWN)?;
    is_chosen(&window, first)?;
    window.keys(DOWN)?;
    is_chosen(&window, second)?;
    window.keys(UP)?;
    is_chosen(&window, first)?;
    window.shoot("keyboard-1-chosen")?;
    let address = window.run("return location.hash.split('/').pop()")?;
    let id = address.as_str().context("no address")?;
    // The input of a barcode scanner triggers no shortcut.
    window.keys("ac7n/?A C\u{e007}")?;
    comes(
        &window,
        "the board as it was",
        "return location.hash.startsWith('#/requests/') && !document.querySelector('.sheet')",
    )?;
    is_chosen(&window, first)?;
    let open = requests(&ship.get("Dana", "/api/service-requests?state=open")?);
    assert_eq!(open.len(), 2, "nothing was accepted: {open:?}");
    window.keys_with(ALT, "a")?;
    is_with_the_server(&ship, id, "accepted", "accepted_by")?;
    comes(&window, "the button to complete", "return /Complete/.test(document.querySelector('.detail').innerText)")?;
    window.keys_with(ALT, "c")?;
    is_with_the_server(&ship, id, "completed", "completed_by")?;

    window.keys_with(CONTROL, "f")?;
    comes(&window, "the search field", "return document.activeElement?.id === 'search'")?;
    window.keys(second)?;
    let typed = serde_json::to_string(second)?;
    comes(&window, "the words", &format!("return document.getElementById('search').value === {typed}"))?;
    let others =
        format!("return [...document.querySelectorAll('.board h3, .done b')].every(one => one.innerText === {typed})");
    comes(&window, "nothing but what was looked for", &others)?;
    comes(&window, "what was looked for", "return document.querySelectorAll('article.card').length === 1")?;
    for page in ["activity", "people", "places", "guests", "new"] {
        go(&window, page)?;
        let elsewhere = "const search = document.querySelector('main #search');
                         if (!search || document.querySelector('.board')) return false;
                         document.activeElement.blur();
                         return true";
        comes(&window, page, elsewhere)?;
        window.keys_with(CONTROL, "f")?;
        let found = "return document.activeElement?.id === 'search' && document.activeElement.value === ''";
        comes(&window, &format!("the search of {page}"), found)?;
    }

    go(&window, "activity")?;
    // The page is still being built: a press between two redraws hits nothing.
    let said = until("the table to be saved", || {
        press_button(&window, "Export as CSV")?;
        let saved = "const done = arguments[arguments.length - 1];
                     setTimeout(() => done(document.querySelector('.log-saved')?.innerText ?? ''), 2000)";
        Ok(window.run_until_done(saved)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned))
    })?;
    let file = said.strip_prefix("Saved: ").with_context(|| format!("no path in {said:?}"))?;
    let table = std::fs::read_to_string(file).with_context(|| format!("there is no {file}"))?;
    let row = |kind: &str| table.lines().any(|line| line.contains(kind) && line.contains("Dana") && line.contains(id));
    assert!(row("request_accepted") && row("request_completed"), "{table:.2000}");
    Ok(())
}
