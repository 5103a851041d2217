//! What a phone's system lets an app do only when its person has said yes: show notifications, and hear the microphone.
//! They are asked when they have signed in, while they look; the system asks each once, and remembers. A desktop's doesn't
//! ask.

use crewbell_core::screen::Ask;
use tauri::{AppHandle, Manager};
use tauri_plugin_notification::NotificationExt;

/// The only way to the system's question for the microphone that needs no Kotlin: the web view asks it on behalf of a page
/// that wants to hear. The page lets go at once; what is granted is granted to the whole app, and so to calls.
const ASK_FOR_MICROPHONE: &str = "navigator.mediaDevices?.getUserMedia({ audio: true })
    .then(stream => stream.getTracks().forEach(track => track.stop()), () => {})";

/// Whether what a face asked, once it is done, is the time to ask the person.
pub(crate) fn is_due(ask: &Ask) -> bool {
    cfg!(mobile) && matches!(ask, Ask::SignIn { .. })
}

/// Asks the person, one thing after the other; returns at once.
pub(crate) fn ask(app: &AppHandle) {
    let app = app.clone();
    // It waits for the person.
    std::thread::spawn(move || {
        if let Err(error) = app.notification().request_permission() {
            eprintln!("Nobody can be asked whether notifications may be shown: {error}");
        }
        // On iOS the system asks by itself when the first call opens the microphone.
        if cfg!(target_os = "android")
            && let Some(window) = app.get_webview_window(crate::WINDOW)
            && let Err(error) = window.eval(ASK_FOR_MICROPHONE)
        {
            eprintln!("Nobody can be asked for the microphone: {error}");
        }
    });
}
