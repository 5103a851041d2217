//! Signing in: by a photo of the server's QR code, with the PIN alone, and after an administrator has set a new PIN.

use anyhow::{Context, Result};
use crewbell_desk::{Desk, until};
use image::{GrayImage, Luma};

use crate::crew::{comes, go, on_board, open, press_button, press_on_card, sees, sign_in, type_pin};
use crate::ship::{Ship, requests};

/// Returns a script that calls the core, and stores the answer in the page as `window.answer`.
fn ask(what: &str) -> String {
    format!(
        "window.answer = null;
         window.__TAURI__.core.invoke('ask', {{ args: JSON.stringify({what}) }}).then(
             answer => window.answer = typeof answer === 'string' ? JSON.parse(answer) : answer)"
    )
}

/// Draws the camera's image of the QR code that `crewbell-server qr` prints; a line of half blocks holds two rows of
/// it.
fn photo(printed: &str) -> GrayImage {
    const MODULE: u32 = 6;
    let is_code = |line: &&str| !line.is_empty() && line.chars().all(|block| " █▀▄".contains(block));
    let lines: Vec<Vec<char>> = printed.lines().take_while(is_code).map(|line| line.chars().collect()).collect();
    let size = |count: usize| u32::try_from(count).unwrap() * MODULE;
    GrayImage::from_fn(size(lines[0].len()), size(lines.len() * 2), |x, y| {
        let (column, row) = ((x / MODULE) as usize, (y / MODULE) as usize);
        let dark = if row % 2 == 0 { "█▀" } else { "█▄" }.contains(lines[row / 2][column]);
        Luma([if dark { 20 } else { 235 }])
    })
}

#[test]
fn a_picture_of_the_code_on_the_wall_finds_the_server() -> Result<()> {
    let ship = Ship::sail()?;
    let desk = Desk::set_up()?;
    let picture = desk.folder("code.png");
    photo(&ship.code()?).save(&picture)?;
    let siri = open(&desk, "siri")?;
    siri.choose_file(".scan input[type=file]", &picture)?;
    sees(&siri, "MY Serenity")?;
    comes(&siri, "the PIN pad", "return !!document.querySelector('.pin-keys')")?;
    siri.type_into(".sign-in .field input", "Siri")?;
    type_pin(&siri, ship.pin("Siri"))?;
    on_board(&siri)?;

    // A returning person types only their PIN.
    siri.run(&ask("{ ask: 'sign_out', discard: true }"))?;
    sees(&siri, "Siri at MY Serenity")?;
    assert_eq!(siri.run("return document.querySelectorAll('.sign-in input').length")?, 0, "no name is asked for");
    siri.shoot("joining-1-again")?;
    type_pin(&siri, ship.pin("Siri"))?;
    on_board(&siri)
}

#[test]
fn whom_an_administrator_signs_out_loses_the_site_but_nothing_that_they_did() -> Result<()> {
    let mut ship = Ship::sail()?;
    ship.calm()?;
    let desk = Desk::set_up()?;
    let sam = open(&desk, "sam")?;
    sign_in(&sam, &ship, "Sam")?;
    on_board(&sam)?;
    let place = ship.press("cabin-04", "single")?;
    sees(&sam, &place)?;
    ship.go_away();
    press_on_card(&sam, &place, "Accept")?;
    comes(&sam, "the pending card", "return !!document.querySelector('article.card.pending')")?;
    drop(sam);
    ship.serve()?;

    let alex = open(&desk, "alex")?;
    sign_in(&alex, &ship, "Alex")?;
    on_board(&alex)?;
    go(&alex, "people")?;
    alex.press("[aria-label='Change Sam']")?;
    alex.type_into(".crew-secret input", "471100")?;
    press_button(&alex, "Set")?;
    alex.wait_for_text(".crew-secret .well", |text| !text.is_empty())?;
    alex.shoot("joining-2-pin-set")?;
    drop(alex);

    let sam = open(&desk, "sam")?;
    sees(&sam, "You were signed out on this device.")?;
    sees(&sam, "1 unsent change is still here")?;
    sam.shoot("joining-3-signed-out")?;
    drop(sam);
    let sam = open(&desk, "sam")?;
    sees(&sam, "1 unsent change is still here")?;
    sam.run(&ask("{ ask: 'look' }"))?;
    comes(&sam, "a device without the site", "return window.answer?.entities.length === 0")?;
    press_button(&sam, "Save as file")?;
    let said = sam.wait_for_text(".banner [role=status]", |text| !text.is_empty())?;
    let file = said.strip_prefix("Saved: ").with_context(|| format!("no path in {said:?}"))?;
    let saved = std::fs::read_to_string(file).with_context(|| format!("there is no {file}"))?;
    assert!(saved.contains("\"who\": \"Sam\"") && saved.contains("accept_request"), "{saved}");

    let wrong = "const said = document.querySelector('.sign-in p.wrong')?.innerText;
                 return !!said && !said.includes('Signing in')";
    type_pin(&sam, ship.pin("Sam"))?;
    comes(&sam, "the old PIN to be refused", wrong)?;
    type_pin(&sam, "471100")?;
    on_board(&sam)?;
    until("what he did to be with the server", || {
        let list = requests(&ship.get("Dana", "/api/service-requests?state=accepted")?);
        let his = |request: &serde_json::Value| {
            request["place_name"] == place.as_str() && request["accepted_by"]["name"] == "Sam"
        };
        Ok(list.iter().any(his).then_some(()))
    })
}
