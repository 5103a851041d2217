//! A desktop's tray (`StatusNotifierItem`, as KDE and Ayatana have it), without a desktop: an app's icon is remembered,
//! and its menu is read and pressed over the bus, as a person's panel does it (`com.canonical.dbusmenu`).

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

/// Where the specification has it.
const PATH: &str = "/StatusNotifierWatcher";

/// An entry of an icon's menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub id: i32,
    /// What stands on it.
    pub label: String,
    /// It can be pressed.
    pub enabled: bool,
}

/// The tray at a desk; gone on drop.
#[derive(Debug)]
pub struct Tray {
    runtime: Runtime,
    connection: Connection,
    icons: Icons,
}

/// The icons, oldest first: on whose connection, at which path.
type Icons = Arc<Mutex<Vec<(String, String)>>>;

/// A menu as it crosses the bus: number, properties, entries.
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

    /// What the menu of the first icon says now.
    ///
    /// # Errors
    /// When no icon comes, or it has no menu.
    pub fn menu(&self) -> Result<Vec<Entry>> {
        let (owner, path) = self.menu_of_first()?;
        let (_, layout): (u32, Layout) = self.runtime.block_on(async {
            let menu = zbus::Proxy::new(&self.connection, owner, path, "com.canonical.dbusmenu").await?;
            menu.call("GetLayout", &(0_i32, -1_i32, Vec::<&str>::new())).await
        })?;
        Ok(layout.2.into_iter().filter_map(entry).collect())
    }

    /// Presses an entry.
    ///
    /// # Errors
    /// As [`Tray::menu`].
    pub fn press(&self, entry: &Entry) -> Result<()> {
        let (owner, path) = self.menu_of_first()?;
        self.runtime.block_on(async {
            let menu = zbus::Proxy::new(&self.connection, owner, path, "com.canonical.dbusmenu").await?;
            menu.call::<_, _, ()>("Event", &(entry.id, "clicked", Variant::from(0_i32), 0_u32)).await
        })?;
        Ok(())
    }

    /// What stands beside the first icon; nothing where nothing does.
    ///
    /// # Errors
    /// When no icon comes, or it can't have words beside it.
    pub fn label(&self) -> Result<String> {
        let (owner, item) = self.first()?;
        let label = self.runtime.block_on(async {
            let icon = zbus::Proxy::new(&self.connection, owner, item, "org.kde.StatusNotifierItem").await?;
            // Ayatana's own, beside what the specification has.
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

/// An entry with words on it; a line between two has none.
fn entry(of: OwnedVariant) -> Option<Entry> {
    let (id, properties, _): Layout = of.try_into().ok()?;
    let property = |name: &str| properties.get(name).map(|value| &**value);
    let label = match property("label") {
        // An underscore is before the letter that presses it.
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
    /// By the specification `item` is a name on the bus; Ayatana's library says a path instead.
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
