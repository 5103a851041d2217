//! Nothing moves under a finger: for a moment after a press, a list stays in the order in which it was pressed.

use std::time::Duration;

use leptos::prelude::*;

/// How long after a press nothing moves: long enough for a second tap that was meant for the first's row.
const MOMENT: Duration = Duration::from_millis(1500);

/// Whether somebody has just pressed within a part of a page. Give `on:pointerdown=move |_| calm.press()` to that part.
#[derive(Clone, Copy, Debug)]
pub struct Calm {
    presses: RwSignal<u32>,
}

impl Calm {
    /// Nobody has pressed.
    pub fn new() -> Self {
        Self { presses: RwSignal::new(0) }
    }

    /// Somebody presses.
    pub fn press(self) {
        self.presses.update(|presses| *presses += 1);
        // The page may be gone by then.
        let over = move || {
            self.presses.try_update(|presses| *presses -= 1);
        };
        set_timeout(over, MOMENT);
    }

    /// What a list is to show: what it showed before, as long as somebody has just pressed.
    pub fn keep<T: Clone + PartialEq + Send + Sync + 'static>(self, list: Memo<T>) -> Memo<T> {
        Memo::new(move |before: Option<&T>| {
            let now = list.get();
            if self.presses.get() > 0 { before.cloned().unwrap_or(now) } else { now }
        })
    }
}

#[cfg(test)]
mod tests {
    use leptos::reactive::owner::Owner;

    use super::*;

    #[test]
    fn a_list_stays_as_it_was_while_it_is_pressed() {
        let _owner = Owner::new_root(None);
        let calm = Calm::new();
        let list = RwSignal::new(vec![1, 2]);
        let shown = calm.keep(Memo::new(move |_| list.get()));
        assert_eq!(shown.get_untracked(), [1, 2]);
        calm.presses.set(1);
        list.set(vec![2, 1]);
        assert_eq!(shown.get_untracked(), [1, 2]);
        calm.presses.set(0);
        assert_eq!(shown.get_untracked(), [2, 1]);
    }
}
