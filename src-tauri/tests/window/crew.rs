//! Somebody of the crew before the app.

use std::path::Path;

use anyhow::Result;
use crewbell_desk::{Desk, Window, until};

use crate::ship::Ship;

pub const APP: &str = env!("CARGO_BIN_EXE_crewbell");

/// Signs somebody in as a person does it: types the address, the name, the PIN.
pub fn sign_in(window: &Window, ship: &Ship, name: &str) -> Result<()> {
    window.type_into(".sign-in-form input", &format!("127.0.0.1:{}", ship.http))?;
    window.press(".sign-in-form .button.go")?;
    until("the PIN pad", || Ok((window.run("return !!document.querySelector('.pin-keys')")? == true).then_some(())))?;
    window.type_into(".sign-in .field input", name)?;
    type_pin(window, ship, name)
}

/// Types somebody's PIN on the pad.
fn type_pin(window: &Window, ship: &Ship, name: &str) -> Result<()> {
    for digit in ship.person(name)["pin"].as_str().unwrap().chars() {
        let place = match digit {
            '0' => 11,
            other => other.to_digit(10).unwrap(),
        };
        window.press(&format!(".pin-keys > :nth-child({place})"))?;
    }
    window.press(".pin-keys > :nth-child(12)")
}

/// Opens the app of somebody at a desk, with a folder of its own.
pub fn open(desk: &Desk, folder: &str) -> Result<Window> {
    let folder = desk.folder(folder);
    desk.open(Path::new(APP), &["--data-dir", &folder.display().to_string()])
}

/// Waits until somewhere on the page a text stands.
pub fn sees(window: &Window, text: &str) -> Result<()> {
    let script = format!("return document.body.innerText.includes({})", serde_json::to_string(text)?);
    until(&format!("\"{text}\" on the page"), || Ok((window.run(&script)?.as_bool() == Some(true)).then_some(())))
        .or_else(|error| {
            let shown = window.run("return document.body.innerText")?;
            window.shoot("what-was-shown-instead")?;
            Err(error.context(format!("shown instead: {shown}")))
        })
}

/// Presses a card's button: the one with this label on the card of this place.
pub fn press_on_card(window: &Window, place: &str, label: &str) -> Result<()> {
    let find = format!(
        "const card = [...document.querySelectorAll('article.card')].find(card => card.innerText.includes({}));
         if (!card) return false;
         const button = [...card.querySelectorAll('button')].find(button => button.innerText.trim() === {});
         if (!button || button.closest('.resting')) return false;
         document.querySelectorAll('[data-story]').forEach(old => old.removeAttribute('data-story'));
         button.setAttribute('data-story', 'this');
         return true",
        serde_json::to_string(place)?,
        serde_json::to_string(label)?
    );
    // Marked and pressed in one go: a board that is just coming in draws its cards anew, and the mark goes with them.
    until(&format!("{label} on the card of {place}"), || {
        let marked = window.run(&find)? == true;
        Ok((marked && window.press_now("[data-story]").unwrap_or(false)).then_some(()))
    })
}
