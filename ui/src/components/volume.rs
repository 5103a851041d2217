//! A volume slider, audible while it moves.

use std::time::Duration;

use crewbell_core::screen::settings;
use leptos::prelude::*;

use super::{Icon, IconName};
use crate::locales::Text;
use crate::state::state;

/// Interval at which the volume is set during a move: short enough to be heard, long enough for writes to the disk.
const MOVED: Duration = Duration::from_millis(100);

/// Time after the release by which the core has reported all changes of the move.
const SETTLED: Duration = Duration::from_secs(1);

/// A volume slider for a setting in percent. With a hint it is a field of a form; without, it is part of a bar and an
/// icon is its label.
#[component]
pub fn Volume(
    /// The name of the setting.
    setting: &'static str,
    /// The label.
    label: Text,
    /// The hint.
    #[prop(optional)]
    hint: Option<Text>,
) -> impl IntoView {
    let state = state();
    let kept = Memo::new(move |_| settings::volume(state.setting(setting).as_deref()));
    let shown = RwSignal::new(kept.get_untracked());
    let held = StoredValue::new(false);
    let moves = StoredValue::new(0_u32);
    // Delayed updates from the core must not move the slider during a drag, nor revert an arrow key.
    Effect::new(move || {
        let kept = kept.get();
        if !held.get_value() {
            shown.set(kept);
        }
    });
    let let_go_soon = move || {
        moves.update_value(|moves| *moves = moves.wrapping_add(1));
        let last = moves.get_value();
        let let_go = move || {
            if moves.try_get_value() == Some(last) {
                held.set_value(false);
                shown.set(kept.get_untracked());
            }
        };
        set_timeout(let_go, SETTLED);
    };
    let send = move || {
        if let Some(percent) = shown.try_get_untracked() {
            state.set(setting, Some(percent.to_string()));
        }
    };
    let waits = StoredValue::new(false);
    let send_soon = move || {
        if !waits.get_value() {
            waits.set_value(true);
            set_timeout(
                move || {
                    waits.try_update_value(|waits| *waits = false);
                    send();
                },
                MOVED,
            );
        }
    };
    let percent = move || format!("{} %", shown.get());
    let hint_id = hint.map(|_| format!("{setting}-hint"));
    let slider = view! {
        <input id=hint.map(|_| setting) type="range" min=settings::LEAST_VOLUME max="100" step="5"
            aria-label=hint.is_none().then_some(label) aria-describedby=hint_id.clone() aria-valuetext=percent
            prop:value=move || shown.get().to_string()
            on:input:target=move |event| {
                held.set_value(true);
                moves.update_value(|moves| *moves = moves.wrapping_add(1));
                shown.set(settings::volume(Some(&event.target().value())));
                send_soon();
            }
            on:change=move |_| {
                send();
                let_go_soon();
            }/>
    };
    match hint {
        Some(hint) => view! {
            <div class="field volume">
                <label for=setting>{label}<output for=setting>{percent}</output></label>
                {slider}
                <small id=hint_id>{hint}</small>
            </div>
        }
        .into_any(),
        None => view! { <label class="line-volume"><Icon of=IconName::Sound/>{slider}</label> }.into_any(),
    }
}
