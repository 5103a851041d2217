//! The bridge to the host environment. No other module knows the shell or the browser.
//!
//! | file | what it accesses |
//! |---|---|
//! | `tauri` | the shell: the command `ask` and the event `told` |
//! | `clock` | the device's clock and time zone |
//! | `ids` | random numbers for new ids |
//! | `page` | the page: its address, theme, focus, files that a person chose |
//!
//! All messages to and from the shell are JSON text: a long list becomes one string instead of ten thousand JavaScript
//! objects.

pub mod clock;
pub mod ids;
pub mod page;
mod tauri;

use crewbell_core::screen::{Ask, AskError, CoreEvent};
use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};

/// Sends a request to the core and waits for the answer.
///
/// # Errors
/// Returns the core's error, or [`AskError::Unreadable`] if there is no core or its answer can't be parsed.
pub async fn ask<R: DeserializeOwned>(ask: &Ask) -> Result<R, AskError> {
    let said = ask_text(ask).await?;
    serde_json::from_str(&said).map_err(|error| unreadable(&error))
}

/// Notifies the shell that the page has been drawn. A failure is ignored.
pub async fn hello() {
    drop(tauri::invoke("hello", &tauri::Args::new("null")).await);
}

async fn ask_text(ask: &Ask) -> Result<String, AskError> {
    let args = tauri::Args::new(&serde_json::to_string(ask).map_err(|error| unreadable(&error))?);
    let said = tauri::invoke("ask", &args).await.map_err(|thrown| refused(&thrown))?;
    said.as_string().ok_or_else(|| AskError::Unreadable { why: format!("{said:?} is no JSON text") })
}

/// Calls `heard` with every event that the core emits, for as long as the page lives.
///
/// No event is missed after this has returned: request the snapshot *after* it. Events that can't be parsed are logged
/// to the console and cause a reload of the snapshot.
///
/// # Errors
/// Returns an error if there is no shell.
pub async fn listen(mut heard: impl FnMut(Vec<CoreEvent>) + 'static) -> Result<(), AskError> {
    let callback = Closure::new(move |event: tauri::Event| {
        let said = event.payload().as_string().unwrap_or_default();
        heard(serde_json::from_str(&said).unwrap_or_else(|error| {
            leptos::logging::error!("what the core told can't be read: {error}");
            vec![CoreEvent::Reload]
        }));
    });
    tauri::listen("told", &callback).await.map_err(|thrown| refused(&thrown))?;
    callback.forget();
    Ok(())
}

/// Converts a thrown value to an error: commands throw the JSON text of their error, the page and the shell throw other
/// values.
fn refused(thrown: &JsValue) -> AskError {
    if let Some(said) = thrown.as_string() {
        return serde_json::from_str(&said).unwrap_or(AskError::Unreadable { why: said });
    }
    let why = thrown.dyn_ref::<js_sys::Error>().map_or_else(|| format!("{thrown:?}"), |error| error.message().into());
    AskError::Unreadable { why }
}

fn unreadable(error: &serde_json::Error) -> AskError {
    AskError::Unreadable { why: error.to_string() }
}
