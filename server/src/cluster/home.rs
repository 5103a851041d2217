//! The location of the cluster's folder, and the user that PostgreSQL runs as.
//!
//! PostgreSQL refuses to run as root. Started as root, the server therefore runs it as the owner of the existing
//! cluster, else as `postgres`, else as `nobody`; that user must be able to enter every folder on the path to the
//! cluster. A data folder that is private to root gets execute permission for that user's group. If a folder further up
//! is closed, such as root's home, the cluster is put below `/var/lib/crewbell/clusters`, and `pg` in the data folder
//! is a symbolic link to it.

use super::error::{At, ClusterError};
use nix::unistd::{Gid, Uid, User, geteuid};
use sha2::{Digest, Sha256};
use std::fs::{DirBuilder, Permissions};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

/// The longest folder path whose socket `.s.PGSQL.5432` fits into a socket address: 103 bytes on macOS, 107 on Linux.
const LONGEST_SOCKET_FOLDER: usize = 103 - "/.s.PGSQL.5432".len();

/// The unprivileged user that PostgreSQL runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunAs {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// The folder that holds the cluster `pg`, and the user that PostgreSQL runs as.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    /// The absolute path, without symbolic links.
    pub(crate) folder: PathBuf,
    /// The user to switch to; `None` keeps the current one.
    pub(crate) run_as: Option<RunAs>,
}

impl Home {
    /// Decides the location of the cluster of a locked data folder.
    ///
    /// `elsewhere` is used only when root's data folder can't be reached by the cluster's user.
    pub(crate) fn settle(data_dir: &Path, elsewhere: &Path) -> Result<Self, ClusterError> {
        if geteuid().is_root() { Self::settle_as_root(data_dir, elsewhere) } else { Self::settle_as_oneself(data_dir) }
    }

    /// Finds the folder of a cluster that another process runs, without changing anything.
    pub(crate) fn existing(data_dir: &Path) -> Result<Self, ClusterError> {
        let pg = data_dir.join("pg").canonicalize().at("cannot find", &data_dir.join("pg"))?;
        let folder = pg.parent().unwrap_or(&pg).to_owned();
        Ok(Self { folder, run_as: None })
    }

    pub(crate) fn pg(&self) -> PathBuf {
        self.folder.join("pg")
    }

    /// Creates an empty 0700 folder, or accepts an existing one of the same owner.
    pub(crate) fn own_folder(&self, path: &Path) -> Result<(), ClusterError> {
        let owner = self.run_as.as_ref().map_or(geteuid().as_raw(), |user| user.uid);
        match DirBuilder::new().mode(0o700).create(path) {
            Ok(()) => self.give(path)?,
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {
                let found = path.symlink_metadata().at("cannot read", path)?;
                if !found.is_dir() || found.uid() != owner {
                    return Err(ClusterError::UnsafeSocketFolder(path.to_owned()));
                }
            }
            Err(source) => {
                return Err(ClusterError::Io { what: "cannot create", path: path.to_owned(), source });
            }
        }
        std::fs::set_permissions(path, Permissions::from_mode(0o700)).at("cannot set the mode of", path)
    }

    /// Changes the owner of `path` to the cluster's user.
    pub(crate) fn give(&self, path: &Path) -> Result<(), ClusterError> {
        match &self.run_as {
            Some(user) => chown(path, Some(user.uid), Some(user.gid)).at("cannot change the owner of", path),
            None => Ok(()),
        }
    }

    /// Returns the socket's folder: `run` beside the cluster, or one in the temporary folder if that path is too long.
    pub(crate) fn socket_folder(&self) -> Result<PathBuf, ClusterError> {
        let beside = self.folder.join("run");
        let folder = if beside.as_os_str().len() <= LONGEST_SOCKET_FOLDER {
            beside
        } else {
            self.temporary_folder().join(format!("crewbell-{}", fingerprint(&self.folder)))
        };
        self.own_folder(&folder)?;
        Ok(folder)
    }

    fn temporary_folder(&self) -> PathBuf {
        let named = std::env::temp_dir();
        let reachable = self.run_as.as_ref().is_none_or(|user| blocked_by(&named, user).is_none());
        if reachable { named } else { PathBuf::from("/tmp") }
    }

    fn settle_as_oneself(data_dir: &Path) -> Result<Self, ClusterError> {
        let pg = data_dir.join("pg");
        let folder = match pg.canonicalize() {
            Ok(real) => {
                let owner = real.metadata().at("cannot read", &real)?.uid();
                if owner != geteuid().as_raw() {
                    return Err(ClusterError::ForeignOwner { cluster: pg, owner: name_of(owner) });
                }
                real.parent().unwrap_or(&real).to_owned()
            }
            Err(_) => data_dir.to_owned(),
        };
        Ok(Self { folder, run_as: None })
    }

    fn settle_as_root(data_dir: &Path, elsewhere: &Path) -> Result<Self, ClusterError> {
        let pg = data_dir.join("pg");
        let folder = match std::fs::read_link(&pg) {
            Ok(target) => target.parent().unwrap_or(&target).to_owned(),
            Err(_) => data_dir.to_owned(),
        };
        if !folder.is_dir() {
            return Err(ClusterError::NotACluster { path: pg, why: "it is a link to a folder that is gone" });
        }
        let user = user_for(&folder.join("pg"))?;
        if folder == data_dir && blocked_by(data_dir, &user).is_some() {
            open_to_group(data_dir, &user)?;
        }
        let Some(blocked_by) = blocked_by(&folder, &user) else {
            return Ok(Self { folder, run_as: Some(user) });
        };
        if pg.exists() {
            return Err(ClusterError::Unreachable { cluster: folder.join("pg"), user: user.name, blocked_by });
        }
        let folder = make_elsewhere(data_dir, elsewhere, &user)?;
        symlink(folder.join("pg"), &pg).at("cannot link", &pg)?;
        tracing::warn!(
            "the user {} may not pass through {}, so the database lives in {} (linked from {})",
            user.name,
            blocked_by.display(),
            folder.display(),
            pg.display()
        );
        Ok(Self { folder, run_as: Some(user) })
    }
}

/// Creates the last folder of a path with mode 0700, and returns the path without symbolic links.
pub(crate) fn create_private(data_dir: &Path) -> Result<PathBuf, ClusterError> {
    if let Some(parent) = data_dir.parent().filter(|p| !p.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent).at("cannot create", parent)?;
    }
    match DirBuilder::new().mode(0o700).create(data_dir) {
        Err(e) if e.kind() != ErrorKind::AlreadyExists => Err(e).at("cannot create", data_dir)?,
        _ => {}
    }
    data_dir.canonicalize().at("cannot find", data_dir)
}

/// Creates a new folder for the cluster of `data_dir`. An existing one of the same name belongs to a data folder that
/// was deleted or moved, and is never reused.
fn make_elsewhere(data_dir: &Path, elsewhere: &Path, user: &RunAs) -> Result<PathBuf, ClusterError> {
    std::fs::create_dir_all(elsewhere).at("cannot create", elsewhere)?;
    let base = elsewhere.canonicalize().at("cannot find", elsewhere)?;
    if let Some(blocked_by) = blocked_by(&base, user) {
        return Err(ClusterError::Unreachable { cluster: data_dir.join("pg"), user: user.name.clone(), blocked_by });
    }
    let name = fingerprint(data_dir);
    let mut number = 1;
    loop {
        let folder = base.join(format!("{name}-{number}"));
        match DirBuilder::new().mode(0o711).create(&folder) {
            Ok(()) => return Ok(folder),
            Err(e) if e.kind() == ErrorKind::AlreadyExists => number += 1,
            Err(source) => {
                return Err(ClusterError::Io { what: "cannot create", path: folder, source });
            }
        }
    }
}

fn user_for(pg: &Path) -> Result<RunAs, ClusterError> {
    let known = |user: User| RunAs { name: user.name, uid: user.uid.as_raw(), gid: user.gid.as_raw() };
    if let Some(owner) = pg.metadata().ok().filter(|m| m.uid() != 0) {
        let user = User::from_uid(Uid::from_raw(owner.uid())).ok().flatten().map(known);
        return Ok(user.unwrap_or(RunAs { name: owner.uid().to_string(), uid: owner.uid(), gid: owner.gid() }));
    }
    ["postgres", "nobody"]
        .into_iter()
        .find_map(|name| User::from_name(name).ok().flatten().map(known))
        .ok_or(ClusterError::NoUser)
}

/// Gives the user's group execute permission on a private folder; a folder with group or other permissions stays
/// unchanged.
fn open_to_group(folder: &Path, user: &RunAs) -> Result<(), ClusterError> {
    let mode = folder.metadata().at("cannot read", folder)?.mode();
    if mode & 0o077 != 0 {
        return Ok(());
    }
    chown(folder, None, Some(Gid::from_raw(user.gid).as_raw())).at("cannot change the group of", folder)?;
    std::fs::set_permissions(folder, Permissions::from_mode((mode & 0o7700) | 0o010))
        .at("cannot set the mode of", folder)
}

/// Returns the first folder, from the root down, that `user` may not enter; supplementary groups don't count.
fn blocked_by(folder: &Path, user: &RunAs) -> Option<PathBuf> {
    let mut way: Vec<&Path> = folder.ancestors().collect();
    way.reverse();
    way.into_iter()
        .find(|step| !step.metadata().is_ok_and(|m| may_enter(m.mode(), m.uid(), m.gid(), user)))
        .map(Path::to_owned)
}

fn may_enter(mode: u32, uid: u32, gid: u32, user: &RunAs) -> bool {
    let bit = if uid == user.uid {
        0o100
    } else if gid == user.gid {
        0o010
    } else {
        0o001
    };
    mode & bit != 0
}

fn fingerprint(path: &Path) -> String {
    let digest = Sha256::digest(path.as_os_str().as_bytes());
    digest.iter().take(8).fold(String::new(), |mut text, byte| {
        use std::fmt::Write;
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn name_of(uid: u32) -> String {
    User::from_uid(Uid::from_raw(uid)).ok().flatten().map_or_else(|| uid.to_string(), |user| user.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user() -> RunAs {
        RunAs { name: "pg".into(), uid: 7, gid: 8 }
    }

    #[test]
    fn the_most_particular_right_decides() {
        for (mode, uid, gid, may) in [
            (0o700, 0, 0, false),
            (0o701, 0, 0, true),
            (0o710, 0, 8, true),
            (0o701, 0, 8, false),
            (0o700, 7, 0, true),
            (0o077, 7, 8, false),
        ] {
            assert_eq!(may_enter(mode, uid, gid, &user()), may, "{mode:o} {uid} {gid}");
        }
    }

    #[test]
    fn a_long_path_gets_its_socket_in_the_temporary_folder() {
        let root = tempfile::tempdir().unwrap();
        let deep = root.path().join("d".repeat(90));
        std::fs::create_dir(&deep).unwrap();
        let folder = Home { folder: deep, run_as: None }.socket_folder().unwrap();
        assert!(folder.as_os_str().len() <= LONGEST_SOCKET_FOLDER);
        assert_eq!(folder.metadata().unwrap().mode() & 0o777, 0o700);
        std::fs::remove_dir(folder).unwrap();
    }

    #[test]
    fn a_socket_folder_that_is_a_link_is_refused() {
        let root = tempfile::tempdir().unwrap();
        symlink("/tmp", root.path().join("run")).unwrap();
        let home = Home { folder: root.path().to_owned(), run_as: None };
        assert!(matches!(home.socket_folder(), Err(ClusterError::UnsafeSocketFolder(_))));
    }
}
