//! Floor: the time of committing one row on this disk.

use std::{
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use nix::unistd::{Gid, Uid, User, chown};
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use tempfile::TempDir;

use crate::{
    latency::{Times, histogram},
    target::end,
};

const START_LIMIT: Duration = Duration::from_secs(30);

/// Inserts single rows on one connection to a cluster of its own, for `time`.
pub(crate) fn measure(dir: &Path, time: Duration) -> Result<Times> {
    let cluster = Cluster::start(dir)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut connection = cluster.connect().await?;
        sqlx::query("create table floor (id bigserial primary key, press text not null)")
            .execute(&mut connection)
            .await?;
        let mut took = histogram()?;
        let began = Instant::now();
        let warm_up = time / 4;
        while began.elapsed() < time + warm_up {
            let one = Instant::now();
            sqlx::query("insert into floor (press) values ($1)").bind("a press").execute(&mut connection).await?;
            if began.elapsed() > warm_up {
                took.saturating_record(u64::try_from(one.elapsed().as_nanos())?);
            }
        }
        Ok(Times::of(&took))
    })
}

/// A durable PostgreSQL cluster in a temporary folder, reached by a socket only; removed on drop.
struct Cluster {
    server: Child,
    folder: TempDir,
}

impl Cluster {
    fn start(dir: &Path) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("crewbell-floor-").tempdir_in(dir)?;
        let programs = programs()?;
        // PostgreSQL refuses to run as root.
        let user = if Uid::current().is_root() {
            let found = ["postgres", "nobody"].into_iter().find_map(|name| User::from_name(name).ok()?);
            let user = found.context("there is no user to run PostgreSQL as")?;
            chown(folder.path(), Some(user.uid), Some(user.gid))?;
            Some((user.uid, user.gid))
        } else {
            None
        };
        let data = folder.path().join("data");
        let made = as_user(&programs.join("initdb"), user)
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "-D"])
            .arg(&data)
            .current_dir(folder.path())
            .output()?;
        if !made.status.success() {
            bail!("initdb failed: {}", String::from_utf8_lossy(&made.stderr));
        }
        let server = as_user(&programs.join("postgres"), user)
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(folder.path())
            .args(["-c", "listen_addresses="])
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { server, folder })
    }

    async fn connect(&self) -> Result<PgConnection> {
        let options =
            PgConnectOptions::new_without_pgpass().socket(self.folder.path()).username("postgres").database("postgres");
        let began = Instant::now();
        loop {
            match PgConnection::connect_with(&options).await {
                Ok(connection) => return Ok(connection),
                Err(error) if began.elapsed() > START_LIMIT => return Err(error.into()),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        end(&mut self.server);
    }
}

fn as_user(program: &Path, user: Option<(Uid, Gid)>) -> Command {
    let mut command = Command::new(program);
    if let Some((uid, gid)) = user {
        command.uid(uid.as_raw()).gid(gid.as_raw());
    }
    command.stdin(Stdio::null());
    command
}

/// Returns the folder of PostgreSQL's programs: on PATH, or the newest of Debian's.
fn programs() -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut debian: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .collect();
    debian.sort();
    std::env::split_paths(&path)
        .chain(debian.into_iter().rev())
        .find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
        .context("PostgreSQL is not installed; `cargo xtask setup` installs it")
}
