//! Restoring of a backup into the database.

use super::sessions::{self, Sessions};
use super::target::run;
use super::{BackupError, BackupTarget};
use crate::cluster::{OWNER_ROLE, SERVER_ROLE, prepare_database};
use crate::db::ensure_role;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;
use uuid::Uuid;

/// The interval at which connections to the old database are terminated while it is renamed.
const CUT_EVERY: Duration = Duration::from_millis(50);

/// The handling of the existing database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Restores only if it holds no tables.
    MustBeEmpty,
    /// Replaces it with the backup.
    Replace,
}

/// Restores `file`, made by [`super::backup`], and ends sessions that may have ended since.
///
/// The restore fills a fresh database named `…_restore`, which takes the old one's name in a single transaction when it
/// is complete; any earlier failure leaves the old one unchanged and open. Connections to the old one are terminated.
/// No server should be running on it, because it would keep cached state of the old database.
///
/// # Errors
/// Returns [`BackupError::NotEmpty`] if the database isn't empty and mustn't be replaced, or an error with the last
/// lines of `pg_restore`.
pub async fn restore(place: &BackupTarget, file: &Path, existing: Existing) -> Result<(), BackupError> {
    restore_with(place, file, existing, Sessions::EndUnlessLive).await.map(drop)
}

/// Restores as [`restore`] does, with a choice for the sessions in the backup; returns the number of ended sessions.
///
/// # Errors
/// Returns the errors of [`restore`].
pub async fn restore_with(
    place: &BackupTarget,
    file: &Path,
    existing: Existing,
    sessions: Sessions,
) -> Result<u64, BackupError> {
    std::fs::File::open(file).map_err(BackupError::io("cannot open", file))?;
    let mut list = place.command("pg_restore");
    list.arg("--list").arg(file);
    run("pg_restore", list).await?;

    let name = place.database();
    let fresh = format!("{name}_restore");
    let mut conn = place.options("postgres").connect().await?;
    let there = exists(&mut conn, name).await?;
    if there && existing == Existing::MustBeEmpty && !is_empty(place).await? {
        return Err(BackupError::NotEmpty(name.to_owned()));
    }
    // The backup grants rights to the server's role, which may not exist in this cluster.
    ensure_role(&mut conn, SERVER_ROLE).await?;
    let mut made = BTreeSet::new();
    let done = loop {
        say(&mut conn, format!("drop database if exists {} with (force)", quote(&fresh))).await?;
        say(&mut conn, format!("create database {} template template0 encoding 'UTF8'", quote(&fresh))).await?;
        let failed = match prepare(place, &fresh, file, there, sessions).await {
            Ok(ended) => break swap(place, &mut conn, name, &fresh, there).await.map(|()| ended),
            Err(failed) => failed,
        };
        // It may also grant rights to other roles.
        let missing: BTreeSet<String> = missing_roles(&failed).difference(&made).cloned().collect();
        if missing.is_empty() {
            break Err(failed);
        }
        for role in missing {
            tracing::warn!("the backup gives rights to the role {role}, which is missing here and is made");
            ensure_role(&mut conn, &role).await?;
            made.insert(role);
        }
    };
    if done.is_err() {
        // The first error is more useful; the next restore drops the database too.
        let _ = say(&mut conn, format!("drop database if exists {} with (force)", quote(&fresh))).await;
    }
    conn.close().await?;
    done
}

/// Fills the fresh database and prepares it for use; returns the number of ended sessions.
async fn prepare(
    place: &BackupTarget,
    fresh: &str,
    file: &Path,
    there: bool,
    sessions: Sessions,
) -> Result<u64, BackupError> {
    fill(place, fresh, file).await?;
    let mut inside = place.options(fresh).connect().await?;
    let ended = match sessions {
        Sessions::Keep => 0,
        Sessions::EndUnlessLive => {
            let live = if there { live_before(place).await } else { Vec::new() };
            sessions::end_all_but(&mut inside, &live).await?
        }
    };
    // Without statistics the planner may scan a whole table for each press, until autovacuum has run.
    say(&mut inside, "analyze".to_owned()).await?;
    inside.close().await?;
    Ok(ended)
}

/// Returns the live sessions of the database to be replaced. If they can't be read, which may be why it is replaced,
/// later sign-outs are unknown and the list is empty.
async fn live_before(place: &BackupTarget) -> Vec<(Uuid, Uuid)> {
    let read = async { sessions::live(&mut place.options(place.database()).connect().await?).await };
    read.await.unwrap_or_else(|error| {
        tracing::warn!("the old database's sessions can't be read, so everybody has to sign in anew: {error}");
        Vec::new()
    })
}

/// Returns the roles that `pg_restore` reported as missing.
fn missing_roles(failed: &BackupError) -> BTreeSet<String> {
    let BackupError::Tool { said, .. } = failed else { return BTreeSet::new() };
    let named = |line: &str| {
        let (_, rest) = line.split_once("ERROR:  role \"")?;
        Some(rest.strip_suffix("\" does not exist")?.to_owned())
    };
    said.lines().filter_map(named).collect()
}

async fn fill(place: &BackupTarget, fresh: &str, file: &Path) -> Result<(), BackupError> {
    let mut command = place.connected("pg_restore", fresh);
    command.arg("--no-owner");
    if place.is_private() {
        let mut inside = place.options(fresh).connect().await?;
        prepare_database(&mut inside, fresh).await?;
        inside.close().await?;
        command.args(["--role", OWNER_ROLE]);
    }
    command.arg(file);
    match run("pg_restore", command).await {
        Err(BackupError::Tool { said, .. }) if is_of_newer_tools(&said) => Ok(()),
        other => other.map(drop),
    }
}

/// Whether all errors of `pg_restore` are session settings of a newer version that an older server doesn't know, such
/// as `transaction_timeout`. It continues after each, and counts them at the end.
fn is_of_newer_tools(said: &str) -> bool {
    let mut errors = said.lines().filter(|line| line.starts_with("pg_restore: error:")).peekable();
    errors.peek().is_some()
        && errors.all(|line| line.contains("unrecognized configuration parameter"))
        && said.lines().any(|line| line.starts_with("pg_restore: warning: errors ignored on restore:"))
}

async fn swap(
    place: &BackupTarget,
    conn: &mut PgConnection,
    name: &str,
    fresh: &str,
    there: bool,
) -> Result<(), BackupError> {
    let old = format!("{name}_old");
    let (name_q, fresh_q, old_q) = (quote(name), quote(fresh), quote(&old));
    if !there {
        return say(conn, format!("alter database {fresh_q} rename to {name_q}")).await;
    }
    say(conn, format!("drop database if exists {old_q} with (force)")).await?;
    let mut other = place.options("postgres").connect().await?;
    let steps = [(name_q.as_str(), old_q.as_str()), (fresh_q.as_str(), name_q.as_str())];
    tokio::select! {
        renamed = rename_both(conn, &steps) => renamed?,
        Err(cut) = keep_cutting(&mut other, name) => return Err(cut),
    }
    other.close().await?;
    if let Err(e) = say(conn, format!("drop database {old_q} with (force)")).await {
        tracing::warn!("the backup is restored; the old database {old} could not be removed: {e}");
    }
    Ok(())
}

/// Renames both databases in one transaction. The first step locks the name against new connections, then waits up to
/// five seconds for the existing ones: a restore that is killed here leaves nothing closed.
async fn rename_both(conn: &mut PgConnection, steps: &[(&str, &str)]) -> Result<(), BackupError> {
    let mut transaction = conn.begin().await?;
    for (from, to) in steps {
        say(&mut transaction, format!("alter database {from} rename to {to}")).await?;
    }
    Ok(transaction.commit().await?)
}

/// Terminates the connections to a database repeatedly for as long as it is polled: a server's pool reconnects at once,
/// until the name is locked.
async fn keep_cutting(other: &mut PgConnection, name: &str) -> Result<std::convert::Infallible, BackupError> {
    loop {
        sqlx::query("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and backend_type = 'client backend'")
            .bind(name)
            .execute(&mut *other)
            .await?;
        tokio::time::sleep(CUT_EVERY).await;
    }
}

async fn exists(conn: &mut PgConnection, name: &str) -> Result<bool, BackupError> {
    let found = sqlx::query_scalar("select exists (select from pg_database where datname = $1)").bind(name);
    Ok(found.fetch_one(conn).await?)
}

/// Whether the database holds no tables, views, sequences or the like.
pub(super) async fn is_empty(place: &BackupTarget) -> Result<bool, BackupError> {
    let mut inside = place.options(place.database()).connect().await?;
    let empty = sqlx::query_scalar(
        "select not exists (
             select from pg_class c join pg_namespace n on n.oid = c.relnamespace
             where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')
               and n.nspname <> 'information_schema' and n.nspname !~ '^pg_')",
    )
    .fetch_one(&mut inside)
    .await?;
    inside.close().await?;
    Ok(empty)
}

async fn say(conn: &mut PgConnection, sql: String) -> Result<(), BackupError> {
    conn.execute(AssertSqlSafe(sql)).await?;
    Ok(())
}

/// Quotes a name as an SQL identifier.
fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    const INITIALIZING: &str = "pg_restore: while INITIALIZING:\n\
        pg_restore: error: could not execute query: ERROR:  unrecognized configuration parameter \"transaction_timeout\"\n\
        Command was: SET transaction_timeout = 0;\n";
    const IGNORED: &str = "pg_restore: warning: errors ignored on restore: 1\n";

    #[test]
    fn only_settings_that_an_older_server_does_not_know_are_passed_over() {
        let denied = "pg_restore: error: could not execute query: ERROR:  role \"dana\" does not exist\n";
        for (said, passed) in [
            (format!("{INITIALIZING}{IGNORED}"), true),
            (INITIALIZING.to_owned(), false),
            (format!("{INITIALIZING}{denied}{IGNORED}"), false),
            (format!("{denied}{IGNORED}"), false),
            ("pg_restore: error: could not read from input file: end of file\n".to_owned(), false),
            (format!("{INITIALIZING}{IGNORED}pg_restore: error: input file is too short\n"), false),
            (IGNORED.to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(is_of_newer_tools(&said), passed, "{said}");
        }
    }
}
