//! What the face may ask: one post-box. What it asks, and what it is answered, is `crewbell_core::screen`. And that it says
//! hello.

use crewbell_core::screen::{Ask, AskError};
use serde_json::value::RawValue;
use tauri::{AppHandle, State};

use crate::core_handle::Core;
use crate::hello::Hello;
use crate::leave;
use crate::wire::Wire;

/// Posts what the face asks to the core, and hands back the answer.
#[tauri::command]
pub(crate) async fn ask(
    args: Wire<Ask>,
    app: AppHandle,
    core: State<'_, Core>,
) -> Result<Wire<Box<RawValue>>, Wire<AskError>> {
    let wants_leave = leave::is_due(&args.0);
    let answer = core.ask(args.0).await;
    if wants_leave && answer.is_ok() {
        leave::ask(&app);
    }
    answer.map(Wire).map_err(Wire)
}

/// The page has been drawn.
#[tauri::command]
#[expect(clippy::needless_pass_by_value, reason = "as Tauri hands it to a command")]
pub(crate) fn hello(hello: State<'_, Hello>) {
    hello.said();
}
