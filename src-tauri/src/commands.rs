//! Tauri commands of the UI: `ask`, whose requests and answers are defined in `crewbell_core::screen`, and `hello`.

use crewbell_core::screen::{Ask, AskError};
use serde_json::value::RawValue;
use tauri::{AppHandle, State};

use crate::core_handle::Core;
use crate::hello::Hello;
use crate::permissions;
use crate::wire::Wire;

/// Passes a request from the UI to the core, and returns the answer.
#[tauri::command]
pub(crate) async fn ask(
    args: Wire<Ask>,
    app: AppHandle,
    core: State<'_, Core>,
) -> Result<Wire<Box<RawValue>>, Wire<AskError>> {
    let wants_leave = permissions::is_due(&args.0);
    let answer = core.ask(args.0).await;
    if wants_leave && answer.is_ok() {
        permissions::ask(&app);
    }
    answer.map(Wire).map_err(Wire)
}

/// Reports that the page has drawn its first frame.
#[tauri::command]
#[expect(clippy::needless_pass_by_value, reason = "as Tauri hands it to a command")]
pub(crate) fn hello(hello: State<'_, Hello>) {
    hello.said();
}
