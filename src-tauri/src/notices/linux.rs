//! Notifications of a Linux desktop (Desktop Notifications Specification 1.2), over the session bus.

use std::collections::HashMap;

use futures_util::StreamExt;
use tauri::AppHandle;
use tokio::sync::oneshot;
use zbus::{Connection, Variant};

use super::{Notice, Press};

/// The urgency of a notification that must not expire.
const CRITICAL: u8 = 2;

/// A shown notification; sending or dropping this removes it.
pub(super) type Shown = oneshot::Sender<()>;

#[zbus::proxy(
    interface = "org.freedesktop.Notifications",
    default_service = "org.freedesktop.Notifications",
    default_path = "/org/freedesktop/Notifications"
)]
trait Desktop {
    #[expect(clippy::too_many_arguments, reason = "as the specification has them")]
    fn notify(
        &self,
        app: &str,
        replaces: u32,
        icon: &str,
        summary: &str,
        body: &str,
        actions: &[&str],
        hints: HashMap<&str, Variant<'_>>,
        timeout_ms: i32,
    ) -> zbus::Result<u32>;

    fn close_notification(&self, id: u32) -> zbus::Result<()>;

    #[zbus(signal)]
    fn action_invoked(&self, id: u32, key: String) -> zbus::Result<()>;

    #[zbus(signal)]
    fn notification_closed(&self, id: u32, reason: u32) -> zbus::Result<()>;
}

/// Shows a notification without waiting, as the bus may be slow or gone.
pub(super) fn show(app: &AppHandle, notice: Notice) -> Shown {
    let (shown, taken_away) = oneshot::channel();
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        match answer(&notice, taken_away).await {
            Ok(Some(key)) => {
                let pressed = notice.buttons.iter().map(|(press, _)| *press).find(|press| name(*press) == key);
                crate::desktop::answered(&app, notice.rings, pressed.unwrap_or(Press::Show));
            }
            Ok(None) => {}
            Err(error) => eprintln!("The system shows no notification: {error}"),
        }
    });
    shown
}

/// Returns a button's key; that of `Show` is the specification's key for activating the notification itself.
fn name(press: Press) -> &'static str {
    match press {
        Press::Accept => "accept",
        Press::Reject => "reject",
        Press::Show => "default",
    }
}

pub(super) fn take_away(shown: Shown) {
    // A notification that failed to show, or was answered, has no receiver.
    let _ = shown.send(());
}

/// Shows a notification until it is activated, closed, or taken away; returns the key of the activated button.
async fn answer(notice: &Notice, mut taken_away: oneshot::Receiver<()>) -> zbus::Result<Option<String>> {
    // The same connection shows and listens: some desktops notify only the sender.
    let connection = Connection::session().await?;
    let desktop = DesktopProxy::new(&connection).await?;
    // Subscribe before showing, so that no signal is missed.
    let mut pressed = desktop.receive_action_invoked().await?;
    let mut closed = desktop.receive_notification_closed().await?;
    let hints = HashMap::from([
        ("category", Variant::from("call.incoming")),
        // The app plays its own sound.
        ("suppress-sound", Variant::from(true)),
        ("urgency", Variant::from(CRITICAL)),
    ]);
    let actions: Vec<&str> = notice.buttons.iter().flat_map(|(press, label)| [name(*press), *label]).collect();
    let Notice { summary, body, .. } = notice;
    let id = desktop.notify("Crewbell", 0, "crewbell", summary, body, &actions, hints, 0).await?;
    loop {
        tokio::select! {
            // An activation also closes the notification; the activation takes precedence.
            biased;
            Some(signal) = pressed.next() => {
                let told = signal.args()?;
                if told.id == id {
                    // Some desktops leave it open; if it is gone already, they return an error.
                    let _ = desktop.close_notification(id).await;
                    return Ok(Some(told.key.clone()));
                }
            }
            Some(signal) = closed.next() => {
                if signal.args()?.id == id {
                    return Ok(None);
                }
            }
            _ = &mut taken_away => {
                desktop.close_notification(id).await?;
                return Ok(None);
            }
            else => return Ok(None),
        }
    }
}
