//! A system tray (`StatusNotifierItem`, as in KDE and Ayatana) for tests. It records the icons that apps register,
//! reads their menus and clicks entries over the bus (`com.canonical.dbusmenu`).

#![expect(
    clippy::used_underscore_binding,
    clippy::unused_self,
    clippy::needless_pass_by_value,
    reason = "the methods are as the specification has them"
)]

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use tokio::runtime::{Builder, Runtime};
use zbus::message::Header;
use zbus::{Connection, OwnedVariant, Variant};

use crate::until;

/// The object path of the tray, from the specification.
const PATH: &str = "/StatusNotifierWatcher";

/// An entry of an icon's menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The id of the entry.
    pub id: i32,
    /// The label of the entry.
    pub label: String,
    /// Whether the entry can be clicked.
    pub enabled: bool,
}

/// The tray of a desktop; removed on drop.
#[derive(Debug)]
pub struct Tray {
    runtime: Runtime,
    connection: Connection,
    icons: Icons,
}

/// The registered icons as pairs of bus name and object path, oldest first.
type Icons = Arc<Mutex<Vec<(String, String)>>>;

/// A menu node as D-Bus carries it: id, properties, children.
type Layout = (i32, HashMap<String, OwnedVariant>, Vec<OwnedVariant>);

impl Tray {
    pub(crate) fn serve(address: &str) -> Result<Self> {
        let runtime = Builder::new_current_thread().build()?;
        let icons = Icons::default();
        let watcher = Watcher { icons: Arc::clone(&icons) };
        let connection = runtime.block_on(async {
            zbus::connection::Builder::address(address)
                .name("org.kde.StatusNotifierWatcher")
                .serve_at(PATH, watcher)
                .build()
                .await
        });
        Ok(Self { runtime, connection: connection.context("the bus of the desk")?, icons })
    }

    /// Returns the entries of the first icon's menu.
    ///
    /// # Errors
    /// Returns an error if no icon appears, or it has no menu.
    pub fn menu(&self) -> Result<Vec<Entry>> {
        let (owner, path) = self.menu_of_first()?;
        let (_, layout): (u32, Layout) = self.runtime.block_on(async {
            let menu = zbus::Proxy::new(&self.connection, owner, path, "com.canonical.dbusmenu").await?;
            menu.call("GetLayout", &(0_i32, -1_i32, Vec::<&str>::new())).await
        })?;
        Ok(layout.2.into_iter().filter_map(entry).collect())
    }

    /// Clicks an entry.
    ///
    /// # Errors
    /// Returns the same errors as [`Tray::menu`].
    pub fn press(&self, entry: &Entry) -> Result<()> {
        let (owner, path) = self.menu_of_first()?;
        self.runtime.block_on(async {
            let menu = zbus::Proxy::new(&self.connection, owner, path, "com.canonical.dbusmenu").await?;
            menu.call::<_, _, ()>("Event", &(entry.id, "clicked", Variant::from(0_i32), 0_u32)).await
        })?;
        Ok(())
    }

    /// Returns the label beside the first icon; empty if there is none.
    ///
    /// # Errors
    /// Returns an error if no icon appears, or it has no label property.
    pub fn label(&self) -> Result<String> {
        let (owner, item) = self.first()?;
        let label = self.runtime.block_on(async {
            let icon = zbus::Proxy::new(&self.connection, owner, item, "org.kde.StatusNotifierItem").await?;
            // An extension of Ayatana's, absent from the specification.
            icon.get_property("XAyatanaLabel").await
        })?;
        Ok(label)
    }

    fn first(&self) -> Result<(String, String)> {
        let first = || self.icons.lock().unwrap_or_else(PoisonError::into_inner).first().cloned();
        until("an icon in the tray", || Ok(first()))
    }

    fn menu_of_first(&self) -> Result<(String, String)> {
        let (owner, item) = self.first()?;
        let menu: zbus::OwnedObjectPath = self.runtime.block_on(async {
            let icon = zbus::Proxy::new(&self.connection, owner.clone(), item, "org.kde.StatusNotifierItem").await?;
            icon.get_property("Menu").await
        })?;
        Ok((owner, menu.to_string()))
    }
}

/// Reads a menu entry; `None` for a separator, which has no label.
fn entry(of: OwnedVariant) -> Option<Entry> {
    let (id, properties, _): Layout = of.try_into().ok()?;
    let property = |name: &str| properties.get(name).map(|value| &**value);
    let label = match property("label") {
        // An underscore marks the access key.
        Some(Variant::Str(label)) => label.replace('_', ""),
        _ => return None,
    };
    Some(Entry { id, label, enabled: !matches!(property("enabled"), Some(Variant::Bool(false))) })
}

struct Watcher {
    icons: Icons,
}

#[zbus::interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    /// Registers an icon. In the specification `item` is a bus name; Ayatana's library sends an object path instead.
    fn register_status_notifier_item(&self, item: String, #[zbus(header)] header: Header<'_>) {
        let owner = header.sender().map(ToString::to_string).unwrap_or_default();
        let icon = if item.starts_with('/') { (owner, item) } else { (item, "/StatusNotifierItem".to_owned()) };
        self.icons.lock().unwrap_or_else(PoisonError::into_inner).push(icon);
    }

    fn register_status_notifier_host(&self, _host: String) {}

    #[zbus(property)]
    fn registered_status_notifier_items(&self) -> Vec<String> {
        let icons = self.icons.lock().unwrap_or_else(PoisonError::into_inner);
        icons.iter().map(|(owner, path)| format!("{owner}{path}")).collect()
    }

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn protocol_version(&self) -> i32 {
        0
    }
}
