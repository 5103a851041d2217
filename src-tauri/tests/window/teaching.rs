//! Unrecognised device messages: an administrator assigns a meaning to one.

use anyhow::Result;
use crewbell_desk::{Desk, until};

use crate::crew::{choose, comes, go, on_board, open, press_button, press_found, sees, sign_in};
use crate::ship::Ship;

/// Returns the expression for the row of the list with these words.
fn row(words: &str) -> String {
    format!("[...document.querySelectorAll('.unrecognised-row')].find(row => row.innerText.includes('{words}'))")
}

#[test]
fn what_a_device_says_is_taught_from_the_list_and_rings_from_then_on() -> Result<()> {
    let mut ship = Ship::sail()?;
    ship.calm()?;
    let desk = Desk::set_up()?;
    let alex = open(&desk, "alex")?;
    alex.resize(1024, 768)?;
    sign_in(&alex, &ship, "Alex")?;
    on_board(&alex)?;
    go(&alex, "buttons")?;
    sees(&alex, "Heard, not understood")?;

    let swirl = ("zigbee2mqtt/spa-1", r#"{"action":"swirl","linkquality":97}"#);
    ship.hear(swirl.0, swirl.1)?;
    // The message is stored within two seconds; the list is refreshed on demand.
    let listed = format!("return !!{}", row("swirl"));
    until("the message in the list", || {
        press_button(&alex, "Look again")?;
        Ok((alex.run(&listed)? == true).then_some(()))
    })?;
    sees(&alex, "Nobody knows this word. If it is a press, say which one.")?;
    alex.run(&format!("{}.scrollIntoView({{ block: 'center' }})", row("swirl")))?;
    alex.shoot("teaching-1-listed")?;

    press_found(&alex, "This is a press", &format!("{}?.querySelector('.button')", row("swirl")))?;
    sees(&alex, "What does “swirl” mean?")?;
    choose(&alex, "How it is pressed", "twice")?;
    alex.shoot("teaching-2-sheet")?;
    press_button(&alex, "Save")?;
    sees(&alex, "Understood from now on")?;
    sees(&alex, "“swirl” of spa-1")?;
    alex.shoot("teaching-3-taught")?;

    ship.hear(swirl.0, swirl.1)?;
    sees(&alex, "Just heard: spa-1")?;
    comes(
        &alex,
        "the new button, which waits for its place",
        "return [...document.querySelectorAll('.row.device')].some(row => row.innerText.includes('spa-1'))",
    )
}
