//! What stands above the page and isn't always there moves it: then the page takes no tap for a moment.

use std::time::Duration;

use leptos::prelude::*;

/// For how long the page takes no tap after it moved: what was tapped stood elsewhere.
const SETTLES: Duration = Duration::from_millis(400);

/// Whether the page has just moved because what stands above it came, went or grew.
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
