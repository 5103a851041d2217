//! The Tauri shell: a window, a bell, a tray, and the bridge between the UI and the core. It contains no rules.
//!
//! - `arguments`, `panel`: command line arguments; the window of the demo's buttons
//! - `commands`: the Tauri commands of the UI
//! - `wire`: serialisation between UI and shell
//! - `core_handle`: the core, started concurrently with the window
//! - `device`: the core's shell: windows, sounds, notifications
//! - `phone`: the core's handset: tones and calls
//! - `notices`, `desktop`, `words`: notifications, tray and badge, and their texts
//! - `vault`: the session token, in the keyring or a file
//! - `hello`, `blank`: detection of the page's first frame; recovery of a blank window
//! - `leave`: permissions on phones
//! - `awake`, `network`: detection of sleep, and of a change of network
//! - `instance`: the app's data folder, with one app for each, across all sessions
//!
//! Desktops start `run` from `main`, phones through Tauri's entry point.

#[cfg(desktop)]
mod arguments;
#[cfg(target_os = "linux")]
mod blank;
mod commands;
mod core_handle;
#[cfg(desktop)]
mod desktop;
mod device;
mod hello;
mod instance;
mod network;
mod notices;
#[cfg(desktop)]
mod panel;
mod permissions;
mod phone;
mod suspend_watch;
mod texts;
mod vault;
mod wire;

use std::sync::Arc;

use crewbell_core::engine::Input;
use crewbell_core::shell::Handset;
use tauri::webview::PageLoadEvent;
use tauri::{App, Manager, RunEvent, WebviewWindowBuilder, WindowEvent};

use core_handle::Core;
use device::Device;
use hello::Hello;
use instance::{Hold, Instance};

/// The label of the only window, as in `tauri.conf.json` and `capabilities/main.json`.
pub(crate) const WINDOW: &str = "main";

/// Runs the app until it ends.
#[cfg_attr(mobile, tauri::mobile_entry_point)]
pub fn run() {
    if let Err(error) = start() {
        eprintln!("Crewbell can't start: {error}");
        std::process::exit(1);
    }
}

fn start() -> tauri::Result<()> {
    let mut context = tauri::generate_context!();
    #[cfg(desktop)]
    let mut arguments = <arguments::Arguments as clap::Parser>::parse();
    #[cfg(desktop)]
    if let Some(url) = arguments.panel.take() {
        return panel::run(context, url);
    }
    #[cfg(desktop)]
    let instance = Instance::of(arguments.data_dir.as_deref())?;
    #[cfg(mobile)]
    let instance = Instance::of(None)?;
    instance.distinguish(context.config_mut());

    let app = tauri::Builder::default()
        .plugin(tauri_plugin_notification::init())
        .setup(move |app| {
            #[cfg(desktop)]
            {
                // A second process ends here, before it has touched anything.
                instance::end_unless_first(app.handle());
                let side = arguments.beside_panel.then_some(panel::Side::Left);
                let is_first = set_up(app, &instance, |window, app| panel::place(window, app, side))?;
                if !is_first {
                    return Ok(());
                }
                desktop::set_up(app);
                if let Some(who) = arguments.sign_in.take() {
                    desktop::sign_in(app, who);
                }
            }
            #[cfg(mobile)]
            set_up(app, &instance, |window, _| window).map(drop)?;
            Ok(())
        })
        .on_page_load(|webview, page| {
            // On a reload too, so that the push-to-talk button of the previous page is released.
            if let (PageLoadEvent::Started, Some(device)) = (page.event(), webview.try_state::<Arc<Device>>()) {
                Handset::talk(device.inner().as_ref(), false);
            }
        })
        .invoke_handler(tauri::generate_handler![commands::ask, commands::hello])
        .build(context)?;
    app.run(|app, event| {
        // A phone's system resumed the app; on a desktop the event comes once, before the core has started.
        if let (RunEvent::Resumed, Some(core)) = (event, app.try_state::<Core>()) {
            core.report(Input::Woke);
        }
    });
    Ok(())
}

/// A builder for a window.
type Opening<'a> = WebviewWindowBuilder<'a, tauri::Wry, App>;

/// Returns whether a test drives the app, as `WebKitWebDriver` indicates by this variable. Always false in a release
/// build, because a variable must not be able to weaken the storage of secrets.
pub(crate) fn is_driven() -> bool {
    is_driven_by(cfg!(debug_assertions), std::env::var_os("TAURI_AUTOMATION").is_some())
}

fn is_driven_by(is_for_tests: bool, variable_is_set: bool) -> bool {
    is_for_tests && variable_is_set
}

/// Starts the core on its own threads, and opens the window meanwhile, at its place. Returns false if another app uses
/// the folder: then the window says so, and nothing else is started.
fn set_up(
    app: &App,
    instance: &Instance,
    place: impl for<'a> Fn(Opening<'a>, &App) -> Opening<'a>,
) -> tauri::Result<bool> {
    let folder = instance.data_folder(app.handle())?;
    std::fs::create_dir_all(&folder)?;
    app.manage(Hello::default());
    let Some(hold) = Hold::take(&folder) else {
        eprintln!("Another Crewbell is running on {}.", folder.display());
        app.manage(Core::already_running());
        // A separate folder, because two web views on one folder would corrupt each other's data.
        for window in &app.config().app.windows {
            let window = WebviewWindowBuilder::from_config(app, window)?.data_directory(folder.join("webview-beside"));
            place(window, app).build()?;
        }
        return Ok(false);
    };
    app.manage(hold);
    #[cfg(target_os = "linux")]
    blank::begin(app.handle(), &folder);
    let (device, mut reports) = Device::new(app.handle());
    let core = Core::start(folder.clone(), app.package_info().version.to_string(), Arc::clone(&device));
    app.manage(core.clone());
    app.manage(Arc::clone(&device));
    tauri::async_runtime::spawn(suspend_watch::watch(core.clone()));
    tauri::async_runtime::spawn(network::watch(core.clone()));
    let hears = Arc::clone(&device);
    tauri::async_runtime::spawn(async move {
        while let Some(report) = reports.recv().await {
            if let Some(input) = hears.heard(report) {
                core.first_report(input).await;
            }
        }
    });
    // The web view's own data is stored in the data folder too.
    for window in &app.config().app.windows {
        let window = WebviewWindowBuilder::from_config(app, window)?.data_directory(folder.join("webview"));
        let window = place(window, app).build()?;
        let device = Arc::clone(&device);
        window.on_window_event(move |event| {
            if let WindowEvent::Focused(looked_at) = event {
                device.looked_at(*looked_at);
            }
        });
    }
    #[cfg(target_os = "linux")]
    if !is_driven() {
        tauri::async_runtime::spawn(blank::watch(app.handle().clone(), folder));
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::is_driven_by;

    #[test]
    fn a_build_for_people_is_driven_by_nobody_whatever_the_environment_says() {
        assert!(!is_driven_by(false, true));
        assert!(is_driven_by(true, true) && !is_driven_by(true, false) && !is_driven_by(false, false));
    }
}
