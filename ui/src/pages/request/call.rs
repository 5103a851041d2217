//! Calling somebody about a request: who has it, or a colleague.

use crewbell_shared::ids::RequestId;
use leptos::prelude::*;

use crate::components::{Button, CallButton, PersonName, Picture};
use crate::locales::words;
use crate::pages::calls::{Choose, about_request};
use crate::state::state;

/// Calls who has it, or whom one chooses, with the request as what it is about.
#[component]
pub fn CallAbout(id: RequestId) -> impl IntoView {
    let state = state();
    let chooses = RwSignal::new(false);
    let about = move || state.requests.peek(id).map(|item| about_request(&item.noun));
    let holder = Memo::new(move |_| {
        let holder = state.requests.get(id)?.noun.holder().cloned()?;
        (Some(holder.id) != state.my_id()).then_some(holder)
    });
    let close = move || chooses.set(false);
    let sheet = move || {
        let about = about().filter(|_| chooses.get());
        about.map(|about| view! { <Choose about on_close=close/> })
    };
    view! {
        <div class="acts call-from">
            {move || holder.get().zip(about()).map(|(holder, about)| view! {
                <PersonName id=holder.id name=holder.name/>
                <CallButton id=holder.id about=Some(about) named=true/>
            })}
            <Button label=words().calls.call_somebody icon=Picture::Phone on_press=move || chooses.set(true)/>
        </div>
        {sheet}
    }
}
