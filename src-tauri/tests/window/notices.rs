//! Notifications: what rings is on the desktop while nobody looks at the window, and is accepted there.

use anyhow::Result;
use crewbell_desk::{Desk, until};

use crate::crew::{on_board, open, sign_in};
use crate::ship::{Ship, requests};

#[test]
fn a_press_is_accepted_on_its_notification() -> Result<()> {
    let mut ship = Ship::sail()?;
    ship.calm()?;
    let desk = Desk::set_up()?;
    let notices = desk.notices()?;
    let siri = open(&desk, "siri")?;
    sign_in(&siri, &ship, "Siri")?;
    on_board(&siri)?;
    siri.minimize()?;
    let place = ship.press("cabin-06", "single")?;
    let notice =
        until("the notification", || Ok(notices.shown().into_iter().find(|one| one.summary.contains(&place))))?;
    assert_eq!(notice.actions.get("accept").map(String::as_str), Some("Accept"), "{notice:?}");

    until("the server to have it", || {
        // Pressed until it is heard: the app listens a moment after it has shown it.
        notices.press(notice.id, "accept")?;
        let list = requests(&ship.get("Dana", "/api/service-requests?state=accepted")?);
        let hers = |request: &serde_json::Value| {
            request["place_name"] == place.as_str() && request["accepted_by"]["name"] == "Siri"
        };
        Ok(list.iter().any(hers).then_some(()))
    })?;
    until("the notification to go", || Ok(notices.shown().is_empty().then_some(())))
}
