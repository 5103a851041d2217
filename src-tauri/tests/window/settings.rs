//! Device settings in the UI: they take effect at once, and survive a restart of the app.

use anyhow::Result;
use crewbell_desk::{LEFT, Window};

use crate::crew::{
    choose, comes, go, is_chosen, offers, on_board, open, press_button, press_named, sees, siri_on_board,
};
use crate::story::{falls_silent, is_heard, stays_silent};

/// Waits until a switch is on, or off.
fn is_switched(window: &Window, label: &str, on: bool) -> Result<()> {
    let script = format!(
        "return [...document.querySelectorAll('.switch')].find(one => one.innerText.startsWith('{label}'))
             ?.getAttribute('aria-checked') === '{on}'"
    );
    comes(window, &format!("{label}: {on}"), &script)
}

/// Waits until the ring volume is a given percentage.
fn is_loud(window: &Window, percent: u32) -> Result<()> {
    let script = format!(
        "return document.getElementById('volume')?.value === '{percent}'
             && document.querySelector('output[for=volume]').innerText === '{percent} %'"
    );
    comes(window, &format!("a volume of {percent} %"), &script)
}

/// Waits until the page has a theme.
fn is_coloured(window: &Window, theme: &str) -> Result<()> {
    comes(window, theme, &format!("return document.documentElement.dataset.theme === '{theme}'"))
}

/// Waits until the page has a title.
fn is_titled(window: &Window, title: &str) -> Result<()> {
    comes(window, title, &format!("return document.querySelector('header.top h1')?.innerText === '{title}'"))
}

#[test]
fn what_is_set_counts_at_once_and_after_a_restart() -> Result<()> {
    let (mut ship, desk, siri) = siri_on_board()?;
    go(&siri, "settings")?;
    let recording = desk.record()?;
    siri.press("[aria-label='Test the sound: High']")?;
    is_heard(&recording)?;
    sees(&siri, "Played: High.")?;
    falls_silent(&recording)?;
    drop(recording);

    is_loud(&siri, 100)?;
    siri.run("document.getElementById('volume').focus()")?;
    siri.keys(&LEFT.repeat(4))?;
    is_loud(&siri, 80)?;
    press_named(&siri, ".switch", "Sounds on this device")?;
    sees(&siri, "Silence this device?")?;
    press_button(&siri, "Silence it")?;
    is_switched(&siri, "Sounds on this device", false)?;
    sees(&siri, "This device stays silent, in an emergency too.")?;

    press_named(&siri, ".choose-one", "Night, red")?;
    is_coloured(&siri, "night")?;
    choose(&siri, "Language", "Deutsch")?;
    is_titled(&siri, "Einstellungen")?;
    is_chosen(&siri, "Sprache", "Deutsch")?;
    comes(&siri, "the page's language", "return document.documentElement.lang === 'de'")?;
    siri.shoot("settings-1-german")?;

    drop(siri);
    let siri = open(&desk, "siri")?;
    is_coloured(&siri, "night")?;
    is_titled(&siri, "Anfragen")?;
    on_board(&siri)?;
    go(&siri, "settings")?;
    is_switched(&siri, "Töne auf diesem Gerät", false)?;
    siri.shoot("settings-2-silenced")?;
    choose(&siri, "Sprache", "English")?;
    is_titled(&siri, "Settings")?;
    press_named(&siri, ".choose-one", "Light")?;
    is_coloured(&siri, "light")?;
    let recording = desk.record()?;
    let place = ship.press("cabin-05", "single")?;
    go(&siri, "requests")?;
    offers(&siri, &place, "Accept")?;
    stays_silent(&recording, 3)?;
    assert!(!recording.is_heard()?, "it was told to be silent");

    go(&siri, "settings")?;
    press_named(&siri, ".switch", "Sounds on this device")?;
    is_switched(&siri, "Sounds on this device", true)?;
    is_loud(&siri, 80)?;
    is_heard(&recording)
}
