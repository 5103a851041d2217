//! The outbox: commands are discarded by hand, and survive damage to the app's cache of the site.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use crewbell_desk::until;

use crate::crew::{comes, go, is_fresh, is_stale, offers, open, press_button, press_on_card, sees, siri_on_board};
use crate::ship::requests;

#[test]
fn what_waits_is_taken_back_and_can_be_done_again() -> Result<()> {
    let (mut ship, _desk, siri) = siri_on_board()?;
    let place = ship.press("cabin-06", "single")?;
    offers(&siri, &place, "Accept")?;
    ship.go_away();
    is_stale(&siri, "")?;
    press_on_card(&siri, &place, "Accept")?;
    offers(&siri, &place, "Complete")?;

    go(&siri, "outbox")?;
    let waits = "return document.querySelectorAll('.outbox-item.pending').length";
    comes(&siri, "what waits", &format!("{waits} === 1"))?;
    comes(
        &siri,
        "what it is",
        &format!(
            "return document.querySelector('.outbox-item').innerText.includes({})",
            serde_json::to_string(&place)?
        ),
    )?;
    siri.shoot("outbox-1-waits")?;
    press_button(&siri, "Discard")?;
    sees(&siri, "Discard this?")?;
    siri.shoot("outbox-2-discard")?;
    // Cancelled first, then confirmed.
    press_button(&siri, "Cancel")?;
    comes(&siri, "what waits still", &format!("{waits} === 1"))?;
    press_button(&siri, "Discard")?;
    siri.press(".sheet .acts .button.danger")?;
    sees(&siri, "Everything is sent")?;
    go(&siri, "requests")?;
    offers(&siri, &place, "Accept")?;
    comes(&siri, "nothing that waits", "return !/waiting/.test(document.querySelector('.strip.wait')?.innerText)")?;

    // Nobody has accepted it when the server is back.
    ship.serve()?;
    is_fresh(&siri)?;
    offers(&siri, &place, "Accept")?;
    let open = requests(&ship.get("Dana", "/api/service-requests?state=open")?);
    assert!(open.iter().any(|request| request["place_name"] == place.as_str()), "{open:?}");
    Ok(())
}

/// Finds a file in a folder and its subfolders.
fn find(folder: &Path, name: &str) -> Result<Option<PathBuf>> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let found = if path.is_dir() { find(&path, name)? } else { path.ends_with(name).then_some(path) };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

#[test]
fn a_spoiled_cache_is_loaded_anew_and_what_waits_is_sent_once() -> Result<()> {
    let (mut ship, desk, siri) = siri_on_board()?;
    let place = ship.press("cabin-09", "single")?;
    offers(&siri, &place, "Accept")?;
    ship.go_away();
    is_stale(&siri, "")?;
    press_on_card(&siri, &place, "Accept")?;
    is_stale(&siri, "1 change waiting")?;
    drop(siri);

    // Both files: SQLite reads the pages in the write-ahead log from there, whatever the database file holds.
    for name in ["cache.db", "cache.db-wal"] {
        if let Some(path) = find(&desk.folder("siri"), name)? {
            File::options().write(true).open(&path)?.write_all(&[0x5a; 4096])?;
        }
    }
    let siri = open(&desk, "siri")?;
    sees(&siri, "What was stored on this device couldn't be read.")?;
    // An app without data doesn't claim that nobody needs the crew.
    sees(&siri, "Not loaded yet")?;
    assert_eq!(siri.run("return document.body.innerText.includes('Nobody needs you')")?, false);
    siri.shoot("outbox-3-spoiled")?;
    go(&siri, "outbox")?;
    comes(&siri, "what waits", "return document.querySelectorAll('.outbox-item.pending').length === 1")?;
    siri.shoot("outbox-4-still-waits")?;

    ship.serve()?;
    is_fresh(&siri)?;
    let accepted = until("the server to have it", || {
        let list = requests(&ship.get("Dana", "/api/service-requests?state=accepted")?);
        Ok(list.into_iter().find(|request| request["place_name"] == place.as_str()))
    })?;
    assert_eq!(accepted["accepted_by"]["name"], "Siri");
    let id = accepted["id"].as_str().context("no id")?;
    let whole = ship.get("Dana", &format!("/api/service-requests/{id}"))?;
    assert_eq!(whole.to_string().matches("\"request_accepted\"").count(), 1, "{whole}");
    sees(&siri, "Everything is sent")?;
    go(&siri, "requests")?;
    offers(&siri, &place, "Complete")?;
    press_button(&siri, "Got it")?;
    comes(&siri, "no banner", "return !document.querySelector('.banner')")
}
