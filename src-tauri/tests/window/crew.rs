//! Actions and checks of a crew member in the app.

use std::path::Path;

use anyhow::Result;
use crewbell_desk::{Desk, Window, until};

use crate::ship::Ship;

pub const APP: &str = env!("CARGO_BIN_EXE_crewbell");

/// Signs a person in through the form: address, name, PIN.
pub fn sign_in(window: &Window, ship: &Ship, name: &str) -> Result<()> {
    find_site(window, ship)?;
    introduce(window, ship, name)
}

/// Types the server's address, and waits until the form asks for name and PIN.
pub fn find_site(window: &Window, ship: &Ship) -> Result<()> {
    window.type_into(".sign-in-form input", &format!("127.0.0.1:{}", ship.http))?;
    window.press(".sign-in-form .button.go")?;
    comes(window, "the PIN pad", "return !!document.querySelector('.pin-keys')")
}

/// Types name and PIN.
pub fn introduce(window: &Window, ship: &Ship, name: &str) -> Result<()> {
    window.type_into(".sign-in .field input", name)?;
    type_pin(window, ship.pin(name))
}

/// Types a PIN on the pad, digit by digit, and presses the key that sends it.
pub fn type_pin(window: &Window, pin: &str) -> Result<()> {
    for (before, digit) in pin.chars().enumerate() {
        let place = match digit {
            '0' => 11,
            other => other.to_digit(10).unwrap(),
        };
        window.press(&format!(".pin-keys > :nth-child({place})"))?;
        let typed = format!("return document.querySelectorAll('.pin-typed .full').length === {}", before + 1);
        comes(window, "the digit", &typed)?;
    }
    window.press(".pin-keys > :nth-child(12)")
}

/// Sets up a calm ship, a desktop, and Siri's signed-in app. The tuple's order lets a `let` pattern close the window
/// first.
pub fn siri_on_board() -> Result<(Ship, Desk, Window)> {
    let ship = Ship::sail()?;
    ship.calm()?;
    let desk = Desk::set_up()?;
    let siri = open(&desk, "siri")?;
    sign_in(&siri, &ship, "Siri")?;
    on_board(&siri)?;
    Ok((ship, desk, siri))
}

/// Goes to a page, as a link would.
pub fn go(window: &Window, address: &str) -> Result<()> {
    window.run(&format!("location.hash = '#/{address}'"))?;
    Ok(())
}

/// Opens a request from its card on the board.
pub fn look_into(window: &Window, place: &str) -> Result<()> {
    let find = format!(
        "const card = [...document.querySelectorAll('article.card')].find(card => card.innerText.includes({}));
         const link = card?.querySelector('a[href*=\"#/requests/\"]');
         if (!link) return false;
         location.hash = link.getAttribute('href').slice(1);
         return true",
        serde_json::to_string(place)?
    );
    comes(window, "the card", &find)
}

/// Opens a person's app on a desktop, with a data folder of its own.
pub fn open(desk: &Desk, folder: &str) -> Result<Window> {
    let folder = desk.folder(folder);
    let window = desk.open(Path::new(APP), &["--data-dir", &folder.display().to_string()])?;
    window.run(
        "window.faults = [];
         const told = console.error;
         console.error = (...said) => { window.faults.push(said.join(' ')); told(...said); };
         window.addEventListener('error', event => window.faults.push(event.message));
         window.addEventListener('unhandledrejection', event => window.faults.push(String(event.reason)));",
    )?;
    Ok(window)
}

/// Waits until the page contains a text.
pub fn sees(window: &Window, text: &str) -> Result<()> {
    let script = format!("return document.body.innerText.includes({})", serde_json::to_string(text)?);
    comes(window, &format!("\"{text}\" on the page"), &script)
}

/// Waits until the board is shown and connected.
pub fn on_board(window: &Window) -> Result<()> {
    comes(window, "the board", "return !!document.querySelector('.board') && !document.querySelector('.chip.link.off')")
}

/// Waits until a script in the page returns true; on failure, the error holds the page's text, and a screenshot is
/// taken.
pub fn comes(window: &Window, what: &str, script: &str) -> Result<()> {
    until(what, || Ok((window.run(script)? == true).then_some(()))).or_else(|error| {
        let shown = window.run("return [...(window.faults ?? []), document.body.innerText].join('\\n')")?;
        window.shoot(&format!("instead-of-{}", what.replace(|letter: char| !letter.is_alphanumeric(), "-")))?;
        Err(error.context(format!("shown instead: {shown}")))
    })
}

/// Waits until the card of a place offers a button with this label. The place's name alone can appear on the page
/// earlier, in the recent activity.
pub fn offers(window: &Window, place: &str, label: &str) -> Result<()> {
    let script = format!(
        "const card = [...document.querySelectorAll('article.card')].find(card => card.innerText.includes({}));
         return [...card?.querySelectorAll('button') ?? []].some(one => one.innerText.trim() === {})",
        serde_json::to_string(place)?,
        serde_json::to_string(label)?
    );
    comes(window, &format!("{label} on the card"), &script)
}

/// Waits until the card of a place shows a text, and has no button with the label `instead_of`.
pub fn says(window: &Window, place: &str, text: &str, instead_of: &str) -> Result<()> {
    let script = format!(
        "const card = [...document.querySelectorAll('article.card')].find(card => card.innerText.includes({}));
         const offered = [...card?.querySelectorAll('button') ?? []].some(one => one.innerText.trim() === {});
         return !offered && (card?.innerText.includes({}) ?? false)",
        serde_json::to_string(place)?,
        serde_json::to_string(instead_of)?,
        serde_json::to_string(text)?
    );
    comes(window, &format!("\"{text}\" on the card"), &script)
}

/// Waits until the strip at the bottom of the page shows that there is no connection, the time of the shown data, and
/// the number of unsent changes.
pub fn is_stale(window: &Window, waiting: &str) -> Result<()> {
    let script = format!(
        "const said = document.querySelector('.strip.wait')?.innerText ?? '';
         return /showing \\d\\d:\\d\\d/.test(said) && said.includes({})",
        serde_json::to_string(waiting)?
    );
    comes(window, "the strip", &script)
}

/// Waits until the strip is gone.
pub fn is_fresh(window: &Window) -> Result<()> {
    comes(window, "the strip's end", "return !document.querySelector('.strip.wait')")
}

/// Presses the button with this label on the card of a place.
pub fn press_on_card(window: &Window, place: &str, label: &str) -> Result<()> {
    let card = format!(
        "[...document.querySelectorAll('article.card')].find(card => card.innerText.includes({}))",
        serde_json::to_string(place)?
    );
    press_in(window, &card, label)
}

/// Presses the button with this label, anywhere on the page.
pub fn press_button(window: &Window, label: &str) -> Result<()> {
    press_in(window, "document.body", label)
}

/// Presses the button with this label within the element of an expression, as soon as it exists and can be pressed.
fn press_in(window: &Window, within: &str, label: &str) -> Result<()> {
    let label_json = serde_json::to_string(label)?;
    let button =
        format!("[...({within})?.querySelectorAll('button') ?? []].find(one => one.innerText.trim() === {label_json})");
    press_found(window, label, &button)
}

/// Presses the element of an expression, as soon as it can be pressed and the page accepts the press: buttons that have
/// just changed ignore presses for a moment.
pub fn press_found(window: &Window, what: &str, found: &str) -> Result<()> {
    let awake = format!("(found => found?.closest('.resting') ? null : found)({found})");
    window.press_found(what, &awake).or_else(|error| {
        window.shoot("what-was-not-pressed")?;
        let shown = window.run("return document.body.innerText")?;
        Err(error.context(format!("shown: {shown}")))
    })
}

/// Presses the first element that `selector` matches and whose text begins with these words.
pub fn press_named(window: &Window, selector: &str, words: &str) -> Result<()> {
    let words_json = serde_json::to_string(words)?;
    let found = format!(
        "[...document.querySelectorAll('{selector}')].find(one => one.innerText.trim().startsWith({words_json}))"
    );
    press_found(window, words, &found)
}

/// Returns the expression for the select box with a label.
fn list(label: &str) -> Result<String> {
    let label = serde_json::to_string(label)?;
    let labels = "[...document.querySelectorAll('.field label')]";
    Ok(format!("document.getElementById({labels}.find(one => one.innerText.trim() === {label})?.htmlFor)"))
}

/// Chooses an option of a select box.
pub fn choose(window: &Window, label: &str, option: &str) -> Result<()> {
    let option_json = serde_json::to_string(option)?;
    let found = format!("[...{}?.options ?? []].find(one => one.text === {option_json})", list(label)?);
    press_found(window, option, &found)
}

/// Waits until a select box shows an option as chosen.
pub fn is_chosen(window: &Window, label: &str, option: &str) -> Result<()> {
    let option_json = serde_json::to_string(option)?;
    let chosen = format!("return {}?.selectedOptions[0]?.text === {option_json}", list(label)?);
    comes(window, &format!("{option} as {label}"), &chosen)
}
