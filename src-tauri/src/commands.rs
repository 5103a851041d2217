//! What the face may ask: post-boxes without an `if`.

#![expect(clippy::needless_pass_by_value, reason = "Tauri hands a command what it asks for by value")]

use std::sync::atomic::{AtomicU32, Ordering};

use tauri::{AppHandle, Emitter, State};

use crate::{WINDOW, wire::Wire};

/// How often the face has asked whether anybody is there.
#[derive(Debug, Default)]
pub(crate) struct Pings(AtomicU32);

/// Answers that the shell is there and which version it is, and tells the window how often it was asked.
#[tauri::command]
pub(crate) fn ping(args: Wire<String>, app: AppHandle, pings: State<'_, Pings>) -> Result<Wire<String>, Wire<String>> {
    let times = pings.0.fetch_add(1, Ordering::Relaxed) + 1;
    app.emit_to(WINDOW, "pinged", Wire(times)).map_err(|error| Wire(error.to_string()))?;
    Ok(Wire(format!("Crewbell {} hears {}", app.package_info().version, args.0)))
}
