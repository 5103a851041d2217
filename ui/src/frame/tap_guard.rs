//! Tap guard: the page ignores taps for a moment after elements above it have moved it.

use std::time::Duration;

use leptos::prelude::*;

/// How long the page ignores taps after it moved, as they were aimed at its previous position.
const SETTLES: Duration = Duration::from_millis(400);

/// Returns a signal that is true while the page has just moved because elements above it appeared, disappeared or grew.
pub fn settling<T: PartialEq + Send + Sync + 'static>(above: Memo<T>) -> RwSignal<bool> {
    let settling = RwSignal::new(false);
    Effect::watch(
        move || above.track(),
        move |(), _, _| {
            settling.set(true);
            let settle = move || {
                settling.try_set(false);
            };
            set_timeout(settle, SETTLES);
        },
        false,
    );
    settling
}
