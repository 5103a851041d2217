//! The row of one place in the list: guests, open requests, buttons.

use crewbell_shared::ids::PlaceId;
use crewbell_shared::place::PlaceKind;
use leptos::prelude::*;

use super::here::Here;
use crate::components::{Chip, Icon, IconName, Tone};
use crate::locales::{names, words};
use crate::state::state;

/// The row of a place.
#[component]
pub fn PlaceRow(
    /// The place.
    id: PlaceId,
    /// The facts per place.
    here: Memo<Here>,
    /// Called when the row is pressed.
    on_open: Callback<PlaceId>,
) -> impl IntoView {
    let state = state();
    let Some(row) = state.places.row(id) else { return ().into_any() };
    let item = Memo::new(move |_| row.get());
    let name = Memo::new(move |_| item.with(|item| item.entity.name.clone()));
    let kind = Memo::new(move |_| item.with(|item| item.entity.kind));
    let pending = Memo::new(move |_| item.with(|item| item.pending));
    let undisturbed = Memo::new(move |_| item.with(|item| item.entity.do_not_disturb));
    let guests = Memo::new(move |_| here.with(|here| here.guests(id).join(" · ")));
    let open = Memo::new(move |_| here.with(|here| here.open(id)));
    let buttons = Memo::new(move |_| here.with(|here| here.buttons(id)));
    let text = move || match (kind.get(), guests.get()) {
        (PlaceKind::Cabin, guests) if guests.is_empty() => words().places.vacant.to_owned(),
        (kind, guests) if guests.is_empty() => names::place_kind(kind).to_owned(),
        (_, guests) => guests,
    };
    // Crew rooms need no button; other places need one for their guests.
    let mute = Memo::new(move |_| buttons.get() == 0 && kind.get() != PlaceKind::Crew);
    view! {
        <li class="row spot" class:pending=pending>
            <button type="button" class="row-press" on:click=move |_| on_open.run(id)>
                <span class="row-icon"><Icon of=IconName::Place/></span>
                <span class="row-text">
                    <b>{name}</b>
                    <small>{text}</small>
                    <Show when=move || pending.get()>
                        <small class="pending-word">{words().common.pending}</small>
                    </Show>
                </span>
                <span class="spot-signs">
                    <Show when=move || { open.get() > 0 }>
                        <Chip text=Signal::derive(move || words().places.open.say(open.get())) tone=Tone::Wait
                            icon=IconName::Bell/>
                    </Show>
                    <Show when=move || undisturbed.get()>
                        <Chip text=words().places.dnd tone=Tone::Info icon=IconName::Moon/>
                    </Show>
                    <small class="spot-buttons">
                        {move || if mute.get() {
                            words().places.no_button.to_owned()
                        } else if buttons.get() > 0 {
                            words().places.buttons_count.say(buttons.get())
                        } else {
                            String::new()
                        }}
                    </small>
                </span>
            </button>
        </li>
    }
    .into_any()
}
