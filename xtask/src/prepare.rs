//! `prepare`: writes the query data by which `sqlx::query!` is checked without a database.
//!
//! When compiled against a database with `SQLX_OFFLINE_DIR` set, the macros write a file for each query. So this starts
//! a temporary cluster, applies the migrations, and runs `cargo check`. The files are written to another folder and
//! then compared with the committed ones, so that files of removed queries go too, and a failed build changes nothing.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

use anyhow::{Context, Result, bail};

use crate::{
    postgres::Cluster,
    run::{self, cargo},
    setup::{self, Purpose},
};

const MIGRATIONS: &str = "server/migrations";
const COMMITTED: &str = ".sqlx";
/// The folder that the macros write to.
const WRITTEN: &str = "target/sqlx-prepare";
/// The file whose modification time decides whether cargo recompiles the server, and with it the queries.
const LIB: &str = "server/src/lib.rs";

/// Updates `.sqlx/`, or with `check` only verifies that it is up to date.
///
/// # Errors
/// Returns an error if a query does not fit the schema, or with `check` if `.sqlx/` is out of date.
pub(crate) fn prepare(check: bool) -> Result<()> {
    setup::setup(Purpose::Demo)?;
    let folder = run::root().join(WRITTEN);
    drop(fs::remove_dir_all(&folder));
    let schema = Schema::start()?;
    let touched = Touched::touch(Path::new(LIB))?;
    let mut cargo = cargo();
    schema.check_queries_of(cargo.args(["check", "--locked", "--package", "crewbell-server", "--all-targets"]));
    let checked = run::run(&mut cargo);
    drop(touched);
    checked.context("the server does not compile against its own schema")?;

    let changes = Changes::of_last_build()?;
    if changes.none() {
        println!("{COMMITTED}/ is up to date");
        return Ok(());
    }
    if check {
        bail!(
            "{COMMITTED}/ is out of date: {} to write, {} to remove; run `cargo xtask prepare` and commit it \
             (made with another major version of PostgreSQL, a file can differ without being wrong)",
            changes.to_write.len(),
            changes.to_remove.len()
        );
    }
    fs::create_dir_all(COMMITTED)?;
    for name in &changes.to_remove {
        fs::remove_file(Path::new(COMMITTED).join(name))?;
    }
    for (name, text) in &changes.to_write {
        fs::write(Path::new(COMMITTED).join(name), text)?;
    }
    println!("{COMMITTED}/: {} written, {} removed", changes.to_write.len(), changes.to_remove.len());
    Ok(())
}

/// A temporary database with the present schema.
pub(crate) struct Schema {
    cluster: Cluster,
}

impl Schema {
    /// # Errors
    /// Returns an error if PostgreSQL does not start, or refuses a migration.
    pub(crate) fn start() -> Result<Self> {
        let cluster = Cluster::start()?;
        for migration in migrations()? {
            cluster.apply(&migration)?;
        }
        fs::create_dir_all(run::root().join(WRITTEN))?;
        Ok(Self { cluster })
    }

    /// Makes a `cargo` command check the compiled queries against the schema and write their query data.
    pub(crate) fn check_queries_of(&self, cargo: &mut Command) {
        cargo
            .env("SQLX_OFFLINE", "false")
            .env("SQLX_OFFLINE_DIR", run::root().join(WRITTEN))
            .env("DATABASE_URL", self.cluster.url());
    }
}

/// The difference between the query data of the last compilation and the committed one.
///
/// Data of a removed query stays until `prepare` starts from an empty folder.
pub(crate) struct Changes {
    to_write: Vec<(String, String)>,
    to_remove: Vec<String>,
}

impl Changes {
    /// # Errors
    /// Returns an error if a file can't be read.
    pub(crate) fn of_last_build() -> Result<Self> {
        let written = query_files(&run::root().join(WRITTEN))?;
        let committed = query_files(&run::root().join(COMMITTED))?;
        let to_remove = committed.keys().filter(|name| !written.contains_key(*name)).cloned().collect();
        let to_write = written.into_iter().filter(|(name, text)| committed.get(name) != Some(text)).collect();
        Ok(Self { to_write, to_remove })
    }

    pub(crate) fn none(&self) -> bool {
        self.to_write.is_empty() && self.to_remove.is_empty()
    }
}

/// The migrations, sorted by name, which is the order in which the server applies them.
fn migrations() -> Result<Vec<PathBuf>> {
    let Ok(folder) = fs::read_dir(MIGRATIONS) else {
        return Ok(Vec::new());
    };
    let mut files = folder.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    files.retain(|file| {
        file.extension().is_some_and(|ending| ending == "sql") && !file.to_string_lossy().ends_with(".down.sql")
    });
    files.sort();
    Ok(files)
}

/// The query files of a folder by name; empty if the folder is missing.
fn query_files(folder: &Path) -> Result<BTreeMap<String, String>> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(BTreeMap::new());
    };
    let mut files = BTreeMap::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with("query-") && path.extension().is_some_and(|ending| ending == "json") {
            files.insert(name, fs::read_to_string(&path)?);
        }
    }
    Ok(files)
}

/// A file with an updated modification time. On drop it gets its old time back, so that earlier builds and lints stay
/// valid.
struct Touched {
    file: fs::File,
    before: SystemTime,
}

impl Touched {
    fn touch(path: &Path) -> Result<Self> {
        let file = fs::File::options().append(true).open(path).with_context(|| format!("{}", path.display()))?;
        let before = file.metadata()?.modified()?;
        #[expect(clippy::disallowed_methods, reason = "a file's time is the machine's time")]
        let now = SystemTime::now();
        file.set_modified(now)?;
        Ok(Self { file, before })
    }
}

impl Drop for Touched {
    fn drop(&mut self) {
        drop(self.file.set_modified(self.before));
    }
}
