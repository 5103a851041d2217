//! Permissions on phones: notifications and the microphone. They are requested after signing in, while the person uses
//! the app; the system prompts once for each and stores the answer. Desktops don't prompt.

use crewbell_core::screen::Ask;
use tauri::{AppHandle, Manager};
use tauri_plugin_notification::NotificationExt;

/// Script that makes the web view request the microphone permission, the only way without Kotlin. The stream is closed
/// at once; the permission applies to the whole app, including calls.
const ASK_FOR_MICROPHONE: &str = "navigator.mediaDevices?.getUserMedia({ audio: true })
    .then(stream => stream.getTracks().forEach(track => track.stop()), () => {})";

/// Returns whether the permissions are due after this request.
pub(crate) fn is_due(ask: &Ask) -> bool {
    cfg!(mobile) && matches!(ask, Ask::SignIn { .. })
}

/// Requests the permissions one after the other; returns at once.
pub(crate) fn ask(app: &AppHandle) {
    let app = app.clone();
    // The request blocks until the person answers.
    std::thread::spawn(move || {
        if let Err(error) = app.notification().request_permission() {
            eprintln!("Nobody can be asked whether notifications may be shown: {error}");
        }
        // On iOS the system prompts by itself when the first call opens the microphone.
        if cfg!(target_os = "android")
            && let Some(window) = app.get_webview_window(crate::WINDOW)
            && let Err(error) = window.eval(ASK_FOR_MICROPHONE)
        {
            eprintln!("Nobody can be asked for the microphone: {error}");
        }
    });
}
