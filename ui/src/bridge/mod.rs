//! The bridge to the shell: the only place that knows what the page runs in.
//!
//! Everything crosses as JSON text, made and read by `serde_json` on both sides: a long list becomes
//! one string and not ten thousand objects of JavaScript. On the shell's side the counterpart is
//! `src-tauri/src/wire.rs`.

mod tauri;

use serde::{Serialize, de::DeserializeOwned};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};

/// Why the shell gave no answer that could be used.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The shell said no. Its words: JSON text when a command of ours said it, a plain sentence when
    /// the shell knows no such command or doesn't allow it to this page.
    #[error("{0}")]
    Refused(String),
    /// There is no shell, or the way to it is broken.
    #[error("the shell can't be reached: {0}")]
    Unreachable(String),
    /// What was said can't be written or read as what it should be.
    #[error("the shell is not understood: {0}")]
    Unreadable(#[from] serde_json::Error),
}

impl Failure {
    /// The shell's typed "no", when there is one and it is an `E`.
    #[expect(dead_code, reason = "the one command that there is never says no")]
    pub fn refusal<E: DeserializeOwned>(&self) -> Option<E> {
        match self {
            Self::Refused(said) => serde_json::from_str(said).ok(),
            Self::Unreachable(_) | Self::Unreadable(_) => None,
        }
    }
}

/// Asks the shell to do `command` with `args`, and waits for what it says.
pub async fn ask<A, R>(command: &str, args: &A) -> Result<R, Failure>
where
    A: Serialize + ?Sized,
    R: DeserializeOwned,
{
    let args = tauri::Args::new(&serde_json::to_string(args)?);
    let said = tauri::invoke(command, &args).await.map_err(failure)?;
    Ok(serde_json::from_str(&text(&said)?)?)
}

/// Calls `heard` with every `event` of the shell, for as long as the page lives.
///
/// No event is missed any more once this has returned: ask for the state of things *after* it.
/// An event that can't be read is reported on the console and passed over.
pub async fn listen<E: DeserializeOwned + 'static>(
    event: &'static str,
    mut heard: impl FnMut(E) + 'static,
) -> Result<(), Failure> {
    let callback = Closure::new(move |message: tauri::Event| {
        let read = text(&message.payload()).and_then(|said| Ok(serde_json::from_str(&said)?));
        match read {
            Ok(payload) => heard(payload),
            Err(failure) => leptos::logging::error!("the event `{event}`: {failure}"),
        }
    });
    tauri::listen(event, &callback).await.map_err(failure)?;
    callback.forget();
    Ok(())
}

/// The JSON text in an answer or event of a command of ours.
fn text(said: &JsValue) -> Result<String, Failure> {
    said.as_string().ok_or_else(|| Failure::Unreachable(format!("it said {said:?} instead of JSON text")))
}

/// What was thrown at us: by the shell, a string; by the page itself, an error.
fn failure(thrown: JsValue) -> Failure {
    if let Some(said) = thrown.as_string() {
        return Failure::Refused(said);
    }
    let message = match thrown.dyn_into::<js_sys::Error>() {
        Ok(error) => String::from(error.message()),
        Err(other) => format!("{other:?}"),
    };
    Failure::Unreachable(message)
}
