//! Interaction lock: a part of a page stays unchanged while a finger, a pointer or the keyboard acts on it, and for a
//! moment after, so that nothing moves under a finger.

use std::time::Duration;

use leptos::ev;
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;

/// How long the lock lasts after the last touch: long enough for a second tap that was meant for the same row.
const STILL: Duration = Duration::from_millis(1500);

/// Maximum duration of a touch, in case its release is never reported.
const LONGEST: Duration = Duration::from_secs(10);

/// The lock of a part of a page. It is a handle and lives as long as that part. The part needs
/// `on:pointerdown=move |_| calm.pressed()`.
#[derive(Clone, Copy, Debug)]
pub struct Calm {
    held: RwSignal<bool>,
    release: StoredValue<Option<TimeoutHandle>>,
}

impl Calm {
    /// Creates an unlocked lock that listens for the release of pointers.
    pub fn new() -> Self {
        let calm = Self::still();
        // The release may happen anywhere in the window.
        let up = window_event_listener(ev::pointerup, move |_| calm.lifted());
        let cancel = window_event_listener(ev::pointercancel, move |_| calm.lifted());
        on_cleanup(move || {
            up.remove();
            cancel.remove();
            calm.forget();
        });
        calm
    }

    fn still() -> Self {
        Self { held: RwSignal::new(false), release: StoredValue::new(None) }
    }

    /// Whether the part is locked; subscribes to it.
    pub fn is_held(self) -> bool {
        self.held.try_get().unwrap_or_default()
    }

    /// Derives the value to show: while the lock is held, the previous value.
    pub fn keep<T: Clone + PartialEq + Send + Sync + 'static>(self, wanted: Memo<T>) -> Memo<T> {
        Memo::new(move |before: Option<&T>| {
            let now = wanted.get();
            if self.is_held() { before.cloned().unwrap_or(now) } else { now }
        })
    }

    /// Locks after a pointer was pressed.
    pub fn pressed(self) {
        self.until(LONGEST);
    }

    /// Locks briefly after a pointer moved, a key was pressed or something was scrolled.
    pub fn touched(self) {
        self.until(STILL);
    }

    /// Unlocks at once, because the person asked for the change.
    pub fn let_go(self) {
        self.forget();
        self.held.try_set(false);
    }

    /// Starts the release after a pointer was lifted. Most releases happen while the lock isn't held.
    fn lifted(self) {
        if self.held.try_get_untracked() == Some(true) {
            self.until(STILL);
        }
    }

    fn until(self, time: Duration) {
        self.forget();
        if self.held.try_get_untracked() == Some(false) {
            self.held.try_set(true);
        }
        let let_go = move || {
            self.held.try_set(false);
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

#[cfg(test)]
mod tests {
    use leptos::reactive::owner::Owner;

    use super::*;

    #[test]
    fn a_list_stays_as_it_was_while_it_is_held() {
        let _owner = Owner::new_root(None);
        let calm = Calm::still();
        let list = RwSignal::new(vec![1, 2]);
        let shown = calm.keep(Memo::new(move |_| list.get()));
        assert_eq!(shown.get_untracked(), [1, 2]);
        calm.held.set(true);
        list.set(vec![2, 1]);
        assert_eq!(shown.get_untracked(), [1, 2]);
        calm.let_go();
        assert_eq!(shown.get_untracked(), [2, 1]);
    }
}
