//! Nothing moves under a finger: while a finger, a pointer or the keyboard is at work on a part of a page, and for a
//! moment after, that part stays as it was.

use std::time::Duration;

use leptos::ev;
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;

/// How long after the last touch things may move again: long enough for a second tap that was meant for the first's row.
const STILL: Duration = Duration::from_millis(1500);

/// How long a finger can lie there at most, should its lifting never be told.
const LONGEST: Duration = Duration::from_secs(10);

/// Whether a part of a page is held. A handle; lives as long as that part. Give `on:pointerdown=move |_| calm.pressed()`
/// to it.
#[derive(Clone, Copy, Debug)]
pub struct Calm {
    held: RwSignal<bool>,
    release: StoredValue<Option<TimeoutHandle>>,
}

impl Calm {
    /// Nothing is at work.
    pub fn new() -> Self {
        let calm = Self::still();
        // A finger is lifted wherever it went to.
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

    /// Whether nothing may move now; follows it.
    pub fn is_held(self) -> bool {
        self.held.try_get().unwrap_or_default()
    }

    /// What is to be shown of something: what was shown before, as long as it is held.
    pub fn keep<T: Clone + PartialEq + Send + Sync + 'static>(self, wanted: Memo<T>) -> Memo<T> {
        Memo::new(move |before: Option<&T>| {
            let now = wanted.get();
            if self.is_held() { before.cloned().unwrap_or(now) } else { now }
        })
    }

    /// A finger is down.
    pub fn pressed(self) {
        self.until(LONGEST);
    }

    /// A pointer moved, a key was pressed, something was scrolled.
    pub fn touched(self) {
        self.until(STILL);
    }

    /// What moves now is what the person asked for.
    pub fn let_go(self) {
        self.forget();
        self.held.try_set(false);
    }

    /// A finger was lifted. Most lifting of fingers is elsewhere.
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
