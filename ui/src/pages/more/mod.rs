//! The list of pages that don't fit into a phone's bottom bar, with the items that wait on each.

use crewbell_core::screen::{AudioOutputStatus, Status, StorageState, settings};
use crewbell_shared::button::ButtonState;
use crewbell_shared::person::Right;
use leptos::prelude::*;

use crate::components::{Chip, IconName, Row, Tone};
use crate::frame::MORE;
use crate::locales::{names, words};
use crate::pages::{Info, info};
use crate::route::{Page, Route, go};
use crate::state::{AppState, state};

/// The page's [`Info`].
pub const INFO: Info = Info { title: |words| words.frame.more, icon: IconName::More, right: None };

/// The list of the other pages.
#[component]
pub fn More() -> impl IntoView {
    let state = state();
    let pages = move || MORE.into_iter().filter(move |page| state.may_see(*page));
    view! {
        <super::people::MyBusy/>
        <nav class="rows more" aria-label=words().frame.more>{move || pages().map(|page| view! { <Way page/> }).collect_view()}</nav>
    }
}

/// The link to a page, with the items that wait there.
#[component]
fn Way(page: Page) -> impl IntoView {
    let state = state();
    let info = info(page);
    let waits = Memo::new(move |_| waits(state, page));
    let chip = |(text, tone): (String, Tone)| view! { <Chip text tone=tone/> };
    view! {
        <Row title=(info.title)(words()) icon=info.icon on_press=move || go(Route::to(page))>
            <span class="more-waits">{move || waits.get().into_iter().map(chip).collect_view()}</span>
        </Row>
    }
}

/// The items that wait on a page.
fn waits(state: AppState, page: Page) -> Vec<(String, Tone)> {
    match page {
        Page::Outbox => state.status.with(unsent),
        Page::Settings => {
            let sounds = state.setting(settings::SOUNDS);
            state.status.with(|status| ails(status, settings::sounds_on(sounds.as_deref())))
        }
        Page::Guests => {
            let staying = state.stays.list(|item| item.entity.checked_out_at.is_none().then_some(()));
            vec![(words().guests.staying.say(staying.len()), Tone::Quiet)]
        }
        Page::Buttons if state.may(Right::AssignButtons) => {
            let new = state.buttons.list(|item| (item.entity.state == ButtonState::New).then_some(())).len();
            let said = format!("{new} · {}", names::button_state(ButtonState::New));
            if new > 0 { vec![(said, Tone::Info)] } else { Vec::new() }
        }
        Page::Buttons
        | Page::Places
        | Page::Requests
        | Page::NewRequest
        | Page::Activity
        | Page::Calls
        | Page::People
        | Page::More => Vec::new(),
    }
}

/// The counts of refused and waiting commands.
fn unsent(status: &Status) -> Vec<(String, Tone)> {
    let w = &words().frame;
    let refused = (status.refused > 0).then(|| (w.refused_count.say(status.refused), Tone::Alarm));
    let waiting = (status.waiting > 0).then(|| (w.waiting_count.say(status.waiting), Tone::Wait));
    refused.into_iter().chain(waiting).collect()
}

/// The faults of the device.
fn ails(status: &Status, sounds_on: bool) -> Vec<(String, Tone)> {
    let deaf = match status.ears {
        AudioOutputStatus::Unable { .. } => Some((words().settings.no_sound.to_owned(), Tone::Alarm)),
        AudioOutputStatus::Unknown | AudioOutputStatus::Able => {
            (!sounds_on).then(|| (words().settings.silenced.to_owned(), Tone::Wait))
        }
    };
    let full = match status.storage {
        StorageState::Failing { .. } => Some((words().settings.no_storage.to_owned(), Tone::Alarm)),
        StorageState::Good => None,
    };
    deaf.into_iter().chain(full).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_refused_stands_before_what_waits() {
        let status = Status { waiting: 3, refused: 1, ..Status::default() };
        let said: Vec<_> = unsent(&status).into_iter().map(|(text, _)| text).collect();
        assert_eq!(said, ["1 refused", "3 waiting"]);
        assert!(unsent(&Status::default()).is_empty());
    }

    #[test]
    fn a_device_that_is_silent_says_so_and_a_deaf_one_says_that_first() {
        assert!(ails(&Status::default(), true).is_empty());
        assert_eq!(ails(&Status::default(), false)[0].1, Tone::Wait);
        let deaf = Status { ears: AudioOutputStatus::Unable { why: "no card".into() }, ..Status::default() };
        assert_eq!(ails(&deaf, false)[0].1, Tone::Alarm);
    }
}
