//! The shell: a window, a bell, a tray, and a post office between the face and the core. No rules.
//!
//! - `arguments`, `panel`: what the command line asks for; the demo's window of buttons
//! - `commands`: what the face may ask
//! - `wire`: how what is asked and answered crosses
//! - `core_handle`: the core, started beside the window
//! - `device`: what the core may do here: windows, sounds, notifications
//! - `phone`: what calls are heard and spoken by
//! - `notices`, `desktop`, `words`: notifications, tray and badge, and what they say
//! - `vault`: the token, in the keyring or a file
//! - `leave`: what a phone's person is asked to allow
//! - `awake`: notices that the device slept; `network`: that it went to another network
//! - `instance`: which data folder this app is for, and that there is one app for each
//!
//! Desktops start `run` from `main`, phones through Tauri's entry point.

#[cfg(desktop)]
mod arguments;
mod awake;
mod commands;
mod core_handle;
#[cfg(desktop)]
mod desktop;
mod device;
mod instance;
mod leave;
mod network;
mod notices;
#[cfg(desktop)]
mod panel;
mod phone;
mod vault;
mod wire;
mod words;

use std::sync::Arc;

use crewbell_core::engine::Input;
use tauri::{App, Manager, RunEvent, WebviewWindowBuilder};

use core_handle::Core;
use device::Device;
use instance::Instance;

/// The label of the one window, as in `tauri.conf.json` and `capabilities/main.json`.
pub(crate) const WINDOW: &str = "main";

/// Runs the app until it is ended.
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

    let mut builder = tauri::Builder::default();
    // First of the plugins: a second start ends here, before anything was touched.
    #[cfg(desktop)]
    {
        builder = builder.plugin(instance::show_the_first());
    }
    let app = builder
        .plugin(tauri_plugin_notification::init())
        .setup(move |app| {
            #[cfg(desktop)]
            {
                let side = arguments.beside_panel.then_some(panel::Side::Left);
                set_up(app, &instance, |window, app| panel::place(window, app, side))?;
                desktop::set_up(app);
                if let Some(who) = arguments.sign_in.take() {
                    desktop::sign_in(app, who);
                }
            }
            #[cfg(mobile)]
            set_up(app, &instance, |window, _| window)?;
            Ok(())
        })
        .invoke_handler(tauri::generate_handler![commands::ask])
        .build(context)?;
    app.run(|app, event| {
        // A phone's system stopped the app, and goes on with it; a desktop's says so once, before the core is there.
        if let (RunEvent::Resumed, Some(core)) = (event, app.try_state::<Core>()) {
            core.report(Input::Woke);
        }
    });
    Ok(())
}

/// A window that is about to be opened.
type Opening<'a> = WebviewWindowBuilder<'a, tauri::Wry, App>;

/// The core starts first, on threads of its own; the window opens meanwhile, where it is placed.
fn set_up(
    app: &App,
    instance: &Instance,
    place: impl for<'a> Fn(Opening<'a>, &App) -> Opening<'a>,
) -> tauri::Result<()> {
    let folder = instance.data_folder(app.handle())?;
    std::fs::create_dir_all(&folder)?;
    let (device, mut reports) = Device::new(app.handle());
    let core = Core::start(folder.clone(), app.package_info().version.to_string(), Arc::clone(&device));
    app.manage(core.clone());
    app.manage(Arc::clone(&device));
    tauri::async_runtime::spawn(awake::watch(core.clone()));
    tauri::async_runtime::spawn(network::watch(core.clone()));
    tauri::async_runtime::spawn(async move {
        while let Some(report) = reports.recv().await {
            if let Some(input) = device.heard(report) {
                core.first_report(input).await;
            }
        }
    });
    // What the web view itself stores goes into the data folder too.
    for window in &app.config().app.windows {
        let window = WebviewWindowBuilder::from_config(app, window)?.data_directory(folder.join("webview"));
        place(window, app).build()?;
    }
    Ok(())
}
