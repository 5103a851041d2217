//! The shell: a window, and a post office between the face and the core. No rules.
//!
//! - `commands`: what the face may ask
//! - `wire`: how what is asked and answered crosses
//! - `instance`: which data folder this app is for, and that there is one app for each
//!
//! Desktops start `run` from `main`, phones through Tauri's entry point.

mod commands;
mod instance;
mod wire;

use tauri::{App, WebviewWindowBuilder};

use instance::Instance;

/// The label of the one window, as in `tauri.conf.json` and `capabilities/main.json`.
pub(crate) const WINDOW: &str = "main";

/// Runs the app until its window is closed.
#[cfg_attr(mobile, tauri::mobile_entry_point)]
pub fn run() {
    if let Err(error) = start() {
        eprintln!("Crewbell can't start: {error}");
        std::process::exit(1);
    }
}

fn start() -> tauri::Result<()> {
    let instance = Instance::of_this_process()?;
    let mut context = tauri::generate_context!();
    instance.distinguish(context.config_mut());

    let mut builder = tauri::Builder::default();
    // First of the plugins: a second start ends here, before anything was touched.
    #[cfg(desktop)]
    {
        builder = builder.plugin(instance::show_the_first());
    }
    builder
        .plugin(tauri_plugin_notification::init())
        .manage(commands::Pings::default())
        .setup(move |app| Ok(open_window(app, &instance)?))
        .invoke_handler(tauri::generate_handler![commands::ping])
        .run(context)
}

/// Opens the window that `tauri.conf.json` describes. What the web view itself stores goes into the data folder too.
fn open_window(app: &App, instance: &Instance) -> tauri::Result<()> {
    let folder = instance.data_folder(app.handle())?;
    for window in &app.config().app.windows {
        WebviewWindowBuilder::from_config(app, window)?.data_directory(folder.join("webview")).build()?;
    }
    Ok(())
}
