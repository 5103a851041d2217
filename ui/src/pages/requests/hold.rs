//! Whether a finger, a pointer or the keyboard is at work on the board: then nothing moves.

use std::time::Duration;

use leptos::ev;
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;

/// How long after the last touch the board may move again.
const STILL: Duration = Duration::from_millis(1500);

/// How long a finger can lie there at most, should its lifting never be told.
const LONGEST: Duration = Duration::from_secs(10);

/// Whether the board is held. A handle; lives as long as the page.
#[derive(Clone, Copy, Debug)]
pub struct Hold {
    /// Whether nothing may move.
    pub held: ReadSignal<bool>,
    set: WriteSignal<bool>,
    release: StoredValue<Option<TimeoutHandle>>,
}

impl Hold {
    /// Nothing is at work.
    pub fn new() -> Self {
        let (held, set) = signal(false);
        // A finger is lifted wherever it went to.
        let hold = Self { held, set, release: StoredValue::new(None) };
        let up = window_event_listener(ev::pointerup, move |_| hold.touched_lightly());
        let cancel = window_event_listener(ev::pointercancel, move |_| hold.touched_lightly());
        on_cleanup(move || {
            up.remove();
            cancel.remove();
            hold.forget();
        });
        hold
    }

    /// A finger is down.
    pub fn pressed(self) {
        self.until(LONGEST);
    }

    /// A pointer moved, a key was pressed, a finger was lifted.
    pub fn touched(self) {
        self.until(STILL);
    }

    /// The same, only where the board is held already: most lifting of fingers is elsewhere.
    fn touched_lightly(self) {
        if self.held.try_get_untracked() == Some(true) {
            self.until(STILL);
        }
    }

    fn until(self, time: Duration) {
        self.forget();
        self.set.try_set(true);
        let let_go = move || {
            self.set.try_set(false);
        };
        let release = set_timeout_with_handle(let_go, time);
        self.release.try_set_value(release.ok());
    }

    fn forget(self) {
        if let Some(Some(release)) = self.release.try_get_value() {
            release.clear();
        }
    }
}
