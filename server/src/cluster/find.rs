//! Lookup of the installed PostgreSQL, with installation hints if there is none.

use super::ClusterError;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The oldest major version that the server's SQL is written for.
pub const OLDEST_MAJOR: u32 = 14;

/// The folders where distributions install the binaries; `*` matches any part of one path component.
const USUAL_FOLDERS: [&str; 9] = [
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/lib/postgresql*/bin",
    "/usr/libexec/postgresql*",
    "/usr/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
];

/// An installed PostgreSQL: the folder with all needed programs, and its major version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    /// The folder of `postgres`, `initdb`, `pg_dump` and `pg_restore`.
    pub dir: PathBuf,
    /// The major version, such as 15.
    pub major: u32,
}

impl Binaries {
    /// Returns the path of a program.
    pub fn tool(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

/// The search paths, read from the environment once so that tests can replace them.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// `CREWBELL_PG_BIN`: if set, the only folder that is searched.
    pub only: Option<PathBuf>,
    /// The `PATH`.
    pub path: Option<OsString>,
    /// Further folders, with `*` as a wildcard.
    pub folders: Vec<String>,
}

impl Search {
    /// Creates the search from this process's environment and the usual folders of distributions.
    pub fn from_environment() -> Self {
        Self {
            only: std::env::var_os("CREWBELL_PG_BIN").filter(|v| !v.is_empty()).map(PathBuf::from),
            path: std::env::var_os("PATH"),
            folders: USUAL_FOLDERS.iter().map(ToString::to_string).collect(),
        }
    }

    /// Finds the newest PostgreSQL, or the `pinned` major version that an existing cluster needs.
    ///
    /// Runs each candidate's `postgres --version`, which takes a few milliseconds; call it off the async threads.
    ///
    /// # Errors
    /// Returns [`ClusterError::NotInstalled`], with the command that installs what is missing.
    pub fn find(&self, pinned: Option<u32>) -> Result<Binaries, ClusterError> {
        let mut found: BTreeMap<u32, PathBuf> = BTreeMap::new();
        for dir in self.candidates() {
            if let Some(major) = major_in(&dir) {
                found.entry(major).or_insert(dir);
            }
        }
        choose(&found, pinned).ok_or_else(|| ClusterError::NotInstalled(advice(&found, pinned, self.only.as_deref())))
    }

    fn candidates(&self) -> Vec<PathBuf> {
        if let Some(only) = &self.only {
            return vec![only.clone()];
        }
        let mut dirs: Vec<PathBuf> = self.path.as_ref().map(|p| std::env::split_paths(p).collect()).unwrap_or_default();
        dirs.extend(dirs.iter().find_map(|d| bindir_of(&d.join("pg_config"))).into_iter().collect::<Vec<_>>());
        for pattern in &self.folders {
            dirs.extend(expand(pattern));
        }
        dirs
    }
}

fn choose(found: &BTreeMap<u32, PathBuf>, pinned: Option<u32>) -> Option<Binaries> {
    let (major, dir) = match pinned {
        Some(major) => found.get_key_value(&major)?,
        None => found.range(OLDEST_MAJOR..).next_back()?,
    };
    Some(Binaries { dir: dir.clone(), major: *major })
}

fn advice(found: &BTreeMap<u32, PathBuf>, pinned: Option<u32>, only: Option<&Path>) -> String {
    let here = if found.is_empty() {
        "none was found".to_owned()
    } else {
        let list: Vec<_> = found.iter().map(|(major, dir)| format!("{major} in {}", dir.display())).collect();
        format!("found: {}", list.join(", "))
    };
    let looked = only.map_or_else(String::new, |dir| {
        format!("\n  (CREWBELL_PG_BIN is set, so only {} was looked at)", dir.display())
    });
    let (need, apt, dnf, brew) = match pinned {
        Some(major) => (
            format!("this data folder was made with PostgreSQL {major}, which is needed to open it"),
            format!("postgresql-{major}"),
            format!("postgresql{major}-server"),
            format!("postgresql@{major}"),
        ),
        None => (
            format!("PostgreSQL {OLDEST_MAJOR} or newer is needed"),
            "postgresql".to_owned(),
            "postgresql-server".to_owned(),
            "postgresql@17".to_owned(),
        ),
    };
    format!(
        "{need}; {here}.{looked}\n  Debian, Ubuntu:  sudo apt install {apt}\n  Fedora, RHEL:    sudo dnf install {dnf}\n  \
         macOS:           brew install {brew}\n\
         Or name its folder in CREWBELL_PG_BIN, or a running database in CREWBELL_DATABASE_URL."
    )
}

/// Returns the major version of the PostgreSQL in `dir`, if all needed programs are there.
fn major_in(dir: &Path) -> Option<u32> {
    let complete = ["postgres", "initdb", "pg_dump", "pg_restore"].iter().all(|tool| dir.join(tool).is_file());
    if !complete {
        return None;
    }
    parse_major(&output_of(&dir.join("postgres"), "--version")?)
}

/// Parses `postgres (PostgreSQL) 15.14 (Debian …)` as 15, and `17beta1` as 17.
fn parse_major(version: &str) -> Option<u32> {
    let number = version.split_once("(PostgreSQL) ")?.1;
    let digits = number.find(|c: char| !c.is_ascii_digit()).map_or(number, |end| &number[..end]);
    digits.parse().ok()
}

fn bindir_of(pg_config: &Path) -> Option<PathBuf> {
    pg_config.is_file().then(|| output_of(pg_config, "--bindir")).flatten().map(|dir| PathBuf::from(dir.trim()))
}

fn output_of(program: &Path, argument: &str) -> Option<String> {
    let out = Command::new(program).arg(argument).stdin(Stdio::null()).output().ok()?;
    out.status.success().then(|| String::from_utf8(out.stdout).ok()).flatten()
}

/// Expands `*` in a path, one component at a time; unreadable folders count as empty.
fn expand(pattern: &str) -> Vec<PathBuf> {
    let mut paths = vec![PathBuf::from("/")];
    for component in pattern.split('/').filter(|c| !c.is_empty()) {
        paths = match component.split_once('*') {
            None => paths.into_iter().map(|p| p.join(component)).collect(),
            Some((before, after)) => paths.iter().flat_map(|p| matching(p, before, after)).collect(),
        };
    }
    paths.retain(|p| p.is_dir());
    paths
}

fn matching(dir: &Path, before: &str, after: &str) -> Vec<PathBuf> {
    let mut names: Vec<PathBuf> = std::fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| {
            entry.file_name().to_str().is_some_and(|name| {
                name.len() >= before.len() + after.len() && name.starts_with(before) && name.ends_with(after)
            })
        })
        .map(|entry| entry.path())
        .collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// Installs fake programs that only answer `--version`.
    fn install(root: &Path, name: &str, version: &str) {
        let dir = root.join(name).join("bin");
        std::fs::create_dir_all(&dir).unwrap();
        for tool in ["postgres", "initdb", "pg_dump", "pg_restore"] {
            let path = dir.join(tool);
            std::fs::write(&path, format!("#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    fn search(root: &Path) -> Search {
        Search { folders: vec![format!("{}/*/bin", root.display())], ..Search::default() }
    }

    #[test]
    fn the_newest_is_chosen_by_number_and_not_by_name() {
        let root = tempfile::tempdir().unwrap();
        install(root.path(), "9", "9.6.24");
        install(root.path(), "15", "15.14 (Debian 15.14-0+deb12u1)");
        install(root.path(), "17", "17beta1");
        assert_eq!(search(root.path()).find(None).unwrap().major, 17);
    }

    #[test]
    fn an_existing_cluster_pins_its_major_version() {
        let root = tempfile::tempdir().unwrap();
        install(root.path(), "15", "15.14");
        install(root.path(), "17", "17.2");
        assert_eq!(search(root.path()).find(Some(15)).unwrap().major, 15);
    }

    #[test]
    fn a_missing_major_version_is_named_with_the_package_that_has_it() {
        let root = tempfile::tempdir().unwrap();
        install(root.path(), "17", "17.2");
        let message = search(root.path()).find(Some(15)).unwrap_err().to_string();
        for part in [
            "made with PostgreSQL 15",
            "found: 17 in",
            "apt install postgresql-15",
            "dnf install postgresql15-server",
            "brew install postgresql@15",
        ] {
            assert!(message.contains(part), "{part} is missing from: {message}");
        }
    }

    #[test]
    fn too_old_is_not_found() {
        let root = tempfile::tempdir().unwrap();
        install(root.path(), "13", "13.11");
        let message = search(root.path()).find(None).unwrap_err().to_string();
        assert!(message.contains("14 or newer") && message.contains("found: 13"), "{message}");
    }

    #[test]
    fn a_named_folder_is_the_only_one_looked_at() {
        let root = tempfile::tempdir().unwrap();
        install(root.path(), "17", "17.2");
        let named = Search { only: Some(root.path().join("nowhere")), ..search(root.path()) };
        let message = named.find(None).unwrap_err().to_string();
        assert!(message.contains("CREWBELL_PG_BIN is set") && message.contains("nowhere"), "{message}");
    }
}
