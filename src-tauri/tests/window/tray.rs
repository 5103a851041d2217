//! The tray: a call is answered, rejected and hung up from its menu, whatever the window does.

use anyhow::Result;
use crewbell_desk::{Desk, Entry, Tray, until};

use crate::calls::{Two, calls, line, newest};

/// Waits until an entry can be pressed.
fn offered(tray: &Tray, label: &str) -> Result<Entry> {
    let mut last = Vec::new();
    until(&format!("\"{label}\" in the tray"), || {
        last = tray.menu()?;
        Ok(last.iter().find(|entry| entry.label == label && entry.enabled).cloned())
    })
    .map_err(|error| error.context(format!("{last:?}")))
}

/// What can be pressed.
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
