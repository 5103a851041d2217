//! Site settings in the UI: for people with the right, also without a server.

use anyhow::{Context, Result};
use crewbell_desk::{Desk, Window, until};

use crate::crew::{comes, go, on_board, open, press_button, sees, sign_in};
use crate::ship::Ship;

const FIELD: &str = "const label = [...document.querySelectorAll('.site-form label')]
         .find(label => label.innerText.startsWith('Ring time'));
     const field = label && document.getElementById(label.htmlFor);";

/// Types another ring time.
fn type_ring_time(window: &Window, text: &str) -> Result<()> {
    let script = format!(
        "{FIELD}
         if (!field || field.matches(':disabled')) return false;
         field.value = '{text}';
         field.dispatchEvent(new Event('input', {{ bubbles: true }}));
         return true"
    );
    comes(window, "the ring time's field", &script)
}

/// Waits until the field shows a ring time, and is enabled or disabled.
fn ring_time_is(window: &Window, text: &str, can_change: bool) -> Result<()> {
    let script = format!("{FIELD} return field?.value === '{text}' && field.matches(':disabled') === {}", !can_change);
    comes(window, &format!("a ring time of {text}"), &script)
}

#[test]
fn the_ring_time_is_set_by_who_may_also_without_a_server() -> Result<()> {
    let mut ship = Ship::sail()?;
    ship.calm()?;
    let (his, hers) = (Desk::set_up()?, Desk::set_up()?);
    let (alex, siri) = (open(&his, "alex")?, open(&hers, "siri")?);
    sign_in(&alex, &ship, "Alex")?;
    sign_in(&siri, &ship, "Siri")?;
    on_board(&alex)?;
    on_board(&siri)?;
    go(&siri, "settings")?;
    ring_time_is(&siri, "60", false)?;
    sees(&siri, "Who may change this: Administrator.")?;
    for (size, width, height) in crate::pages::SIZES {
        siri.resize(width, height)?;
        siri.run("document.querySelector('.site-form').scrollIntoView()")?;
        siri.shoot(&format!("site-not-mine-{size}"))?;
    }

    go(&alex, "settings")?;
    ring_time_is(&alex, "60", true)?;
    let can_save = |can: bool| {
        format!(
            "const save = [...document.querySelectorAll('button')].find(one => one.innerText.trim() === 'Save for the site');
             return save.disabled === {}",
            !can
        )
    };
    for wrong in ["5", "301", "a minute"] {
        type_ring_time(&alex, wrong)?;
        sees(&alex, "A whole number from 10 to 300.")?;
        comes(&alex, "nothing to save", &can_save(false))?;
    }
    alex.run(&format!("{FIELD} field.scrollIntoView({{ block: 'center' }})"))?;
    alex.shoot("site-wrong")?;
    ship.go_away();
    type_ring_time(&alex, "25")?;
    comes(&alex, "something to save", &can_save(true))?;
    press_button(&alex, "Save for the site")?;
    comes(&alex, "that it waits", "return !!document.querySelector('.settings-part .pending-word')")?;
    for (size, width, height) in crate::pages::SIZES {
        alex.resize(width, height)?;
        alex.run(&format!("{FIELD} field.scrollIntoView({{ block: 'center' }})"))?;
        alex.shoot(&format!("site-waits-{size}"))?;
    }
    ship.serve()?;
    until("the server to have it", || {
        let site = ship.get("Alex", "/api/site")?;
        let settings = site["settings"].as_object().context("no settings")?;
        Ok((settings["ring_time_s"] == 25).then_some(()))
    })?;
    comes(&alex, "that nothing waits", "return !document.querySelector('.settings-part .pending-word')")?;
    // Other people see the change.
    ring_time_is(&siri, "25", false)
}
