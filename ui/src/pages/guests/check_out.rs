//! The check-out dialog, which shows the consequences first.

use crewbell_shared::guest::StayVerb;
use crewbell_shared::ids::StayId;
use crewbell_shared::protocol::Verb;
use crewbell_shared::request::RequestState;
use leptos::prelude::*;

use crate::components::Confirm;
use crate::locales::{fill, words};
use crate::state::{AppState, state};

/// Asks for confirmation of a check-out.
#[component]
pub fn CheckOut(id: StayId, on_close: Callback<()>) -> impl IntoView {
    let state = state();
    let w = &words().guests;
    let stay = state.stays.peek(id).map(|item| item.entity);
    let who = stay.and_then(|stay| untrack(|| state.guest_name(stay.guest_id))).unwrap_or_default();
    let check_out = move || {
        state.act(Verb::Stay(StayVerb::CheckOut { stay_id: id }));
        on_close.run(());
    };
    view! {
        <Confirm title=fill(w.check_out_title, &[("who", &who)]) text=consequences(state, id) label=w.check_out
            on_yes=check_out on_no=on_close/>
    }
}

/// The consequences of a check-out, in words.
fn consequences(state: AppState, id: StayId) -> String {
    let w = &words().guests;
    let Some(stay) = state.stays.peek(id).map(|item| item.entity) else { return String::new() };
    let place = state.places.peek(stay.place_id).map(|item| item.entity);
    let name = place.as_ref().map(|place| place.name.clone()).unwrap_or_default();
    let mut said = vec![fill(w.check_out_text, &[("place", &name)])];
    if place.is_some_and(|place| place.do_not_disturb) {
        said.push(w.check_out_dnd.to_owned());
    }
    let is_open = |how: &RequestState| matches!(how, RequestState::Open | RequestState::Accepted(_));
    let open = untrack(|| {
        let theirs = |guest| guest == Some(stay.guest_id);
        state.requests.list(|item| (theirs(item.entity.guest_id) && is_open(&item.entity.state)).then_some(()))
    });
    if !open.is_empty() {
        said.push(w.check_out_open.say(open.len()));
    }
    said.join(" ")
}
