//! Every page at three sizes and in three themes: screenshots for a person to review, and automatic checks. Nothing is
//! wider than the window, no touch target is small, and no text says "undefined".

use anyhow::{Context, Result};
use crewbell_desk::{Desk, Window};

use crate::crew::{comes, find_site, go, introduce, open, press_on_card, sees};
use crate::ship::Ship;

pub const SIZES: [(&str, u32, u32); 3] = [("phone", 390, 844), ("tablet", 1024, 768), ("desktop", 1440, 900)];
const THEMES: [&str; 3] = ["light", "dark", "night"];
const PAGES: [&str; 11] =
    ["requests", "new", "activity", "calls", "people", "buttons", "guests", "places", "settings", "outbox", "more"];

/// Sets a device setting, as the settings page does.
pub fn set(window: &Window, name: &str, value: &str) -> Result<()> {
    let ask = serde_json::json!({ "ask": "set", "name": name, "value": value }).to_string();
    window.run(&format!("window.__TAURI__.core.invoke('ask', {{ args: {} }})", serde_json::to_string(&ask)?))?;
    Ok(())
}

fn set_theme(window: &Window, theme: &str) -> Result<()> {
    set(window, "theme", theme)?;
    comes(window, "the theme", &format!("return document.documentElement.dataset.theme === '{theme}'"))
}

/// Takes screenshots of the page at every size and in every theme.
pub fn every_size_and_light(window: &Window, name: &str) -> Result<()> {
    for theme in THEMES {
        set_theme(window, theme)?;
        for (size, width, height) in SIZES {
            window.resize(width, height)?;
            window.shoot(&format!("{name}-{size}-{theme}"))?;
        }
    }
    Ok(())
}

/// Takes screenshots of the rest of a long page, one for each screen.
fn further_down(window: &Window, name: &str) -> Result<()> {
    let scroll = "const page = [...document.querySelectorAll('*')].find(one =>
             one.scrollHeight > one.clientHeight + 40 && /auto|scroll/.test(getComputedStyle(one).overflowY));
         const before = page?.scrollTop ?? 0;
         page?.scrollBy({ top: page.clientHeight - 80, behavior: 'instant' });
         return (page?.scrollTop ?? 0) > before";
    let mut screen = 2;
    while screen < 8 && window.run(scroll)? == true {
        window.shoot(&format!("{name}-{screen}"))?;
        screen += 1;
    }
    Ok(())
}

/// Returns the faults of the current page.
fn faults(window: &Window) -> Result<Vec<String>> {
    let found = window.run(
        "const faults = [];
         const page = document.documentElement;
         if (page.scrollWidth > page.clientWidth) faults.push(`the page is ${page.scrollWidth} wide`);
         if (/undefined|NaN|\\[object/.test(document.body.innerText)) faults.push('it says something that is no word');
         for (const one of document.querySelectorAll('button, a[href], input:not(.for-ears), select')) {
           const box = one.getBoundingClientRect();
           if (!box.width || !box.height || getComputedStyle(one).visibility === 'hidden') continue;
           const name = one.getAttribute('aria-label') || one.innerText || one.id || one.closest('label')?.innerText || '';
           if (!name.trim() && !one.labels?.length) faults.push(`${one.outerHTML.slice(0, 80)} has no name`);
           // What is touched is its label, or the card that its link covers.
           const touched = (one.closest('label') ?? one.closest('article.request h3')?.closest('article') ?? one);
           const { width, height } = touched.getBoundingClientRect();
           if (!one.matches('.skip') && Math.min(width, height) < 47.5)
             faults.push(`${one.outerHTML.slice(0, 80)} is ${width.toFixed()} by ${height.toFixed()}`);
         }
         return faults",
    )?;
    let found = found.as_array().context("no list")?;
    Ok(found.iter().map(|fault| fault.as_str().unwrap_or_default().to_owned()).collect())
}

#[test]
fn every_page_fits_every_hand_in_every_light() -> Result<()> {
    let mut ship = Ship::sail()?;
    let desk = Desk::set_up()?;
    let window = open(&desk, "dana")?;
    every_size_and_light(&window, "sign-in")?;
    find_site(&window, &ship)?;
    every_size_and_light(&window, "sign-in-pin")?;
    introduce(&window, &ship, "Dana")?;
    let taken = ship.press("cabin-07", "single")?;
    press_on_card(&window, &taken, "Accept")?;
    let place = ship.press("cabin-02", "shake")?;
    ship.press("cabin-05", "double")?;
    sees(&window, &place)?;
    let mut wrong = Vec::new();
    for theme in THEMES {
        set_theme(&window, theme)?;
        for (size, width, height) in SIZES {
            window.resize(width, height)?;
            let first = window.run(
                "const link = document.querySelector('article.card a[href*=\"#/requests/\"]');
                 return link ? link.getAttribute('href').slice(2) : null",
            )?;
            let detail = first.as_str().map(str::to_owned);
            for address in PAGES.iter().map(|page| (*page).to_owned()).chain(detail) {
                go(&window, &address)?;
                let name = address.split('/').next_back().filter(|_| !address.contains('/')).unwrap_or("request");
                window.shoot(&format!("{name}-{size}-{theme}"))?;
                if name == "settings" {
                    further_down(&window, &format!("{name}-{size}-{theme}"))?;
                }
                wrong.extend(faults(&window)?.into_iter().map(|fault| format!("{name}, {size}, {theme}: {fault}")));
            }
            go(&window, "requests")?;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}
