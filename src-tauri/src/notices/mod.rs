//! The system's notifications: one for each ringing request or call, while the window has no focus. They are silent, as
//! the core controls the sound. On platforms that support buttons, one accepts.

#[cfg(target_os = "linux")]
mod linux;

use std::collections::BTreeMap;

use crewbell_core::screen::Alert;
use crewbell_shared::call::Call;
use crewbell_shared::ids::{CallId, RequestId};
use tauri::AppHandle;

use crate::texts::Words;

#[cfg(target_os = "linux")]
use linux::{Shown as Handle, show as present, take_away as remove};

/// The cause of a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ringer {
    /// A guest's request.
    Request(RequestId),
    /// A colleague's call.
    Call(CallId),
}

/// The actions of a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Press {
    /// Accept the request, or answer the call.
    Accept,
    /// Reject the call.
    Reject,
    /// Show it in the window.
    Show,
}

/// The content of a notification.
#[derive(Clone, Debug)]
pub(crate) struct Notice {
    rings: Ringer,
    summary: String,
    body: String,
    buttons: Vec<(Press, &'static str)>,
}

impl Notice {
    fn of_alert(alert: &Alert, words: &'static Words) -> Self {
        Self {
            rings: Ringer::Request(alert.request_id),
            summary: format!("{} · {}", words.priority(alert.priority), alert.place_name),
            body: String::new(),
            buttons: vec![(Press::Accept, words.accept), (Press::Show, words.show)],
        }
    }

    fn of_call(call: &Call, words: &'static Words) -> Self {
        Self {
            rings: Ringer::Call(call.id),
            summary: words.calls(&call.caller.name),
            body: call.about.as_ref().map(|about| about.name.clone()).unwrap_or_default(),
            buttons: vec![(Press::Accept, words.answer), (Press::Reject, words.reject), (Press::Show, words.show)],
        }
    }
}

/// The display of notifications. No method blocks.
pub(crate) trait Screen {
    /// A handle to a shown notification, for removing it.
    type Shown;

    /// Shows a notification.
    fn show(&self, notice: Notice) -> Self::Shown;

    /// Removes a notification.
    fn take_away(&self, shown: Self::Shown);
}

/// The notifications currently shown.
#[derive(Debug)]
pub(crate) struct Notices<S: Screen> {
    screen: S,
    shown: BTreeMap<Ringer, S::Shown>,
}

impl<S: Screen> Notices<S> {
    /// Creates an empty set.
    pub(crate) fn new(screen: S) -> Self {
        Self { screen, shown: BTreeMap::new() }
    }

    /// Shows new alerts and calls, unless the window has the focus, and removes finished ones. To be called on every
    /// change of these; an alert that began while the window had the focus is shown when it loses it.
    pub(crate) fn update(&mut self, alerts: &[Alert], call: Option<&Call>, words: &'static Words, looked_at: bool) {
        let calling = call.map(|call| Notice::of_call(call, words));
        let notices = alerts.iter().map(|alert| Notice::of_alert(alert, words)).chain(calling);
        let notices: BTreeMap<Ringer, Notice> = notices.map(|notice| (notice.rings, notice)).collect();
        let over: Vec<Ringer> = self.shown.keys().copied().filter(|ringer| !notices.contains_key(ringer)).collect();
        for ringer in over {
            if let Some(shown) = self.shown.remove(&ringer) {
                self.screen.take_away(shown);
            }
        }
        if looked_at {
            return;
        }
        for (ringer, notice) in notices {
            self.shown.entry(ringer).or_insert_with(|| self.screen.show(notice));
        }
    }
}

/// The system's display of notifications.
pub(crate) struct System(pub(crate) AppHandle);

impl std::fmt::Debug for System {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("System")
    }
}

impl Screen for System {
    type Shown = Handle;

    fn show(&self, notice: Notice) -> Handle {
        present(&self.0, notice)
    }

    fn take_away(&self, shown: Handle) {
        remove(shown);
    }
}

/// On other platforms the plugin shows it; a tap opens the app, and the system removes it.
#[cfg(not(target_os = "linux"))]
type Handle = ();

/// Shows a notification in a separate thread, as the plugin may wait for the main thread.
#[cfg(not(target_os = "linux"))]
fn present(app: &AppHandle, notice: Notice) -> Handle {
    use tauri_plugin_notification::NotificationExt;
    let app = app.clone();
    tauri::async_runtime::spawn_blocking(move || {
        if let Err(error) = app.notification().builder().title(notice.summary).body(notice.body).show() {
            eprintln!("The system shows no notification: {error}");
        }
    });
}

#[cfg(not(target_os = "linux"))]
fn remove((): Handle) {}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use crewbell_shared::request::Priority;
    use crewbell_shared::testing::{at, id, ringing_call};

    use super::*;

    /// A display that records its operations, oldest first.
    #[derive(Clone, Debug, Default)]
    struct Wall(Rc<RefCell<Vec<String>>>);

    impl Wall {
        fn said(&self) -> Vec<String> {
            self.0.take()
        }
    }

    impl Screen for Wall {
        type Shown = String;

        fn show(&self, notice: Notice) -> String {
            self.0.borrow_mut().push(format!("+ {}", notice.summary));
            notice.summary
        }

        fn take_away(&self, shown: String) {
            self.0.borrow_mut().push(format!("- {shown}"));
        }
    }

    fn alert(number: u128) -> Alert {
        let (request_id, place_name) = (id(number), format!("Cabin {number}"));
        Alert { request_id, priority: Priority::Normal, silenced: false, place_name, since: at(0) }
    }

    fn english() -> &'static Words {
        Words::of(Some("en"))
    }

    #[test]
    fn what_rings_is_shown_once_while_nobody_looks_and_goes_when_it_is_over() {
        let wall = Wall::default();
        let mut notices = Notices::new(wall.clone());
        notices.update(&[alert(1)], None, english(), false);
        notices.update(&[alert(1), alert(2)], None, english(), false);
        assert_eq!(wall.said(), ["+ Call · Cabin 1", "+ Call · Cabin 2"]);
        notices.update(&[alert(2)], None, english(), false);
        assert_eq!(wall.said(), ["- Call · Cabin 1"]);
        notices.update(&[], None, english(), false);
        assert_eq!(wall.said(), ["- Call · Cabin 2"]);
    }

    #[test]
    fn what_began_to_ring_under_a_person_s_eyes_is_shown_when_they_look_away_if_it_still_rings() {
        let wall = Wall::default();
        let mut notices = Notices::new(wall.clone());
        let call = ringing_call(at(0));
        notices.update(&[alert(1), alert(2)], Some(&call), english(), true);
        assert!(wall.said().is_empty(), "they see it in the window");
        notices.update(&[alert(2)], Some(&call), english(), true);
        notices.update(&[alert(2)], Some(&call), english(), false);
        let calls = english().calls(&call.caller.name);
        assert_eq!(wall.said(), ["+ Call · Cabin 2".to_owned(), format!("+ {calls}")]);
        // Focus gained and lost again shows nothing twice.
        notices.update(&[alert(2)], Some(&call), english(), true);
        notices.update(&[alert(2)], Some(&call), english(), false);
        assert!(wall.said().is_empty());
        notices.update(&[], None, english(), true);
        assert_eq!(wall.said().len(), 2, "taken away also while they look");
    }
}
