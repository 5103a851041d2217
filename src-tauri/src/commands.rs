//! What the face may ask: one post-box. What it asks, and what it is answered, is `crewbell_core::screen`.

use crewbell_core::screen::{Ask, AskError};
use serde_json::Value;
use tauri::State;

use crate::core_handle::Core;
use crate::wire::Wire;

/// Posts what the face asks to the core, and hands back the answer.
#[tauri::command]
pub(crate) async fn ask(args: Wire<Ask>, core: State<'_, Core>) -> Result<Wire<Value>, Wire<AskError>> {
    core.ask(args.0).await.map(Wire).map_err(Wire)
}
