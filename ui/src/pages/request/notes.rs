//! Writing notes on a request.

use crewbell_shared::ids::RequestId;
use crewbell_shared::protocol::Verb;
use crewbell_shared::request::RequestVerb;
use leptos::prelude::*;

use crate::bridge::ids::new_id;
use crate::components::{Button, Field, IconName};
use crate::locales::words;
use crate::state::state;

/// A field for a note, and the button that adds it. The note is in the timeline at once, sent or not.
#[component]
pub fn WriteNote(id: RequestId) -> impl IntoView {
    let state = state();
    let text = RwSignal::new(String::new());
    let empty = Memo::new(move |_| text.with(|text| text.trim().is_empty()));
    let add = move || {
        let text = text.try_update(std::mem::take).unwrap_or_default();
        state.act(Verb::Request(RequestVerb::Note { request_id: id, note_id: new_id(), text }));
    };
    view! {
        <div class="write-note">
            <Field label=words().request.add_note value=text long=true/>
            <Button label=words().request.save_note icon=IconName::Note disabled=empty on_press=add/>
        </div>
    }
}
