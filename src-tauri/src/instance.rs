//! Which data folder this app is for. There is one running app for each folder.
//!
//! Without an argument it is the folder that the system gives to apps. `--data-dir DIR` starts an app
//! beside it with a store, a sign-in and a web view of its own: the demo and the tests run two crew
//! members on one machine. What keeps a second app away (a name on D-Bus, a mutex, a socket) is named
//! after the app's identifier, so an app with a folder of its own gets an identifier of its own.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use tauri::{AppHandle, Config, Manager};

/// One app with its data folder.
#[derive(Debug)]
pub(crate) struct Instance {
    /// `None`: the folder that the system gives to apps. Otherwise it is there, and is written in the one way that
    /// every folder can be written in.
    folder: Option<PathBuf>,
}

impl Instance {
    /// The app of a folder; without one that of the system's folder for apps.
    ///
    /// # Errors
    /// When the folder can't be made.
    pub(crate) fn of(folder: Option<&Path>) -> io::Result<Self> {
        folder.map_or(Ok(Self { folder: None }), Self::at)
    }

    /// The app that keeps everything in `folder`, which is made when it isn't there.
    fn at(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self { folder: Some(folder.canonicalize()?) })
    }

    /// Gives an app with a folder of its own an identifier of its own.
    pub(crate) fn distinguish(&self, config: &mut Config) {
        if let Some(folder) = &self.folder {
            config.identifier = identifier(&config.identifier, folder);
        }
    }

    /// The folder in which this app keeps all that it keeps; the system's need not be there yet.
    ///
    /// # Errors
    /// When the system names no folder for apps.
    pub(crate) fn data_folder(&self, app: &AppHandle) -> tauri::Result<PathBuf> {
        match &self.folder {
            Some(folder) => Ok(folder.clone()),
            None => app.path().app_local_data_dir(),
        }
    }
}

/// The app's identifier with the folder in it.
fn identifier(app: &str, folder: &Path) -> String {
    // FNV-1a: names a folder, guards nothing; and, unlike the standard library's, is the same in every build.
    let hash = folder
        .as_os_str()
        .as_encoded_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    // A name on D-Bus has no part that starts with a digit.
    format!("{app}.at-{hash:016x}")
}

/// The plugin that ends a second start with the same folder, and shows the window of the first.
#[cfg(desktop)]
pub(crate) fn show_the_first() -> tauri::plugin::TauriPlugin<tauri::Wry> {
    tauri_plugin_single_instance::init(|app, _args, _folder| crate::desktop::show_window(app))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Instance, identifier};

    #[test]
    fn every_folder_has_one_identifier_however_it_is_written() {
        let ship = tempfile::tempdir().unwrap();
        let identify = |folder: &str| {
            let instance = Instance::at(&ship.path().join(folder)).unwrap();
            identifier("org.crewbell.crew", instance.folder.as_deref().unwrap())
        };
        // Before it is there, and when it is.
        let siri = identify("siri");
        assert_eq!(identify("siri"), siri);
        assert_eq!(identify("siri/"), siri);
        assert_eq!(identify("siri/../siri/."), siri);
        assert_ne!(identify("sam"), siri);
    }

    #[test]
    fn an_identifier_is_a_name_that_dbus_takes() {
        let name = identifier("org.crewbell.crew", Path::new("/var/no-such/siri"));
        for part in name.split('.') {
            assert!(part.starts_with(|first: char| first.is_ascii_alphabetic()), "{name}");
            assert!(part.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-'), "{name}");
        }
    }
}
