//! A backup back into the database.

use super::place::run;
use super::{BackupError, Place};
use crate::cluster::{OWNER_ROLE, prepare_database};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};
use std::path::Path;

/// What to do with the database that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Restore only if it holds no tables.
    MustBeEmpty,
    /// Put the backup in its place.
    Replace,
}

/// Restores `file`, made by [`super::backup`].
///
/// It goes into a fresh database named `…_restore`, which takes the name of the old one in a single transaction when
/// it is whole; whatever fails before leaves the old one as it was. Connections to the old one are cut, so that no
/// server should run on it: it would go on with what it remembers of the old database.
///
/// # Errors
/// [`BackupError::NotEmpty`] unless told to replace; else with the last lines of `pg_restore`.
pub async fn restore(place: &Place, file: &Path, existing: Existing) -> Result<(), BackupError> {
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
    say(&mut conn, format!("drop database if exists {} with (force)", quote(&fresh))).await?;
    say(&mut conn, format!("create database {} template template0", quote(&fresh))).await?;
    let done = match fill(place, &fresh, file).await {
        Ok(()) => swap(&mut conn, name, &fresh, there).await,
        Err(e) => Err(e),
    };
    if done.is_err() {
        // The reason for the failure says more; the next restore drops it too.
        let _ = say(&mut conn, format!("drop database if exists {} with (force)", quote(&fresh))).await;
    }
    conn.close().await?;
    done
}

async fn fill(place: &Place, fresh: &str, file: &Path) -> Result<(), BackupError> {
    let mut command = place.connected("pg_restore", fresh);
    command.args(["--exit-on-error", "--no-owner"]);
    if place.is_private() {
        let mut inside = place.options(fresh).connect().await?;
        prepare_database(&mut inside, fresh).await?;
        inside.close().await?;
        command.args(["--role", OWNER_ROLE]);
    }
    command.arg(file);
    run("pg_restore", command).await.map(drop)
}

async fn swap(conn: &mut PgConnection, name: &str, fresh: &str, there: bool) -> Result<(), BackupError> {
    let old = format!("{name}_old");
    let (name_q, fresh_q, old_q) = (quote(name), quote(fresh), quote(&old));
    if !there {
        return say(conn, format!("alter database {fresh_q} rename to {name_q}")).await;
    }
    say(conn, format!("drop database if exists {old_q} with (force)")).await?;
    // A server's pool would be back before the renaming.
    say(conn, format!("alter database {name_q} with allow_connections false")).await?;
    let renamed = rename_both(conn, name, &[(&name_q, &old_q), (&fresh_q, &name_q)]).await;
    if renamed.is_err() {
        say(conn, format!("alter database {name_q} with allow_connections true")).await?;
    }
    renamed?;
    if let Err(e) = say(conn, format!("drop database {old_q} with (force)")).await {
        tracing::warn!("the backup is restored; the old database {old} could not be removed: {e}");
    }
    Ok(())
}

async fn rename_both(conn: &mut PgConnection, name: &str, steps: &[(&str, &str)]) -> Result<(), BackupError> {
    sqlx::query(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()",
    )
    .bind(name)
    .execute(&mut *conn)
    .await?;
    let mut transaction = conn.begin().await?;
    for (from, to) in steps {
        say(&mut transaction, format!("alter database {from} rename to {to}")).await?;
    }
    Ok(transaction.commit().await?)
}

async fn exists(conn: &mut PgConnection, name: &str) -> Result<bool, BackupError> {
    let found = sqlx::query_scalar("select exists (select from pg_database where datname = $1)").bind(name);
    Ok(found.fetch_one(conn).await?)
}

async fn is_empty(place: &Place) -> Result<bool, BackupError> {
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

/// A name as an SQL identifier.
fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
