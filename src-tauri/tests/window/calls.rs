//! Calls between two real windows, each on a virtual desktop with a microphone and a loudspeaker. A call rings audibly,
//! a click answers it, and each side hears the other until one mutes, and until one hangs up.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use crewbell_desk::{Desk, Process, Window, until};
use crewbell_voice::audio::speech::Speech;
use serde_json::Value;

use crate::crew::{comes, go, is_stale, look_into, on_board, open, press_button, press_found, sees, sign_in};
use crate::ship::{Ship, requests};
use crate::story::{falls_silent, is_heard};

/// Time limit until a person sees that the other's app is gone.
const KNOWN_WITHIN: Duration = Duration::from_secs(5);

/// Expression for the number of missed calls on the link to the calls page.
pub const MISSED: &str = "Number(document.querySelector('a[href=\"#/calls\"] .badge')?.innerText ?? 0)";

/// Siri's window and Sam's, each on a desktop of its own. The fields are in this order so that `let` patterns close the
/// windows first.
pub struct Two {
    pub ship: Ship,
    pub hers: Desk,
    pub his: Desk,
    pub siri: Window,
    pub sam: Window,
}

impl Two {
    pub fn on_board() -> Result<Self> {
        let (two, ()) = Self::with(|_| Ok(()))?;
        Ok(two)
    }

    /// Opens both windows, after `props` has set something up on Siri's desktop.
    pub fn with<P>(props: impl FnOnce(&Desk) -> Result<P>) -> Result<(Self, P)> {
        let ship = Ship::sail()?;
        ship.calm()?;
        let (hers, his) = (Desk::set_up()?, Desk::set_up()?);
        let props = props(&hers)?;
        let (siri, sam) = (open(&hers, "siri")?, open(&his, "sam")?);
        sign_in(&siri, &ship, "Siri")?;
        sign_in(&sam, &ship, "Sam")?;
        on_board(&siri)?;
        on_board(&sam)?;
        Ok((Self { ship, hers, his, siri, sam }, props))
    }
}

/// Plays speech into a desktop's microphone for a minute and a half.
pub fn speaks(desk: &Desk, seed: u32) -> Result<Process> {
    let file = desk.folder("speech.raw");
    let mut speech = Speech::new(seed);
    #[expect(clippy::cast_possible_truncation, reason = "clamped to what a sample can be")]
    let sample = |loud: f32| ((loud * 24_000.0).clamp(-32_000.0, 32_000.0) as i16).to_le_bytes();
    let bytes: Vec<u8> = (0..90 * 48_000).flat_map(|_| sample(speech.sample())).collect();
    fs::write(&file, bytes)?;
    let mut player = desk.command(Path::new("paplay"));
    player.args(["--device=wire", "--raw", "--format=s16le", "--rate=48000", "--channels=1"]).arg(&file);
    Process::start(&mut player, &desk.folder(""))
}

/// Waits until a script about the call bar returns true.
pub fn line(window: &Window, what: &str, script: &str) -> Result<()> {
    comes(window, what, &format!("const line = document.querySelector('.line'); {script}"))
}

/// Calls a person from the people page once they are shown as online.
pub fn calls(window: &Window, name: &str) -> Result<()> {
    calls_who_is(window, name, "Online")
}

/// Calls a person from the people page once they are shown with a presence.
pub fn calls_who_is(window: &Window, name: &str, presence: &str) -> Result<()> {
    go(window, "people")?;
    let found = format!(
        "(row => {{
             const call = row?.querySelector('.button.call');
             return call && call.getAttribute('aria-disabled') !== 'true' && /{presence}/i.test(row.innerHTML) ? call : null;
         }})([...document.querySelectorAll('.row.crew')].find(row => row.innerText.includes('{name}')))"
    );
    press_found(window, "the call button", &found)
}

#[test]
fn a_call_rings_is_answered_and_heard_and_ends_on_both() -> Result<()> {
    let Two { ship, hers, his, siri, sam } = Two::on_board()?;

    let at_hers = hers.record()?;
    calls(&sam, "Siri")?;
    comes(&siri, "the call", "return /Sam/.test(document.querySelector('.ring')?.innerText ?? '')")?;
    is_heard(&at_hers)?;
    siri.shoot("call-1-rings")?;
    line(&sam, "that it rings there", "return /Ringing/.test(line?.innerText ?? '')")?;
    sam.shoot("call-2-calling")?;

    siri.press(".ring-act.answer")?;
    let talks = "return !!line?.querySelector('.mute') && /\\d:\\d\\d/.test(line.innerText)";
    line(&siri, "the timer", talks)?;
    line(&sam, "the timer", talks)?;
    falls_silent(&at_hers)?;
    drop(at_hers);

    let at_hers = hers.record()?;
    let speaking = speaks(&his, 7)?;
    is_heard(&at_hers)?;
    siri.shoot("call-3-talking")?;
    sam.press(".line .mute")?;
    line(&sam, "that it is muted", "return line?.querySelector('.mute')?.getAttribute('aria-pressed') === 'true'")?;
    falls_silent(&at_hers)?;
    sam.shoot("call-4-muted")?;
    drop(at_hers);
    drop(speaking);

    let at_his = his.record()?;
    let speaking = speaks(&hers, 8)?;
    is_heard(&at_his)?;
    drop(speaking);
    drop(at_his);

    siri.press(".line .button.danger")?;
    for window in [&siri, &sam] {
        line(window, "the end", "return !line || !line.querySelector('.mute')")?;
    }
    sam.shoot("call-5-over")?;
    go(&sam, "calls")?;
    sees(&sam, "Siri")?;
    sam.shoot("call-6-history")?;
    let record = until("the record", || {
        let calls = ship.get("Dana", "/api/calls")?;
        Ok(calls.to_string().contains("\"completed\"").then_some(calls))
    })?;
    assert!(record.to_string().contains("Siri"), "who hung up is in it: {record}");
    Ok(())
}

#[test]
fn a_call_that_nobody_takes_is_missed_and_counted_until_it_is_seen() -> Result<()> {
    let Two { ship: _ship, hers, his: _his, siri, sam } = Two::on_board()?;
    // The demo has missed calls, too.
    let before = siri.run(&format!("return {MISSED}"))?.as_u64().context("no count")?;
    let at_hers = hers.record()?;
    calls(&sam, "Siri")?;
    comes(&siri, "the call", "return !!document.querySelector('.ring')")?;
    is_heard(&at_hers)?;
    sam.press(".line .button.danger")?;
    comes(&siri, "the end of the ring", "return !document.querySelector('.ring')")?;
    falls_silent(&at_hers)?;
    comes(&siri, "the count", &format!("return ({MISSED}) === {}", before + 1))?;
    siri.shoot("call-7-missed")?;
    go(&siri, "calls")?;
    sees(&siri, "Sam")?;
    comes(&siri, "that they are seen", &format!("return ({MISSED}) === 0"))
}

/// Calls the first colleague about the shown item; nobody else is on board.
fn calls_somebody(window: &Window) -> Result<()> {
    press_button(window, "Call a colleague …")?;
    comes(window, "the crew", "return !!document.querySelector('.callee .call')")?;
    window.press(".callee .call")?;
    line(window, "the call's end", "return /They will see/.test(line?.innerText ?? '')")?;
    line(window, "the bar to go", "return !line")
}

#[test]
fn a_call_about_a_place_or_a_request_stands_there_once_and_the_history_leads_there() -> Result<()> {
    let mut ship = Ship::sail()?;
    ship.calm()?;
    let desk = Desk::set_up()?;
    let dana = open(&desk, "dana")?;
    sign_in(&dana, &ship, "Dana")?;
    on_board(&dana)?;

    go(&dana, "places")?;
    comes(&dana, "the decks", "return !!document.querySelector('.deck-top .row-press')")?;
    // People who may change a deck can call about it as well.
    dana.press(".deck-top .row-press")?;
    comes(&dana, "the deck", "return !!document.querySelector('.sheet')")?;
    let deck = dana.run("return location.hash")?;
    calls_somebody(&dana)?;
    let on_sheet =
        "return [...document.querySelectorAll('.sheet .row')].filter(row => /→/.test(row.innerText)).length === 1";
    comes(&dana, "the call on the sheet", on_sheet)?;
    dana.shoot("call-11-about-a-deck")?;

    let place = ship.press("cabin-06", "single")?;
    go(&dana, "requests")?;
    look_into(&dana, &place)?;
    calls_somebody(&dana)?;
    let once =
        "const told = [...document.querySelectorAll('.detail .story li')].filter(li => /→|call/i.test(li.innerText));
                return told.length === 1 && /→/.test(told[0].innerText)";
    comes(&dana, "the call in the story", once)?;
    dana.shoot("call-12-about-a-request")?;

    go(&dana, "calls")?;
    let leads = format!(
        "const to = [...document.querySelectorAll('a.call-about')].map(one => one.getAttribute('href'));
         return to[0]?.startsWith('#/requests/') && to[1] === {deck}"
    );
    comes(&dana, "the ways to what they were about", &leads)?;
    dana.shoot("call-13-history")?;
    Ok(())
}

/// Returns the latest call, once it is over.
pub fn newest(ship: &Ship) -> Result<Value> {
    until("the record of the call", || {
        let calls = requests(&ship.get("Dana", "/api/calls")?);
        let newest = calls.into_iter().max_by_key(|call| call["call_time"].as_str().map(str::to_owned));
        Ok(newest.filter(|call| call["state"] == "ended"))
    })
}

/// Answers the ringing call. A tap in its first moments is ignored, since it was meant for what was shown before.
pub fn answers(window: &Window) -> Result<()> {
    comes(window, "the call", "return !!document.querySelector('.ring')")?;
    until("the answer", || {
        window.press_now(".ring-act.answer")?;
        Ok((window.run("return !document.querySelector('.ring')")? == true).then_some(()))
    })
}

/// Sam calls Siri, and she answers; waits until both see the timer run.
pub fn talk(siri: &Window, sam: &Window) -> Result<()> {
    calls(sam, "Siri")?;
    answers(siri)?;
    for window in [siri, sam] {
        line(window, "the timer", "return /\\d:\\d\\d/.test(line?.innerText ?? '')")?;
    }
    Ok(())
}

#[test]
fn a_side_that_is_killed_is_noticed_and_recorded_as_dropped() -> Result<()> {
    let Two { ship, hers: _hers, his: _his, siri, sam } = Two::on_board()?;
    talk(&siri, &sam)?;
    sam.kill();
    // A busy machine takes its time to end a process; until then its connections stand.
    let gone = Instant::now();
    line(&siri, "that it broke off", "return /Broke off/.test(line?.innerText ?? '')")?;
    let after = gone.elapsed();
    siri.shoot("call-8-dropped")?;
    let call = newest(&ship)?;
    assert_eq!(call["outcome"], "dropped", "{call}");
    println!("known to have broken off {after:?} after the app had ended");
    assert!(after < KNOWN_WITHIN, "{after:?}");
    Ok(())
}

#[test]
fn a_call_goes_on_while_the_server_is_away_and_its_record_is_mended() -> Result<()> {
    let Two { mut ship, hers, his, siri, sam } = Two::on_board()?;
    talk(&siri, &sam)?;
    ship.go_away();
    is_stale(&siri, "")?;
    let at_hers = hers.record()?;
    let speaking = speaks(&his, 7)?;
    is_heard(&at_hers)?;
    siri.shoot("call-9-without-server")?;
    drop(speaking);
    siri.press(".line .button.danger")?;
    line(&siri, "the end", "return !line?.querySelector('.mute')")?;
    ship.serve()?;
    line(&sam, "the end", "return !line?.querySelector('.mute')")?;
    // Whichever side reconnects first, the record says that Siri hung up.
    let call = newest(&ship)?;
    assert_eq!((&call["outcome"], &call["ended_by"]["name"]), (&"completed".into(), &"Siri".into()), "{call}");
    Ok(())
}

#[test]
fn who_has_no_microphone_is_told_so_and_the_call_lives() -> Result<()> {
    let ship = Ship::sail()?;
    ship.calm()?;
    let (hers, deaf) = (Desk::set_up()?, Desk::without_sound()?);
    let (siri, sam) = (open(&hers, "siri")?, open(&deaf, "sam")?);
    sign_in(&siri, &ship, "Siri")?;
    sign_in(&sam, &ship, "Sam")?;
    on_board(&siri)?;
    on_board(&sam)?;
    talk(&siri, &sam)?;
    line(&sam, "the word of it", "return !!line?.querySelector('.line-trouble')")?;
    sam.shoot("call-10-no-microphone")?;
    siri.press(".line .button.danger")?;
    line(&sam, "the end", "return !line?.querySelector('.mute')")
}

#[test]
fn a_call_that_rings_out_is_over_on_both_sides_and_missed() -> Result<()> {
    let Two { ship, hers: _hers, his: _his, siri, sam } = Two::on_board()?;
    ship.rings_for(10)?;
    calls(&sam, "Siri")?;
    comes(&siri, "the call", "return !!document.querySelector('.ring')")?;
    line(&sam, "that nobody answered", "return /No answer/.test(line?.innerText ?? '')")?;
    sam.shoot("call-14-no-answer")?;
    comes(&siri, "the end of the ring", "return !document.querySelector('.ring')")?;
    let call = newest(&ship)?;
    assert_eq!((&call["outcome"], &call["why"]), (&"missed".into(), &"no_answer".into()), "{call}");
    Ok(())
}
