//! Notifications: a ringing request or call is shown on the desktop while the window is in the background, and can be
//! accepted there.

use anyhow::Result;
use crewbell_desk::{Desk, Notice, Notices, until};

use crate::calls::{Two, calls, line, newest};
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
        // Pressed until it takes effect: the app starts to listen a moment after it has shown the notification.
        notices.press(notice.id, "accept")?;
        let list = requests(&ship.get("Dana", "/api/service-requests?state=accepted")?);
        let hers = |request: &serde_json::Value| {
            request["place_name"] == place.as_str() && request["accepted_by"]["name"] == "Siri"
        };
        Ok(list.iter().any(hers).then_some(()))
    })?;
    until("the notification to go", || Ok(notices.shown().is_empty().then_some(())))
}

/// Returns the notification of Sam's call.
fn of_call(notices: &Notices) -> Result<Notice> {
    until("the notification of the call", || Ok(notices.shown().into_iter().find(|one| one.summary.contains("Sam"))))
}

fn all_gone(notices: &Notices) -> Result<()> {
    until("the notification to go", || Ok(notices.shown().is_empty().then_some(())))
}

#[test]
fn a_call_is_answered_and_rejected_on_its_notification_which_goes_when_the_caller_gives_up() -> Result<()> {
    let (Two { ship, hers: _hers, his: _his, siri, sam }, notices) = Two::with(Desk::notices)?;
    siri.minimize()?;

    calls(&sam, "Siri")?;
    let notice = of_call(&notices)?;
    let label = |key: &str| notice.actions.get(key).map(String::as_str);
    assert_eq!((label("accept"), label("reject")), (Some("Answer"), Some("Reject")), "{notice:?}");
    until("the talk", || {
        // Pressed until it takes effect: the app starts to listen a moment after it has shown the notification.
        notices.press(notice.id, "accept")?;
        let talks = "return /\\d:\\d\\d/.test(document.querySelector('.line')?.innerText ?? '')";
        Ok((sam.run(talks)? == true).then_some(()))
    })?;
    all_gone(&notices)?;
    sam.press(".line .button.danger")?;
    let call = newest(&ship)?;
    assert_eq!((&call["outcome"], &call["callee"]["name"]), (&"completed".into(), &"Siri".into()), "{call}");
    line(&sam, "the end", "return !line")?;

    calls(&sam, "Siri")?;
    let notice = of_call(&notices)?;
    until("the end of the call", || {
        notices.press(notice.id, "reject")?;
        let over = "return !document.querySelector('.line:not(.over)')";
        Ok((sam.run(over)? == true).then_some(()))
    })?;
    all_gone(&notices)?;
    let call = newest(&ship)?;
    assert_eq!((&call["outcome"], &call["ended_by"]["name"]), (&"rejected".into(), &"Siri".into()), "{call}");
    line(&sam, "the end", "return !line")?;

    calls(&sam, "Siri")?;
    of_call(&notices)?;
    sam.press(".line .button.danger")?;
    all_gone(&notices)?;
    assert_eq!(newest(&ship)?["outcome"], "cancelled");
    Ok(())
}
