//! Audible output: a guest's voice message; and the loud warning of a device that can't play sound.

use std::f32::consts::TAU;

use anyhow::Result;
use crewbell_desk::{Desk, RATE, tone, until};

use crate::crew::{comes, go, look_into, on_board, open, press_button, press_on_card, sees, sign_in, siri_on_board};
use crate::ship::Ship;
use crate::story::{falls_silent, is_heard};

/// The tone in the guest's message, which no alert contains.
const VOICE_HZ: f32 = 1234.0;

/// Returns two seconds of the tone in a button's format: 16-bit samples at 16 kHz.
fn speech() -> Vec<i16> {
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "small numbers")]
    let sample = |n: u32| ((n as f32 * TAU * VOICE_HZ / 16_000.0).sin() * 12_000.0) as i16;
    (0..32_000).map(sample).collect()
}

#[test]
fn what_a_guest_said_is_heard_when_it_is_played() -> Result<()> {
    let (mut ship, desk, siri) = siri_on_board()?;
    let alert = desk.record()?;
    let place = ship.press("cabin-05", "long")?;
    is_heard(&alert)?;
    ship.say("cabin-05", &speech())?;
    press_on_card(&siri, &place, "Accept")?;
    falls_silent(&alert)?;
    drop(alert);

    look_into(&siri, &place)?;
    comes(&siri, "the player", "return !!document.querySelector('.player button')")?;
    let recording = desk.record()?;
    press_button(&siri, "Play the message")?;
    until("the guest's voice", || {
        let samples: Vec<f32> = recording.samples()?.iter().map(|sample| f32::from(*sample) / 32_768.0).collect();
        let a_moment = usize::try_from(RATE / 4)?;
        Ok(samples.chunks_exact(a_moment).any(|moment| tone(moment, RATE, VOICE_HZ) > 0.1).then_some(()))
    })?;
    siri.shoot("hearing-1-voice")?;
    falls_silent(&recording)?;
    comes(
        &siri,
        "the player's end",
        "return document.querySelector('.player button').innerText.trim() === 'Play the message'",
    )
}

#[test]
fn a_device_that_cannot_sound_says_so_here_and_to_everybody() -> Result<()> {
    let ship = Ship::sail()?;
    ship.calm()?;
    let (deaf, his) = (Desk::without_sound()?, Desk::set_up()?);
    let siri = open(&deaf, "siri")?;
    sign_in(&siri, &ship, "Siri")?;
    on_board(&siri)?;
    sees(&siri, "This device can't make a sound")?;
    siri.shoot("hearing-2-deaf")?;

    let sam = open(&his, "sam")?;
    sign_in(&sam, &ship, "Sam")?;
    on_board(&sam)?;
    assert!(sam.run("return !/can't make a sound/.test(document.body.innerText)")? == true);
    go(&sam, "people")?;
    let said = "const row = [...document.querySelectorAll('.row.crew')].find(row => row.innerText.includes('Siri'));
                return !!row && row.innerText.includes(\"1 device can't sound\")";
    comes(&sam, "the word beside her name", said)
}
