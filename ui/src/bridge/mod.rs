//! The bridge to the host: the only place that knows what the page runs in.
//!
//! | file | what it reaches |
//! |---|---|
//! | `tauri` | the shell: one command, `ask`, and one event, `told` |
//! | `clock` | the device's clock and time zone |
//! | `ids` | randomness for new ids |
//! | `page` | the page itself: its address, theme, focus, files that a person chose |
//! | `json` | what the core says, read |
//!
//! Everything crosses to the shell as JSON text: a long list becomes one string and not ten thousand objects of
//! JavaScript.

pub mod clock;
pub mod ids;
mod json;
pub mod page;
mod tauri;

use crewbell_core::screen::{Ask, AskError, Told};
use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};

/// Asks the core, and waits for its answer.
///
/// # Errors
/// The core's "no"; [`AskError::Unreadable`] when there is no core, or it isn't understood.
pub async fn ask<R: DeserializeOwned>(ask: &Ask) -> Result<R, AskError> {
    let said = ask_text(ask).await?;
    json::read(&said).map_err(unreadable)
}

/// Tells the shell that the page has been drawn. A shell that can't be told has other troubles.
pub async fn hello() {
    drop(tauri::invoke("hello", &tauri::Args::new("null")).await);
}

async fn ask_text(ask: &Ask) -> Result<String, AskError> {
    let args = tauri::Args::new(&serde_json::to_string(ask).map_err(unreadable)?);
    let said = tauri::invoke("ask", &args).await.map_err(|thrown| refused(&thrown))?;
    said.as_string().ok_or_else(|| AskError::Unreadable { why: format!("{said:?} is no JSON text") })
}

/// Calls `heard` with everything that the core tells, for as long as the page lives.
///
/// Nothing is missed any more once this has returned: ask for the picture *after* it. What can't be read is reported on
/// the console, and answered by looking again.
///
/// # Errors
/// There is no shell.
pub async fn listen(mut heard: impl FnMut(Vec<Told>) + 'static) -> Result<(), AskError> {
    let callback = Closure::new(move |event: tauri::Event| {
        let said = event.payload().as_string().unwrap_or_default();
        heard(json::read(&said).unwrap_or_else(|error| {
            leptos::logging::error!("what the core told can't be read: {error}");
            vec![Told::Reload]
        }));
    });
    tauri::listen("told", &callback).await.map_err(|thrown| refused(&thrown))?;
    callback.forget();
    Ok(())
}

/// What was thrown at us: by a command, the JSON text of its error; by the page or the shell itself, something else.
fn refused(thrown: &JsValue) -> AskError {
    if let Some(said) = thrown.as_string() {
        return json::read(&said).unwrap_or(AskError::Unreadable { why: said });
    }
    let why = thrown.dyn_ref::<js_sys::Error>().map_or_else(|| format!("{thrown:?}"), |error| error.message().into());
    AskError::Unreadable { why }
}

fn unreadable(error: impl std::error::Error) -> AskError {
    AskError::Unreadable { why: error.to_string() }
}
