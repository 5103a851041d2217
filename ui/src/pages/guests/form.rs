//! The form for a guest's name and the notes for the crew.

use crewbell_core::screen::Ask;
use crewbell_shared::guest::GuestVerb;
use crewbell_shared::ids::{CommandId, GuestId};
use crewbell_shared::protocol::Verb;
use crewbell_shared::request::MAX_TEXT;
use crewbell_shared::rules::MAX_NAME;
use leptos::prelude::*;

use super::{Open, over, way_to};
use crate::bridge::ids::new_id;
use crate::components::{Button, ButtonStyle, Field, Sheet};
use crate::locales::{fill, words};
use crate::route::go;
use crate::state::state;

/// The form for a guest; `None` creates a new one.
#[component]
pub fn Form(guest: Option<GuestId>, on_close: Callback<()>) -> impl IntoView {
    let state = state();
    let over = over();
    let w = &words().guests;
    let known = guest.and_then(|id| state.guests.peek(id)).map(|item| item.entity);
    let (was_called, noted) = known.map(|guest| (guest.name, guest.notes)).unwrap_or_default();
    let (name, notes) = (RwSignal::new(was_called), RwSignal::new(noted));
    let tried = RwSignal::new(false);
    let wrong_name = Memo::new(move |_| name.with(|name| trouble_with_name(name)).filter(|_| tried.get()));
    let wrong_notes = Memo::new(move |_| notes.with(|notes| trouble_with_length(notes, MAX_TEXT)));
    let id = guest.unwrap_or_else(new_id::<GuestId>);
    // A new guest's card and check-in open only after the core has stored the guest.
    let save = move |then: Option<Open>| {
        tried.set(true);
        let (called, noted) = (name.get_untracked(), notes.get_untracked());
        if trouble_with_name(&called).is_some() || trouble_with_length(&noted, MAX_TEXT).is_some() {
            return;
        }
        let verb = Verb::Guest(GuestVerb::Save { guest_id: id, name: called, notes: noted });
        state.ask_and(Ask::Do { verb }, move |_: Option<CommandId>| {
            over.close();
            if guest.is_none() {
                go(way_to(id));
            }
            if let Some(then) = then {
                over.open(then);
            }
        });
    };
    view! {
        <Sheet title=if guest.is_some() { w.edit } else { w.add } on_close>
            <Field label=w.name value=name hint=w.name_hint wrong=wrong_name/>
            <Field label=w.notes value=notes hint=w.notes_hint wrong=wrong_notes long=true/>
            <div class="acts">
                <Show when=move || guest.is_none()>
                    <Button label=w.check_in look=ButtonStyle::Go on_press=move || save(Some(Open::CheckIn(id)))/>
                </Show>
                <Button label=words().common.save look=if guest.is_some() { ButtonStyle::Go } else { ButtonStyle::Plain }
                    on_press=move || save(None)/>
            </div>
        </Sheet>
    }
}

fn trouble_with_name(name: &str) -> Option<String> {
    let empty = name.trim().is_empty().then(|| words().guests.name_needed.to_owned());
    empty.or_else(|| trouble_with_length(name, MAX_NAME))
}

fn trouble_with_length(text: &str, most: usize) -> Option<String> {
    let is_too_long = text.trim().chars().count() > most;
    is_too_long.then(|| fill(words().guests.name_long, &[("n", &most.to_string())]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_needed_and_as_long_as_the_rules_take_it() {
        assert_eq!(trouble_with_name(" \n").as_deref(), Some("A guest needs a name."));
        assert_eq!(trouble_with_name(&"ü".repeat(MAX_NAME)), None);
        assert_eq!(trouble_with_name(&"ü".repeat(MAX_NAME + 1)).as_deref(), Some("200 characters at most."));
    }
}
