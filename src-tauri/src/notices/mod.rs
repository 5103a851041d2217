//! The system's notifications: one a request that rings, while nobody looks at the window. They have no sound of their
//! own; the bell is the core's. Where the platform has buttons on them, one accepts.

#[cfg(target_os = "linux")]
mod linux;

use std::collections::BTreeMap;

use crewbell_core::screen::Alert;
use crewbell_shared::ids::RequestId;
use tauri::{AppHandle, Manager};

use crate::words::Words;

#[cfg(target_os = "linux")]
use linux::{Shown, show, take_away};

/// The notifications that are on the screen.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    shown: BTreeMap<RequestId, Shown>,
}

impl Notices {
    /// Shows what rings and isn't shown, and takes away what rings no more.
    pub(crate) fn update(&mut self, app: &AppHandle, alerts: &[Alert], words: &'static Words) {
        let rings = |id: &RequestId| alerts.iter().any(|alert| alert.request_id == *id);
        let over: Vec<RequestId> = self.shown.keys().copied().filter(|id| !rings(id)).collect();
        for id in over {
            if let Some(shown) = self.shown.remove(&id) {
                take_away(shown);
            }
        }
        if is_looked_at(app) {
            return;
        }
        for alert in alerts {
            self.shown.entry(alert.request_id).or_insert_with(|| show(app, alert, words));
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
fn show(app: &AppHandle, alert: &Alert, words: &'static Words) -> Shown {
    use tauri_plugin_notification::NotificationExt;
    let title = format!("{} · {}", words.priority(alert.priority), alert.place_name);
    if let Err(error) = app.notification().builder().title(title).show() {
        eprintln!("The system shows no notification: {error}");
    }
}

#[cfg(not(target_os = "linux"))]
fn take_away((): Shown) {}
