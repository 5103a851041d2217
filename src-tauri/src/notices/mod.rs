//! The system's notifications: one a request or call that rings, while nobody looks at the window. They have no sound of
//! their own; the bell is the core's. Where the platform has buttons on them, one accepts.

#[cfg(target_os = "linux")]
mod linux;

use std::collections::BTreeMap;

use crewbell_core::screen::Alert;
use crewbell_shared::call::Call;
use crewbell_shared::ids::{CallId, RequestId};
use tauri::{AppHandle, Manager};

use crate::words::Words;

#[cfg(target_os = "linux")]
use linux::{Shown, show, take_away};

/// What rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ringer {
    /// A guest's request.
    Request(RequestId),
    /// A colleague's call.
    Call(CallId),
}

/// What a person may press on a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Press {
    /// Accept the request, answer the call.
    Accept,
    /// Say no to the call.
    Reject,
    /// See it in the window.
    Show,
}

/// A notification, in words.
#[derive(Clone, Debug)]
struct Notice {
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

/// The notifications that are on the screen.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    shown: BTreeMap<Ringer, Shown>,
}

impl Notices {
    /// Shows what rings and isn't shown, and takes away what rings no more.
    pub(crate) fn update(&mut self, app: &AppHandle, alerts: &[Alert], call: Option<&Call>, words: &'static Words) {
        let calling = call.map(|call| Notice::of_call(call, words));
        let notices = alerts.iter().map(|alert| Notice::of_alert(alert, words)).chain(calling);
        let notices: BTreeMap<Ringer, Notice> = notices.map(|notice| (notice.rings, notice)).collect();
        let over: Vec<Ringer> = self.shown.keys().copied().filter(|ringer| !notices.contains_key(ringer)).collect();
        for ringer in over {
            if let Some(shown) = self.shown.remove(&ringer) {
                take_away(shown);
            }
        }
        if is_looked_at(app) {
            return;
        }
        for (ringer, notice) in notices {
            self.shown.entry(ringer).or_insert_with(|| show(app, notice));
        }
    }
}

/// Whether a person sees the window.
fn is_looked_at(app: &AppHandle) -> bool {
    let window = app.get_webview_window(crate::WINDOW);
    window.is_some_and(|window| window.is_focused().unwrap_or(false) && window.is_visible().unwrap_or(true))
}

/// Elsewhere the plugin shows it; it is tapped to open the app, and the system takes it away.
#[cfg(not(target_os = "linux"))]
type Shown = ();

#[cfg(not(target_os = "linux"))]
fn show(app: &AppHandle, notice: Notice) -> Shown {
    use tauri_plugin_notification::NotificationExt;
    if let Err(error) = app.notification().builder().title(notice.summary).body(notice.body).show() {
        eprintln!("The system shows no notification: {error}");
    }
}

#[cfg(not(target_os = "linux"))]
fn take_away((): Shown) {}
