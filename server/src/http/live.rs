//! `GET /api/live`: the live socket.

use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::response::Response;
use crewbell_shared::Refusal;

use super::{ApiError, App};
use crate::limits::Caller;
use crate::live::{LARGEST_FRAME as LARGEST_SENT, serve};

/// The largest frame that a client may send, in bytes: a session description with candidates fits.
const LARGEST_FRAME: usize = 64 * 1024;

/// Opens the live socket (RFC 6455). The first frame is `hello` with the token; what follows is described with
/// `shared::protocol::live`.
#[utoipa::path(
    get,
    path = "/api/live",
    tag = "sync",
    responses((status = 101, description = "The socket stands."), (status = "4XX", body = Refusal))
)]
pub async fn live(
    State(app): State<App>,
    caller: Caller,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let socket = upgrade?
        .max_message_size(LARGEST_FRAME)
        .max_frame_size(LARGEST_FRAME)
        // Clients send little; the default buffer of 128 KiB each would take most of the server's memory.
        .read_buffer_size(4 * 1024)
        // Frames are sent at once; entries that can't be sent stay in the log and not in a buffer. The largest frame
        // must fit.
        .write_buffer_size(0)
        .max_write_buffer_size(LARGEST_SENT + 64 * 1024)
        .on_upgrade(move |socket| serve(app.registry, app.silence, socket, caller));
    Ok(socket)
}
