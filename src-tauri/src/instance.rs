//! Which data folder this app is for. There is one running app for each folder.
//!
//! Without an argument it is the folder that the system gives to apps. `--data-dir DIR` starts an app
//! beside it with a store, a sign-in and a web view of its own: the demo and the tests run two crew
//! members on one machine. What keeps a second app away (a name on D-Bus, a mutex, a socket) is named
//! after the app's identifier, so an app with a folder of its own gets an identifier of its own.
//!
//! That name is one on the session's bus, which keeps no app away that runs in another session of the same user, or without
//! a bus: a locked file in the folder does. Two apps on one folder would each send what the other keeps.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
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

/// The file in a data folder that the app holds locked, from before it opens a window. (The core's store locks what it
/// writes by itself, as the last resort.)
const LOCK: &str = "app.lock";

/// How long an app that ends may take: its window is closed before it lets go of its name and its folder.
const ENDING: Duration = Duration::from_secs(5);
/// How often it is looked whether it has.
const LOOK: Duration = Duration::from_millis(100);

/// A data folder that is this app's alone, until this is dropped or the app ends, however it ends.
#[derive(Debug)]
pub(crate) struct Hold(#[expect(dead_code, reason = "it is held by being open")] Option<File>);

impl Hold {
    /// Takes a folder that is there, as soon as an app that ends lets go of it; none: another app has it in hand. Where a
    /// file can't be locked (phones, which run an app once, and some network drives) nobody is kept away.
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

/// Ends a second start with the same folder, and shows the window of the first. One that ends just now leaves its name on
/// the bus for a moment, and answers nobody any more: it is asked again until it answers or the name is free. Where that
/// doesn't come about, the folder's lock decides alone.
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
