//! Where the token is kept: in the system's keyring, or, where there is none, in a file that only this user may read.
//! Which of the two it is stands on the settings page, and the core tells the person.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crewbell_core::shell::{TokenPlace, VaultError};

/// The name that the keyring shows for what this app keeps in it.
const SERVICE: &str = "Crewbell";

/// The vault of one data folder.
#[derive(Debug)]
pub(crate) struct Vault {
    file: PathBuf,
    /// How the entry is told from that of an app with another folder.
    user: String,
}

impl Vault {
    /// The vault of a data folder.
    pub(crate) fn new(folder: &Path) -> Self {
        Self { file: folder.join("token"), user: folder.display().to_string() }
    }

    fn entry(&self) -> Option<keyring::Entry> {
        // Programs that drive the app have no keyring, and none of theirs must be asked for a password.
        if std::env::var_os("TAURI_AUTOMATION").is_some() {
            return None;
        }
        keyring::Entry::new(SERVICE, &self.user).ok()
    }

    fn read_file(&self) -> io::Result<Option<String>> {
        match fs::read_to_string(&self.file) {
            Ok(token) => Ok(Some(token)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes the file beside the old one and puts it in its place: it is whole, or as it was.
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
        // The file comes first: it is there only when the keyring couldn't be had.
        if let Some(token) = self.read_file().map_err(failed)? {
            return Ok(Some(token));
        }
        match self.entry().map(|entry| entry.get_password()) {
            None | Some(Err(keyring::Error::NoEntry)) => Ok(None),
            Some(Ok(token)) => Ok(Some(token)),
            Some(Err(error)) => Err(failed(error)),
        }
    }

    fn keep(&self, token: &str) -> Result<TokenPlace, VaultError> {
        let kept = self.entry().is_some_and(|entry| {
            // Some keyrings take a secret and have forgotten it at once: what can't be read back isn't kept.
            entry.set_password(token).is_ok() && entry.get_password().is_ok_and(|kept| kept == token)
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
        match self.entry().map(|entry| entry.delete_credential()) {
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
    use super::*;
    use crewbell_core::shell::Vault as _;

    #[cfg(unix)]
    #[test]
    fn the_file_is_for_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::new(folder.path());
        vault.write_file("a token").unwrap();
        let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&vault.file).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(vault.token(), Ok(Some("a token".to_owned())));
    }

    #[test]
    fn what_is_forgotten_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::new(folder.path());
        vault.write_file("a token").unwrap();
        vault.remove_file().unwrap();
        vault.remove_file().unwrap();
        assert_eq!(vault.read_file().unwrap(), None);
    }
}
