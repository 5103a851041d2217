//! Desktop-only features: a tray, a badge, notifications with buttons, and a window that hides instead of closing.

use crewbell_shared::request::RequestVerb;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crewbell_core::screen::{Ask, CoreEvent, Task, ViewState};
use crewbell_core::shell::Shell;
use crewbell_shared::protocol::Verb;
use serde_json::value::RawValue;
use tauri::menu::{Menu, MenuItem};
use tauri::tray::{TrayIconBuilder, TrayIconEvent};
use tauri::{App, AppHandle, Manager, WindowEvent};

use crate::arguments::SignIn;
use crate::core_handle::Core;
use crate::device::Outside;
#[cfg(target_os = "linux")]
use crate::notices::{Press, Ringer};
use crate::texts::Words;

/// The tray's id.
const TRAY: &str = "crewbell";

/// The items of the tray's menu, which are renamed when the language changes.
struct Entries {
    show: MenuItem<tauri::Wry>,
    silence: MenuItem<tauri::Wry>,
    answer: MenuItem<tauri::Wry>,
    hang_up: MenuItem<tauri::Wry>,
    quit: MenuItem<tauri::Wry>,
}

/// Adds the app to the tray. On a desktop without a tray the window closes as any other.
pub(crate) fn set_up(app: &App) {
    // On Linux the tray library is loaded at first use, and panics if it isn't installed.
    let built = catch_unwind(AssertUnwindSafe(|| build_tray(app)));
    match built {
        Ok(Ok(())) => hide_instead_of_closing(app),
        Ok(Err(error)) => eprintln!("There is no tray here: {error}"),
        Err(_) => eprintln!("There is no tray here: the system's library for it is missing."),
    }
}

fn build_tray(app: &App) -> tauri::Result<()> {
    let words = app.state::<std::sync::Arc<crate::device::Device>>().words();
    let show = MenuItem::with_id(app, "show", words.show, true, None::<&str>)?;
    let silence = MenuItem::with_id(app, "silence", words.silence, true, None::<&str>)?;
    let answer = MenuItem::with_id(app, "answer", words.answer, false, None::<&str>)?;
    let hang_up = MenuItem::with_id(app, "hang_up", words.hang_up, false, None::<&str>)?;
    let quit = MenuItem::with_id(app, "quit", words.quit, true, None::<&str>)?;
    let menu = Menu::with_items(app, &[&show, &silence, &answer, &hang_up, &quit])?;
    let mut tray = TrayIconBuilder::with_id(TRAY).menu(&menu).tooltip("Crewbell").show_menu_on_left_click(false);
    if let Some(icon) = app.default_window_icon() {
        tray = tray.icon(icon.clone());
    }
    tray.on_menu_event(|app, event| match event.id().as_ref() {
        "show" => show_window(app),
        "answer" | "hang_up" => {
            if let Some(call_id) = app.state::<std::sync::Arc<crate::device::Device>>().call_id() {
                let answers = event.id().as_ref() == "answer";
                app.state::<Core>().post(if answers { Ask::Answer { call_id } } else { Ask::HangUp { call_id } });
            }
        }
        "silence" => app.state::<Core>().post(Ask::Silence),
        "quit" => app.exit(0),
        _ => {}
    })
    .on_tray_icon_event(|tray, event| {
        if let TrayIconEvent::DoubleClick { .. } = event {
            show_window(tray.app_handle());
        }
    })
    .build(app)?;
    app.manage(Entries { show, silence, answer, hang_up, quit });
    Ok(())
}

/// Makes a closed window hide, so that alerts still ring; the tray shows the window again or ends the app.
fn hide_instead_of_closing(app: &App) {
    let Some(window) = app.get_webview_window(crate::WINDOW) else { return };
    let hidden = window.clone();
    window.on_window_event(move |event| {
        if let WindowEvent::CloseRequested { api, .. } = event
            && hidden.hide().is_ok()
        {
            api.prevent_close();
            hidden.state::<std::sync::Arc<crate::device::Device>>().looked_at(false);
        }
    });
}

/// Signs a person in, unless a person is signed in.
pub(crate) fn sign_in(app: &App, who: SignIn) {
    let core = app.state::<Core>().inner().clone();
    tauri::async_runtime::spawn(async move {
        match core.ask(Ask::Look).await {
            // An existing session remains.
            Ok(picture) if is_somebody(&picture) => {}
            Ok(_) => {
                let SignIn { server, site, name, pin } = who;
                core.post(Ask::SignIn { server, site, name, secret: pin });
            }
            Err(error) => eprintln!("Nobody can be signed in: {error}"),
        }
    });
}

/// Returns whether a view state has a session.
fn is_somebody(picture: &RawValue) -> bool {
    serde_json::from_str::<ViewState>(picture.get()).is_ok_and(|picture| picture.session.is_some())
}

/// Brings the window to the front.
pub(crate) fn show_window(app: &AppHandle) {
    let Some(window) = app.get_webview_window(crate::WINDOW) else { return };
    for done in [window.unminimize(), window.show(), window.set_focus()] {
        if let Err(error) = done {
            eprintln!("The window can't be shown: {error}");
        }
    }
}

/// Requests the user's attention for the window, for an incoming call.
pub(crate) fn draw_the_eye(app: &AppHandle) {
    let app = app.clone();
    later(&app.clone(), move || {
        if let Some(window) = app.get_webview_window(crate::WINDOW) {
            let _ = window.request_user_attention(Some(tauri::UserAttentionType::Critical));
        }
    });
}

/// Updates the tray, the window's badge and title with the numbers of open requests and missed calls, and the tray's
/// items for answering and ending a call. The main thread reads the state when it runs the update, so that the last of
/// several updates is the newest.
pub(crate) fn refresh(app: &AppHandle) {
    let app = app.clone();
    later(&app.clone(), move || {
        let Some(device) = app.try_state::<std::sync::Arc<crate::device::Device>>() else { return };
        let outside = device.outside();
        show_count(&app, outside.open, outside.missed, outside.words);
        show_entries(&app, &outside);
    });
}

/// Schedules a function on the main thread, as trays and titles require, without waiting.
fn later(app: &AppHandle, what: impl FnOnce() + Send + 'static) {
    if let Err(error) = app.run_on_main_thread(what) {
        eprintln!("The tray can't be told: {error}");
    }
}

fn show_count(app: &AppHandle, open: usize, missed: usize, words: &'static Words) {
    let count = open + missed;
    if let Some(tray) = app.tray_by_id(TRAY) {
        // Trays that lack one of these support the other.
        let _ = tray.set_title((count > 0).then(|| count.to_string()));
        let calls = words.missed(missed).map(|missed| format!(" · {missed}")).unwrap_or_default();
        let _ = tray.set_tooltip(Some(format!("Crewbell · {}{calls}", words.open(open))));
    }
    if let Some(window) = app.get_webview_window(crate::WINDOW) {
        let _ = window.set_badge_count(i64::try_from(count).ok().filter(|count| *count > 0));
        let title = if count > 0 { format!("({count}) Crewbell") } else { "Crewbell".to_owned() };
        let _ = window.set_title(&title);
    }
}

fn show_entries(app: &AppHandle, outside: &Outside) {
    let Some(entries) = app.try_state::<Entries>() else { return };
    let Outside { words, task, caller, .. } = outside;
    let rings = matches!(task, Task::Ring { .. });
    let goes_on = matches!(task, Task::RingBack { .. } | Task::Talk { .. });
    let _ = entries.show.set_text(words.show);
    let _ = entries.silence.set_text(words.silence);
    let _ = entries.quit.set_text(words.quit);
    let who = caller.as_ref().map(|name| words.calls(name));
    let answer = who.map_or_else(|| words.answer.to_owned(), |who| format!("{} ({who})", words.answer));
    let _ = entries.answer.set_text(answer);
    let _ = entries.answer.set_enabled(rings);
    let _ = entries.hang_up.set_text(if rings { words.reject } else { words.hang_up });
    let _ = entries.hang_up.set_enabled(rings || goes_on);
}

/// Handles an answered notification.
#[cfg(target_os = "linux")]
pub(crate) fn answered(app: &AppHandle, rings: Ringer, press: Press) {
    let post = |ask| app.state::<Core>().post(ask);
    match (rings, press) {
        (Ringer::Request(request_id), Press::Accept) => {
            post(Ask::Do { verb: Verb::Request(RequestVerb::Accept { request_id }) });
        }
        (Ringer::Request(request_id), Press::Reject | Press::Show) => {
            show_window(app);
            app.state::<std::sync::Arc<crate::device::Device>>().tell(&[CoreEvent::Open { request_id }]);
        }
        (Ringer::Call(call_id), Press::Accept) => post(Ask::Answer { call_id }),
        (Ringer::Call(call_id), Press::Reject) => post(Ask::HangUp { call_id }),
        // The call covers everything else in the window.
        (Ringer::Call(_), Press::Show) => show_window(app),
    }
}
