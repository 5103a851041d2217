//! Screenshots of every state of a call, for a person to review, with checks of the text in each.

use anyhow::Result;
use crewbell_desk::Window;
use serde_json::json;

use crate::calls::{Two, answers, calls_who_is, line, talk};
use crate::crew::{comes, go, look_into, press_button, press_found, sees};
use crate::pages::{every_size_and_light, set};

/// Waits until the call bar shows a text, takes a screenshot, and waits until the bar disappears.
fn pictured(window: &Window, name: &str, words: &str) -> Result<()> {
    let said = format!("return line?.innerText.includes({}) ?? false", serde_json::to_string(words)?);
    line(window, words, &said)?;
    window.shoot(&format!("call-{name}"))?;
    line(window, "the bar to go", "return !line")
}

#[test]
fn every_state_of_a_call_looks_as_it_is() -> Result<()> {
    let Two { mut ship, hers: _hers, his: _his, siri, sam } = Two::on_board()?;
    // A call must not time out during the screenshots.
    ship.rings_for(300)?;

    // The ringing call shows its subject.
    let place = ship.press("cabin-06", "single")?;
    look_into(&sam, &place)?;
    press_button(&sam, "Call a colleague …")?;
    let her_row = "[...document.querySelectorAll('.callee')].find(row => row.innerText.includes('Siri'))";
    press_found(&sam, "Siri", &format!("{her_row}?.querySelector('.call')"))?;
    comes(&siri, "the call", "return !!document.querySelector('.ring')")?;
    let about = format!("return document.querySelector('.ring-about').innerText.startsWith('About: {place}')");
    comes(&siri, "what it is about", &about)?;
    line(&sam, "that it rings there", "return /Ringing/.test(line?.innerText ?? '')")?;
    every_size_and_light(&siri, "ring")?;
    every_size_and_light(&sam, "calling")?;
    set(&sam, "theme", "light")?;
    siri.press(".ring-act.reject")?;
    pictured(&sam, "rejected", "Declined")?;
    ship.calm()?;

    talk(&siri, &sam)?;
    line(&siri, "a good connection", "return /Good connection/.test(line?.innerText ?? '')")?;
    every_size_and_light(&siri, "talking")?;
    siri.press(".line .mute")?;
    line(&siri, "that it is muted", "return line?.querySelector('.mute')?.getAttribute('aria-pressed') === 'true'")?;
    every_size_and_light(&siri, "muted")?;
    siri.press(".line .mute")?;
    set(&siri, "push_to_talk", "on")?;
    line(&siri, "push to talk", "return !!line?.querySelector('.button.talk')")?;
    every_size_and_light(&siri, "push-to-talk")?;
    set(&siri, "theme", "light")?;
    siri.press(".line .button.danger")?;
    for window in [&siri, &sam] {
        line(window, "the bar to go", "return !line")?;
    }

    // Mia has no window: she calls over the HTTP API.
    ship.post("Mia", "/api/call/initiate", &json!({ "callee_id": ship.person("Siri")["id"] }))?;
    answers(&siri)?;
    calls_who_is(&sam, "Siri", "In a call")?;
    pictured(&sam, "in-another", "In another call")?;
    siri.press(".line .button.danger")?;
    line(&siri, "the bar to go", "return !line")?;

    ship.post("Siri", "/api/status/update", &json!({ "status": "busy" }))?;
    calls_who_is(&sam, "Siri", "Busy")?;
    pictured(&sam, "busy", "Busy · They will see that you called.")?;
    ship.post("Siri", "/api/status/update", &json!({ "status": "online" }))?;
    calls_who_is(&sam, "Luca", "Offline")?;
    pictured(&sam, "offline", "Offline · They will see that you called.")?;
    go(&siri, "calls")?;
    sees(&siri, "Sam")?;
    every_size_and_light(&siri, "missed")
}
