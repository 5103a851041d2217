//! The installed PostgreSQL: lookup of its programs, and temporary clusters.

use std::{
    env, fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{self, Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::run::{find, output, run, succeeds};

/// Time limit for a new cluster's start.
const START_LIMIT: Duration = Duration::from_mins(1);

/// The folder with `postgres`, `initdb`, `pg_dump` and `psql`; the newest if there are several.
pub(crate) fn find_programs() -> Option<PathBuf> {
    let mut folders = Vec::new();
    for parent in ["/usr/lib/postgresql", "/usr/local/lib/postgresql"] {
        folders.extend(versions(Path::new(parent), "").map(|(version, folder)| (version, folder.join("bin"))));
    }
    folders.extend(versions(Path::new("/usr"), "pgsql-").map(|(version, folder)| (version, folder.join("bin"))));
    for brew in ["/opt/homebrew/opt", "/usr/local/opt", "/home/linuxbrew/.linuxbrew/opt"] {
        folders.extend(versions(Path::new(brew), "postgresql@").map(|(version, folder)| (version, folder.join("bin"))));
    }
    folders.sort();
    let on_path = find("initdb").and_then(|file| file.parent().map(Path::to_owned));
    folders
        .into_iter()
        .rev()
        .map(|(_, folder)| folder)
        .chain(on_path)
        .find(|folder| ["postgres", "initdb", "pg_dump", "psql"].iter().all(|program| folder.join(program).is_file()))
}

/// Folders in `parent` whose name is `prefix` and a number, with that number.
fn versions(parent: &Path, prefix: &'static str) -> impl Iterator<Item = (u32, PathBuf)> {
    fs::read_dir(parent).into_iter().flatten().flatten().filter_map(move |entry| {
        let name = entry.file_name();
        let version = name.to_str()?.strip_prefix(prefix)?.parse().ok()?;
        Some((version, entry.path()))
    })
}

/// A temporary PostgreSQL cluster: on a Unix socket only, empty, not durable, removed on drop.
pub(crate) struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
    server: Child,
}

impl Cluster {
    /// Creates and starts a cluster.
    ///
    /// It is in the system's folder for temporary files rather than in `target/`: PostgreSQL refuses to run as root,
    /// the user that it then runs as often can't enter a checkout under `/root`, and a socket's path is limited to some
    /// 100 bytes.
    ///
    /// # Errors
    /// Returns an error if PostgreSQL is not installed, or does not start within a minute.
    pub(crate) fn start() -> Result<Self> {
        let programs = find_programs().context("PostgreSQL is not installed; `cargo xtask setup` installs it")?;
        let user = Unprivileged::if_root()?;
        let folder = env::temp_dir().join(format!("crewbell-prepare-{}", process::id()));
        fs::create_dir(&folder).with_context(|| format!("could not create {}", folder.display()))?;
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
        if let Some(user) = user {
            std::os::unix::fs::chown(&folder, Some(user.uid), Some(user.gid))?;
        }

        let data = folder.join("data");
        let made = output(
            as_user(programs.join("initdb"), user)
                .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"])
                .arg(&data)
                .current_dir(&folder),
        );
        let server = made.and_then(|_| {
            as_user(programs.join("postgres"), user)
                .arg("-D")
                .arg(&data)
                .arg("-k")
                .arg(&folder)
                .args(["-c", "listen_addresses=", "-c", "fsync=off"])
                .current_dir(&folder)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(fs::File::create(folder.join("log"))?)
                .spawn()
                .context("could not start postgres")
        });
        match server {
            Ok(server) => {
                let cluster = Self { programs, folder, server };
                cluster.wait_until_ready()?;
                Ok(cluster)
            }
            Err(error) => {
                drop(fs::remove_dir_all(&folder));
                Err(error)
            }
        }
    }

    /// The connection URL of its only database, as its superuser.
    pub(crate) fn url(&self) -> String {
        format!("postgres:///postgres?host={}&user=postgres", self.folder.display())
    }

    /// Runs a migration file as one transaction, unless its first line is sqlx's `-- no-transaction`.
    ///
    /// # Errors
    /// Returns an error at the first statement that fails; the message is PostgreSQL's.
    pub(crate) fn apply(&self, migration: &Path) -> Result<()> {
        let sql = fs::read_to_string(migration).with_context(|| format!("could not read {}", migration.display()))?;
        let mut psql = self.psql();
        psql.args(["-v", "ON_ERROR_STOP=1", "--file"]).arg(migration);
        if !sql.starts_with("-- no-transaction") {
            psql.arg("--single-transaction");
        }
        run(psql.stdout(Stdio::null())).with_context(|| format!("{} could not be applied", migration.display()))
    }

    fn psql(&self) -> Command {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["--no-psqlrc", "--quiet", "--dbname=postgres", "--username=postgres", "--host"])
            .arg(&self.folder)
            .env("PGOPTIONS", "--client-min-messages=warning");
        psql
    }

    fn wait_until_ready(&self) -> Result<()> {
        let began = Instant::now();
        while !succeeds(self.psql().args(["--command", "select 1"])) {
            if began.elapsed() > START_LIMIT {
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                bail!("PostgreSQL did not come up within {START_LIMIT:?}:\n{log}");
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // SIGQUIT is an immediate stop; its data needs no checkpoint.
        succeeds(Command::new("kill").args(["-QUIT", &self.server.id().to_string()]));
        drop(self.server.wait());
        drop(fs::remove_dir_all(&self.folder));
    }
}

/// The user that PostgreSQL runs as if this process is root.
#[derive(Clone, Copy)]
struct Unprivileged {
    uid: u32,
    gid: u32,
}

impl Unprivileged {
    /// The `postgres` user of the package, else `nobody`; none if this process isn't root.
    fn if_root() -> Result<Option<Self>> {
        let id = |args: &[&str]| -> Result<u32> { Ok(output(Command::new("id").args(args))?.trim().parse()?) };
        if id(&["-u"])? != 0 {
            return Ok(None);
        }
        let user = ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| Some(Self { uid: id(&["-u", name]).ok()?, gid: id(&["-g", name]).ok()? }))
            .context("PostgreSQL does not run as root, and there is neither a user `postgres` nor `nobody`")?;
        Ok(Some(user))
    }
}

fn as_user(program: PathBuf, user: Option<Unprivileged>) -> Command {
    let mut command = Command::new(program);
    if let Some(Unprivileged { uid, gid }) = user {
        command.uid(uid).gid(gid);
    }
    command
}
