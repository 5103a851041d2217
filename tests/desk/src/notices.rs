//! A notification service (Desktop Notifications Specification 1.2) for tests: it records the notifications, and a test
//! invokes their actions.

#![expect(
    clippy::unused_self,
    clippy::needless_pass_by_value,
    clippy::used_underscore_binding,
    reason = "the methods are as the specification has them"
)]

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use tokio::runtime::{Builder, Runtime};
use zbus::Connection;
use zbus::OwnedVariant;
use zbus::object_server::SignalEmitter;

/// The object path of the service, from the specification.
const PATH: &str = "/org/freedesktop/Notifications";

/// A notification that is on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The id of the notification.
    pub id: u32,
    /// The summary, its first line.
    pub summary: String,
    /// The actions: keys and their labels.
    pub actions: BTreeMap<String, String>,
}

/// The notification service of a desktop; removed on drop.
#[derive(Debug)]
pub struct Notices {
    runtime: Runtime,
    connection: Connection,
    shown: Shown,
}

type Shown = Arc<Mutex<Vec<Notice>>>;

impl Notices {
    pub(crate) fn serve(address: &str) -> Result<Self> {
        let runtime = Builder::new_current_thread().build()?;
        let shown = Shown::default();
        let service = Service { shown: Arc::clone(&shown), last: 0 };
        let connection = runtime.block_on(async {
            zbus::connection::Builder::address(address)
                .name("org.freedesktop.Notifications")
                .serve_at(PATH, service)
                .build()
                .await
        });
        Ok(Self { runtime, connection: connection.context("the bus of the desk")?, shown })
    }

    /// Returns the notifications on the screen, oldest first.
    pub fn shown(&self) -> Vec<Notice> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Invokes the action of a notification that has this key.
    ///
    /// # Errors
    /// Returns an error if the bus is gone.
    pub fn press(&self, id: u32, key: &str) -> Result<()> {
        self.runtime.block_on(async {
            let service = self.connection.object_server().interface::<_, Service>(PATH).await?;
            Service::action_invoked(service.signal_emitter(), id, key).await
        })?;
        Ok(())
    }
}

struct Service {
    shown: Shown,
    last: u32,
}

impl Service {
    fn list(&self) -> std::sync::MutexGuard<'_, Vec<Notice>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Service {
    fn get_capabilities(&self) -> Vec<String> {
        ["actions", "body", "persistence"].map(str::to_owned).to_vec()
    }

    fn get_server_information(&self) -> (String, String, String, String) {
        ("desk".to_owned(), "Crewbell".to_owned(), "1".to_owned(), "1.2".to_owned())
    }

    #[expect(clippy::too_many_arguments, reason = "as the specification has them")]
    fn notify(
        &mut self,
        _app: String,
        replaces: u32,
        _icon: String,
        summary: String,
        _body: String,
        actions: Vec<String>,
        _hints: HashMap<String, OwnedVariant>,
        _timeout: i32,
    ) -> u32 {
        let id = if replaces > 0 { replaces } else { self.last + 1 };
        self.last = self.last.max(id);
        let actions = actions.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
        let mut list = self.list();
        list.retain(|notice| notice.id != id);
        list.push(Notice { id, summary, actions });
        id
    }

    async fn close_notification(
        &mut self,
        id: u32,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
    ) -> zbus::fdo::Result<()> {
        self.list().retain(|notice| notice.id != id);
        // 3: closed by a call to `CloseNotification`.
        Ok(Self::notification_closed(&emitter, id, 3).await?)
    }

    #[zbus(signal)]
    async fn action_invoked(emitter: &SignalEmitter<'_>, id: u32, key: &str) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn notification_closed(emitter: &SignalEmitter<'_>, id: u32, reason: u32) -> zbus::Result<()>;
}
