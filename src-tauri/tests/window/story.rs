//! A watch on board: presses, accepts, a server that goes away, and everything there once in the end.

use anyhow::Result;
use crewbell_desk::Desk;

use crate::crew::{open, press_on_card, sees, sign_in};
use crate::ship::Ship;

#[test]
fn somebody_signs_in_and_accepts() -> Result<()> {
    let mut ship = Ship::sail()?;
    let desk = Desk::set_up()?;
    let window = open(&desk, "siri")?;
    window.shoot("00-start")?;
    sign_in(&window, &ship, "Siri")?;
    sees(&window, "Siri")?;
    window.shoot("01-signed-in")?;
    let recording = desk.record()?;
    let place = ship.press("cabin-05", "single")?;
    sees(&window, &place)?;
    window.shoot("02-pressed")?;
    crewbell_desk::until("the sound", || Ok(recording.is_heard()?.then_some(())))?;
    press_on_card(&window, &place, "Accept")?;
    window.shoot("03-accepted")?;
    Ok(())
}
