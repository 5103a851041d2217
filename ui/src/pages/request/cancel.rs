//! Cancelling a request, with an optional reason.

use crewbell_shared::ids::RequestId;
use crewbell_shared::protocol::Verb;
use crewbell_shared::request::RequestVerb;
use leptos::prelude::*;

use crate::components::{Button, ButtonStyle, Field, Sheet};
use crate::locales::words;
use crate::state::state;

/// The sheet that asks for the reason.
#[component]
pub fn Cancel(id: RequestId, #[prop(into)] on_close: Callback<()>) -> impl IntoView {
    let state = state();
    let w = &words().request;
    let reason = RwSignal::new(String::new());
    let cancel = move || {
        let reason = reason.get_untracked().trim().to_owned();
        state.act(Verb::Request(RequestVerb::Cancel {
            request_id: id,
            reason: Some(reason).filter(|reason| !reason.is_empty()),
        }));
        on_close.run(());
    };
    let usual = [w.reason_mistake, w.reason_twice, w.reason_gone].map(|text| {
        view! { <Button label=text on_press=move || reason.set(text.to_owned())/> }
    });
    view! {
        <Sheet title=w.cancel on_close>
            <div class="acts">{usual.into_iter().collect_view()}</div>
            <Field label=w.cancel_why value=reason/>
            <div class="acts">
                <Button label=w.cancel look=ButtonStyle::Danger on_press=cancel/>
                <Button label=words().common.back on_press=on_close/>
            </div>
        </Sheet>
    }
}
