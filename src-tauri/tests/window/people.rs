//! Presence and last-seen times beside every name, also without a connection.

use anyhow::Result;
use crewbell_desk::{Desk, Window};

use crate::crew::{comes, go, on_board, open, sign_in};
use crate::pages::set;
use crate::ship::Ship;

/// Waits until the text beside a name on the people page, and the title of its dot, match a pattern.
fn is_said(window: &Window, name: &str, like: &str) -> Result<()> {
    let script = format!(
        "const row = [...document.querySelectorAll('.row.crew')].find(row => row.innerText.includes('{name}'));
         const like = /^{like}$/;
         return like.test(row?.querySelector('.person small')?.innerText ?? '')
             && like.test(row.querySelector('.face').title)"
    );
    comes(window, &format!("{name}: {like}"), &script)
}

#[test]
fn who_went_is_shown_with_when_they_were_last_there_also_without_a_server() -> Result<()> {
    let mut ship = Ship::sail()?;
    ship.calm()?;
    let (hers, his) = (Desk::set_up()?, Desk::set_up()?);
    let (dana, sam) = (open(&hers, "dana")?, open(&his, "sam")?);
    sign_in(&dana, &ship, "Dana")?;
    sign_in(&sam, &ship, "Sam")?;
    on_board(&dana)?;
    on_board(&sam)?;
    go(&dana, "people")?;
    is_said(&dana, "Sam", "Online")?;
    is_said(&dana, "Siri", "Offline")?;
    drop(sam);
    // A minute before midnight is yesterday a minute later.
    is_said(&dana, "Sam", "Offline · last seen (yesterday )?\\d\\d:\\d\\d")?;
    for theme in ["light", "night"] {
        set(&dana, "theme", theme)?;
        comes(&dana, "the theme", &format!("return document.documentElement.dataset.theme === '{theme}'"))?;
        for (size, width, height) in crate::pages::SIZES {
            dana.resize(width, height)?;
            dana.shoot(&format!("last-seen-{size}-{theme}"))?;
        }
    }

    ship.go_away();
    is_said(&dana, "Sam", "Not known · last seen (yesterday )?\\d\\d:\\d\\d")?;
    // Started without a server, the app shows its stored data.
    drop(dana);
    let dana = open(&hers, "dana")?;
    go(&dana, "people")?;
    is_said(&dana, "Sam", "Not known · last seen (yesterday )?\\d\\d:\\d\\d")?;
    is_said(&dana, "Dana", "Not known")?;
    dana.shoot("last-seen-alone")?;
    ship.serve()?;
    is_said(&dana, "Sam", "Offline · last seen (yesterday )?\\d\\d:\\d\\d")?;
    is_said(&dana, "Dana", "Online")
}
