//! The data folder of an app. Each folder has at most one running app.
//!
//! The default is the system's data folder for apps. `--data-dir DIR` starts a separate app with its own store, session
//! and web view: the demo and the tests run two crew members on one machine. The single-instance guard (a D-Bus name, a
//! mutex, a socket) is named after the app's identifier, so an app with its own folder gets its own identifier.
//!
//! The D-Bus name covers one session bus only, and doesn't exclude an app in another session of the same user, or
//! without a bus; a locked file in the folder does. Two apps on one folder would both send the same outbox.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use tauri::{AppHandle, Config, Manager};

/// An app with its data folder.
#[derive(Debug)]
pub(crate) struct Instance {
    /// `None` for the system's data folder for apps; otherwise an existing folder, as a canonical path.
    folder: Option<PathBuf>,
}

impl Instance {
    /// Returns the app of a folder; without one that of the system's data folder.
    ///
    /// # Errors
    /// Returns an error if the folder can't be created.
    pub(crate) fn of(folder: Option<&Path>) -> io::Result<Self> {
        folder.map_or(Ok(Self { folder: None }), Self::at)
    }

    /// Returns the app that stores everything in `folder`, which is created if necessary.
    fn at(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self { folder: Some(folder.canonicalize()?) })
    }

    /// Gives an app with its own folder its own identifier.
    pub(crate) fn distinguish(&self, config: &mut Config) {
        if let Some(folder) = &self.folder {
            config.identifier = identifier(&config.identifier, folder);
        }
    }

    /// Returns the data folder of this app; the system's one may not exist yet.
    ///
    /// # Errors
    /// Returns an error if the system has no data folder for apps.
    pub(crate) fn data_folder(&self, app: &AppHandle) -> tauri::Result<PathBuf> {
        match &self.folder {
            Some(folder) => Ok(folder.clone()),
            None => app.path().app_local_data_dir(),
        }
    }
}

/// The lock file in a data folder, held from before a window is opened. (The core's store also locks its own folder, as
/// a last resort.)
const LOCK: &str = "app.lock";

/// Time that an ending app may take: its window closes before it releases its name and its folder.
const ENDING: Duration = Duration::from_secs(5);
/// Polling interval for the end of another app.
const LOOK: Duration = Duration::from_millis(100);

/// Exclusive use of a data folder, until this is dropped or the process ends in any way.
#[derive(Debug)]
pub(crate) struct Hold(#[expect(dead_code, reason = "it is held by being open")] Option<File>);

impl Hold {
    /// Locks an existing folder as soon as an ending app releases it; none if another app uses it. If file locks are
    /// unsupported (phones, which run an app once, and some network drives), there is no exclusion.
    pub(crate) fn take(folder: &Path) -> Option<Self> {
        Self::take_within(ENDING, folder)
    }

    fn take_within(patience: Duration, folder: &Path) -> Option<Self> {
        let began = Instant::now();
        loop {
            let hold = Self::take_now(folder);
            if hold.is_some() || began.elapsed() > patience {
                return hold;
            }
            thread::sleep(LOOK);
        }
    }

    fn take_now(folder: &Path) -> Option<Self> {
        let locked = File::options().create(true).truncate(false).write(true).open(folder.join(LOCK)).and_then(
            |file| match file.try_lock() {
                Ok(()) => Ok(Some(file)),
                Err(TryLockError::WouldBlock) => Ok(None),
                Err(TryLockError::Error(error)) => Err(error),
            },
        );
        match locked {
            Ok(None) => None,
            Ok(file) => Some(Self(file)),
            Err(error) => {
                eprintln!("The data folder can't be locked: {error}");
                Some(Self(None))
            }
        }
    }
}

/// Returns the app's identifier with a hash of the folder.
fn identifier(app: &str, folder: &Path) -> String {
    // FNV-1a needs no security here; unlike the standard library's hash it is the same in every build.
    let hash = folder
        .as_os_str()
        .as_encoded_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    // A part of a D-Bus name must not start with a digit.
    format!("{app}.at-{hash:016x}")
}

/// Ends a second process with the same folder, and shows the window of the first. An ending app leaves its name on the
/// bus for a moment without answering, so the request is repeated until it answers or the name is free. After a timeout
/// only the folder's lock decides.
#[cfg(desktop)]
pub(crate) fn end_unless_first(app: &AppHandle) {
    let began = Instant::now();
    while let Err(error) =
        app.plugin(tauri_plugin_single_instance::init(|app, _args, _folder| crate::desktop::show_window(app)))
    {
        if began.elapsed() > ENDING {
            return eprintln!("Whether another Crewbell is running can't be asked: {error}");
        }
        thread::sleep(LOOK);
    }
}

#[cfg(test)]
mod tests {
    use std::{path::Path, thread};

    use super::{Hold, Instance, LOOK, identifier};

    #[test]
    fn a_folder_is_one_app_s_until_that_app_is_gone() {
        let (siri, sam) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let first = Hold::take(siri.path()).unwrap();
        assert!(Hold::take_within(LOOK, siri.path()).is_none(), "it is in hand");
        assert!(Hold::take(sam.path()).is_some(), "another isn't");
        drop(first);
        assert!(Hold::take_now(siri.path()).is_some(), "what an app leaves behind keeps nobody away");
    }

    #[test]
    fn a_folder_that_an_ending_app_still_holds_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let ending = Hold::take(folder.path()).unwrap();
        let ends = thread::spawn(move || {
            thread::sleep(3 * LOOK);
            drop(ending);
        });
        assert!(Hold::take(folder.path()).is_some());
        ends.join().unwrap();
    }

    #[test]
    fn a_folder_that_takes_no_lock_file_is_used_without() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(super::LOCK)).unwrap();
        assert!(Hold::take(folder.path()).is_some());
    }

    #[test]
    fn every_folder_has_one_identifier_however_it_is_written() {
        let ship = tempfile::tempdir().unwrap();
        let identify = |folder: &str| {
            let instance = Instance::at(&ship.path().join(folder)).unwrap();
            identifier("org.crewbell.crew", instance.folder.as_deref().unwrap())
        };
        // Before the folder exists, and afterwards.
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
