//! Storage for the session token: the system's keyring or, if there is none, a file that only this user may read. The
//! settings page shows which is used, and the core notifies the person.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crewbell_core::shell::{TokenPlace, VaultError};

/// The service name under which the keyring shows this app's entries.
const SERVICE: &str = "Crewbell";

/// An entry in a keyring.
trait Entry: std::fmt::Debug + Send + Sync {
    /// Stores a secret, replacing the previous one.
    fn keep(&self, secret: &str) -> keyring::Result<()>;

    /// Returns the stored secret; `NoEntry` if there is none.
    fn get(&self) -> keyring::Result<String>;

    /// Deletes the secret; `NoEntry` if there is none.
    fn forget(&self) -> keyring::Result<()>;
}

/// The system's keyring, opened at every access, because it may come and go while the app runs.
#[derive(Debug)]
struct System {
    /// The user name, which distinguishes entries of apps with different folders.
    user: String,
}

impl System {
    /// Opens the entry. A missing keyring counts as an empty one.
    fn entry(&self) -> keyring::Result<keyring::Entry> {
        keyring::Entry::new(SERVICE, &self.user).map_err(|_| keyring::Error::NoEntry)
    }
}

impl Entry for System {
    fn keep(&self, secret: &str) -> keyring::Result<()> {
        self.entry()?.set_password(secret)
    }

    fn get(&self) -> keyring::Result<String> {
        self.entry()?.get_password()
    }

    fn forget(&self) -> keyring::Result<()> {
        self.entry()?.delete_credential()
    }
}

/// The vault of one data folder.
#[derive(Debug)]
pub(crate) struct Vault {
    file: PathBuf,
    /// The keyring; none if only the file is used.
    keyring: Option<Box<dyn Entry>>,
}

impl Vault {
    /// Creates the vault of a data folder.
    pub(crate) fn new(folder: &Path) -> Self {
        // Automated tests have no keyring, and must not trigger a password prompt.
        let system = System { user: folder.display().to_string() };
        Self::with(folder, (!crate::is_driven()).then(|| Box::new(system) as Box<dyn Entry>))
    }

    fn with(folder: &Path, keyring: Option<Box<dyn Entry>>) -> Self {
        Self { file: folder.join("token"), keyring }
    }

    fn read_file(&self) -> io::Result<Option<String>> {
        match fs::read_to_string(&self.file) {
            Ok(token) => Ok(Some(token)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Replaces the file atomically by writing a new one and renaming it.
    fn write_file(&self, token: &str) -> io::Result<()> {
        let new = self.file.with_extension("new");
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&new)?;
        file.write_all(token.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, &self.file)
    }

    fn remove_file(&self) -> io::Result<()> {
        match fs::remove_file(&self.file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

impl crewbell_core::shell::Vault for Vault {
    fn token(&self) -> Result<Option<String>, VaultError> {
        // The file takes precedence: it exists only if the keyring was unavailable.
        if let Some(token) = self.read_file().map_err(failed)? {
            return Ok(Some(token));
        }
        match self.keyring.as_ref().map(|entry| entry.get()) {
            None | Some(Err(keyring::Error::NoEntry)) => Ok(None),
            Some(Ok(token)) => Ok(Some(token)),
            Some(Err(error)) => Err(failed(error)),
        }
    }

    fn keep(&self, token: &str) -> Result<TokenPlace, VaultError> {
        let kept = self.keyring.as_ref().is_some_and(|entry| {
            // Some keyrings accept a secret and lose it at once, so a secret that can't be read back counts as not
            // stored.
            entry.keep(token).is_ok() && entry.get().is_ok_and(|kept| kept == token)
        });
        if kept {
            self.remove_file().map_err(failed)?;
            return Ok(TokenPlace::Keyring);
        }
        self.write_file(token).map_err(failed)?;
        Ok(TokenPlace::File)
    }

    fn forget(&self) -> Result<(), VaultError> {
        let in_file = self.remove_file().map_err(failed);
        match self.keyring.as_ref().map(|entry| entry.forget()) {
            None | Some(Ok(()) | Err(keyring::Error::NoEntry | keyring::Error::NoStorageAccess(_))) => in_file,
            Some(Err(error)) => Err(failed(error)),
        }
    }
}

fn failed<E: std::fmt::Display>(error: E) -> VaultError {
    VaultError(format!("{error}"))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crewbell_core::shell::Vault as _;

    /// Behaviour of a simulated keyring.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Mood {
        Well,
        /// Accepts a secret and loses it at once.
        Forgetful,
        /// Accepts a secret, and returns the previous one.
        Stuck,
        /// The user doesn't unlock it.
        Locked,
        /// Fails with an error that says nothing about its content.
        Broken,
    }

    #[derive(Debug)]
    struct Ring {
        mood: Mutex<Mood>,
        secret: Mutex<Option<String>>,
    }

    impl Ring {
        fn is_usable(&self) -> keyring::Result<Mood> {
            let mood = *self.mood.lock().unwrap();
            match mood {
                Mood::Locked => Err(keyring::Error::NoStorageAccess("locked".into())),
                Mood::Broken => Err(keyring::Error::PlatformFailure("broken".into())),
                Mood::Well | Mood::Forgetful | Mood::Stuck => Ok(mood),
            }
        }
    }

    impl Entry for Arc<Ring> {
        fn keep(&self, secret: &str) -> keyring::Result<()> {
            let mood = self.is_usable()?;
            let mut kept = self.secret.lock().unwrap();
            match mood {
                Mood::Forgetful => *kept = None,
                Mood::Stuck => {}
                Mood::Well | Mood::Locked | Mood::Broken => *kept = Some(secret.to_owned()),
            }
            Ok(())
        }

        fn get(&self) -> keyring::Result<String> {
            self.is_usable()?;
            self.secret.lock().unwrap().clone().ok_or(keyring::Error::NoEntry)
        }

        fn forget(&self) -> keyring::Result<()> {
            self.is_usable()?;
            self.secret.lock().unwrap().take().map(drop).ok_or(keyring::Error::NoEntry)
        }
    }

    struct Props {
        _folder: tempfile::TempDir,
        ring: Arc<Ring>,
        vault: Vault,
    }

    impl Props {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let ring = Arc::new(Ring { mood: Mutex::new(Mood::Well), secret: Mutex::default() });
            let vault = Vault::with(folder.path(), Some(Box::new(Arc::clone(&ring))));
            Self { _folder: folder, ring, vault }
        }

        fn is(&self, mood: Mood) {
            *self.ring.mood.lock().unwrap() = mood;
        }

        fn in_ring(&self) -> Option<String> {
            self.ring.secret.lock().unwrap().clone()
        }

        fn in_file(&self) -> Option<String> {
            self.vault.read_file().unwrap()
        }
    }

    #[test]
    fn a_token_is_kept_in_the_keyring_and_nowhere_else() {
        let props = Props::new();
        assert_eq!(props.vault.token(), Ok(None));
        assert_eq!(props.vault.keep("a token"), Ok(TokenPlace::Keyring));
        assert_eq!((props.in_ring(), props.in_file()), (Some("a token".into()), None));
        assert_eq!(props.vault.token(), Ok(Some("a token".into())));
    }

    #[test]
    fn what_a_keyring_does_not_give_back_is_kept_in_the_file_and_said_to_be() {
        for mood in [Mood::Forgetful, Mood::Stuck, Mood::Locked, Mood::Broken] {
            let props = Props::new();
            props.vault.keep("the one before").unwrap();
            props.is(mood);
            assert_eq!(props.vault.keep("a token"), Ok(TokenPlace::File), "{mood:?}");
            assert_eq!(props.in_file(), Some("a token".into()), "{mood:?}");
            #[cfg(unix)]
            {
                let about = fs::metadata(&props.vault.file).unwrap();
                let mode = std::os::unix::fs::PermissionsExt::mode(&about.permissions());
                assert_eq!(mode & 0o777, 0o600, "{mood:?}");
            }
            assert_eq!(props.vault.token(), Ok(Some("a token".into())), "{mood:?}: it isn't the one before");
            props.is(Mood::Well);
            assert_eq!(props.vault.token(), Ok(Some("a token".into())), "{mood:?}: nor when the keyring is well again");
        }
    }

    #[test]
    fn the_file_goes_when_the_keyring_is_well_again() {
        let props = Props::new();
        props.is(Mood::Locked);
        props.vault.keep("a token").unwrap();
        props.is(Mood::Well);
        assert_eq!(props.vault.keep("another"), Ok(TokenPlace::Keyring));
        assert_eq!((props.in_ring(), props.in_file()), (Some("another".into()), None));
    }

    #[test]
    fn what_is_forgotten_is_gone_from_both() {
        let props = Props::new();
        props.vault.keep("a token").unwrap();
        props.is(Mood::Locked);
        props.vault.keep("another").unwrap();
        props.is(Mood::Well);
        assert_eq!((props.in_ring(), props.in_file()), (Some("a token".into()), Some("another".into())));
        assert_eq!(props.vault.forget(), Ok(()));
        assert_eq!((props.in_ring(), props.in_file()), (None, None));
        assert_eq!(props.vault.forget(), Ok(()), "nothing is left to forget");
        assert_eq!(props.vault.token(), Ok(None));
    }

    #[test]
    fn a_keyring_that_fails_is_no_sign_out_and_no_forgetting() {
        let props = Props::new();
        props.vault.keep("a token").unwrap();
        for mood in [Mood::Locked, Mood::Broken] {
            props.is(mood);
            assert!(props.vault.token().is_err(), "{mood:?}: whether there is a token isn't known");
        }
        assert!(props.vault.forget().is_err(), "and it may still be there");
    }

    #[test]
    fn without_a_keyring_there_is_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::with(folder.path(), None);
        assert_eq!(vault.keep("a token"), Ok(TokenPlace::File));
        assert_eq!(vault.token(), Ok(Some("a token".into())));
        assert_eq!((vault.forget(), vault.token()), (Ok(()), Ok(None)));
    }
}
