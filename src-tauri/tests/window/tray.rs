//! The tray: a call is answered, rejected and hung up from its menu, in any state of the window.

use anyhow::Result;
use crewbell_desk::{Desk, Entry, Tray, Window, until};

use crate::calls::{MISSED, Two, calls, line, newest};
use crate::crew::{on_board, open, press_on_card, sign_in};
use crate::ship::Ship;

/// Waits until an entry can be pressed.
fn offered(tray: &Tray, label: &str) -> Result<Entry> {
    let mut last = Vec::new();
    until(&format!("\"{label}\" in the tray"), || {
        last = tray.menu()?;
        Ok(last.iter().find(|entry| entry.label == label && entry.enabled).cloned())
    })
    .map_err(|error| error.context(format!("{last:?}")))
}

/// Returns the labels of the enabled entries.
fn offers(tray: &Tray) -> Result<Vec<String>> {
    Ok(tray.menu()?.into_iter().filter(|entry| entry.enabled).map(|entry| entry.label).collect())
}

#[test]
fn a_call_is_answered_hung_up_and_rejected_from_the_tray() -> Result<()> {
    let (Two { ship, hers: _hers, his: _his, siri, sam }, tray) = Two::with(Desk::tray)?;
    siri.minimize()?;
    let at_rest = ["Show Crewbell", "Silence for a minute", "Quit (nothing rings then)"];
    until("a menu at rest", || Ok((offers(&tray)? == at_rest).then_some(())))?;

    calls(&sam, "Siri")?;
    let answer = offered(&tray, "Answer (Sam is calling)")?;
    offered(&tray, "Reject")?;
    tray.press(&answer)?;
    line(&sam, "the timer", "return /\\d:\\d\\d/.test(line?.innerText ?? '')")?;
    let hang_up = offered(&tray, "Hang up")?;
    assert!(!offers(&tray)?.iter().any(|label| label.starts_with("Answer")));
    tray.press(&hang_up)?;
    let call = newest(&ship)?;
    assert_eq!((&call["outcome"], &call["ended_by"]["name"]), (&"completed".into(), &"Siri".into()), "{call}");
    line(&sam, "the end", "return !line")?;
    until("a menu at rest", || Ok((offers(&tray)? == at_rest).then_some(())))?;

    calls(&sam, "Siri")?;
    tray.press(&offered(&tray, "Reject")?)?;
    let call = newest(&ship)?;
    assert_eq!((&call["outcome"], &call["ended_by"]["name"]), (&"rejected".into(), &"Siri".into()), "{call}");
    Ok(())
}

/// Waits until the label beside the icon is the number of open requests and missed calls; empty for none.
fn is_counted(tray: &Tray, siri: &Window, open: usize) -> Result<()> {
    let mut last = None;
    until(&format!("{open} beside the icon"), || {
        let missed = siri.run(&format!("return {MISSED}"))?.as_u64().and_then(|missed| usize::try_from(missed).ok());
        let all = open + missed.unwrap_or_default();
        let wanted = if all > 0 { all.to_string() } else { String::new() };
        let label = tray.label()?;
        let fits = label == wanted;
        last = Some((label, wanted));
        Ok(fits.then_some(()))
    })
    .map_err(|error| error.context(format!("it stands there, and should: {last:?}")))
}

#[test]
fn how_many_requests_are_open_stands_beside_the_icon() -> Result<()> {
    let mut ship = Ship::sail()?;
    ship.calm()?;
    let desk = Desk::set_up()?;
    let tray = desk.tray()?;
    let siri = open(&desk, "siri")?;
    sign_in(&siri, &ship, "Siri")?;
    on_board(&siri)?;
    is_counted(&tray, &siri, 0)?;
    let place = ship.press("cabin-05", "single")?;
    is_counted(&tray, &siri, 1)?;
    let other = ship.press("cabin-03", "double")?;
    is_counted(&tray, &siri, 2)?;
    press_on_card(&siri, &place, "Accept")?;
    is_counted(&tray, &siri, 1)?;
    press_on_card(&siri, &other, "Accept")?;
    is_counted(&tray, &siri, 0)
}
