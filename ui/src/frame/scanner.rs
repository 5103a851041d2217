//! Guards against barcode scanners, which act as keyboards: they type characters very fast, and then Enter. Outside
//! text fields the characters have no effect, and the Enter after them must press no button and answer no call.

use std::cell::RefCell;

use leptos::prelude::*;
use web_sys::KeyboardEvent;

use crate::bridge::page;

/// Maximum time in milliseconds between two keys of a scanner. A person who lets go of a letter and presses Enter takes
/// longer; slow wireless scanners take 50.
const QUICK_MS: f64 = 100.0;

/// Suppresses Enter and space keys that a scanner types, until the calling reactive owner is cleaned up.
pub fn ignore_scanners() {
    let burst = RefCell::new(Burst::default());
    let on_key = move |event: &KeyboardEvent| {
        let is_down = event.type_() == "keydown" && !event.repeat();
        if is_down && !page::is_typing() && burst.borrow_mut().is_scanned(&event.key(), event.time_stamp()) {
            event.prevent_default();
            event.stop_propagation();
        }
    };
    let keys = StoredValue::new_local(Some(page::on_keys(on_key)));
    on_cleanup(move || {
        if let Some(stop) = keys.try_update_value(Option::take).flatten() {
            stop();
        }
    });
}

/// The time of the last character that was typed.
#[derive(Debug, Default)]
struct Burst {
    last: Option<f64>,
}

impl Burst {
    /// Whether a key is an Enter or space that follows a character too fast for a person.
    fn is_scanned(&mut self, key: &str, at_ms: f64) -> bool {
        let is_quick = self.last.is_some_and(|last| at_ms - last < QUICK_MS);
        if key.chars().count() == 1 {
            self.last = Some(at_ms);
        }
        is_quick && matches!(key, "Enter" | " ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For each key, whether it is suppressed; each is pressed so many milliseconds after the one before.
    fn held_back(keys: &[(&str, f64)]) -> Vec<bool> {
        let (mut burst, mut now) = (Burst::default(), 1_000.0);
        let press = |&(key, after): &(&str, f64)| {
            now += after;
            burst.is_scanned(key, now)
        };
        keys.iter().map(press).collect()
    }

    #[test]
    fn the_enter_of_a_scanner_presses_nothing_nor_does_a_space_within_what_it_types() {
        assert_eq!(held_back(&[("4", 0.0), ("0", 8.0), ("a", 8.0), ("Enter", 8.0)]), [false, false, false, true]);
        assert_eq!(held_back(&[("A", 0.0), (" ", 5.0), ("7", 5.0), ("Enter", 60.0)]), [false, true, false, true]);
        // A line break can arrive as two keys (CR LF), and a second code right after.
        let two = [("1", 0.0), ("Enter", 5.0), ("Enter", 5.0), ("2", 5.0), ("Enter", 5.0)];
        assert_eq!(held_back(&two), [false, true, true, false, true]);
    }

    #[test]
    fn a_person_s_keys_are_never_held_back() {
        assert_eq!(held_back(&[("Enter", 0.0), ("Enter", 50.0), ("Tab", 5.0), ("Enter", 5.0)]), [false; 4]);
        assert_eq!(held_back(&[("x", 0.0), ("Enter", 200.0), ("ArrowDown", 5.0), ("Enter", 5.0)]), [false; 4]);
    }
}
