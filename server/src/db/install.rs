//! Requirements on a database before the schema is created: UTF-8, in a cluster that has the server's role.

use sqlx::{AssertSqlSafe, PgConnection};

use super::{DbError, DbSettings};
use crate::cluster::SERVER_ROLE;

/// Class 42, `insufficient_privilege` (PostgreSQL's appendix A).
const DENIED: &str = "42501";

/// Checks a database, and creates the server's role if it is missing.
///
/// # Errors
/// Returns an error if the database isn't UTF-8, or if the role can't be created or granted; its text says what to do.
pub(super) async fn check(owner: &mut PgConnection, settings: &DbSettings) -> Result<(), DbError> {
    check_encoding(owner).await?;
    ensure_role(owner, SERVER_ROLE).await?;
    let server = if settings.step_down { settings.owner.get_username() } else { settings.server.get_username() };
    if server != SERVER_ROLE {
        ensure_member(owner, server, settings.step_down).await?;
    }
    Ok(())
}

/// Checks the encoding. Other encodings can't hold every guest's name, and would fail during a press.
async fn check_encoding(owner: &mut PgConnection) -> Result<(), DbError> {
    let (name, encoding): (String, String) =
        sqlx::query_as("select current_database()::text, getdatabaseencoding()::text").fetch_one(owner).await?;
    if encoding == "UTF8" {
        return Ok(());
    }
    Err(DbError::Unfit(format!(
        "The database {name} is encoded as {encoding}, which can't hold every name; make another one, for instance with \
         `create database {name}_utf8 encoding 'UTF8' template template0;`, and name that."
    )))
}

/// Creates a missing role: roles belong to the whole cluster, so neither a migration nor a backup contains one.
///
/// # Errors
/// Returns an error if the role is missing and the current role may not create it; its text contains the statement to
/// run.
pub async fn ensure_role(conn: &mut PgConnection, role: &str) -> Result<(), DbError> {
    let there = sqlx::query_scalar("select exists (select from pg_roles where rolname = $1)").bind(role);
    if there.fetch_one(&mut *conn).await? {
        return Ok(());
    }
    let create = format!("create role {} nologin;", quote(role));
    match run(conn, &create).await {
        // Another server created it at the same moment.
        Err(error) if matches!(code(&error).as_deref(), Some("42710" | "23505")) => Ok(()),
        Err(error) if code(&error).as_deref() == Some(DENIED) => {
            let own: String = sqlx::query_scalar("select current_user::text").fetch_one(conn).await?;
            Err(DbError::Unfit(format!(
                "The role {role} is missing, and {own} may not make roles; have a superuser run \
                 `{create} grant {} to {};` once, and start again.",
                quote(role),
                quote(&own)
            )))
        }
        other => Ok(other?),
    }
}

/// Ensures that the server's login role is a member of the server's role. That role may have been created by another
/// installation on the same cluster, and granted to its owner alone.
///
/// # Errors
/// Returns an error if it is not, and the owner may not grant it; the text contains the statement to run.
async fn ensure_member(owner: &mut PgConnection, member: &str, becomes: bool) -> Result<(), DbError> {
    // From version 16 on, the creator of a role may grant it and still not `set role` to it.
    let version = owner.server_version_num().unwrap_or_default();
    let right = match (becomes, version >= 160_000) {
        (true, true) => "set",
        (true, false) => "member",
        (false, _) => "usage",
    };
    let is_member = sqlx::query_scalar(
        "select case when exists (select from pg_roles where rolname = $1) then pg_has_role($1::name, $2::name, $3) \
         else false end",
    );
    let is_member: bool = is_member.bind(member).bind(SERVER_ROLE).bind(right).fetch_one(&mut *owner).await?;
    if is_member {
        return Ok(());
    }
    let grant = format!("grant {} to {};", quote(SERVER_ROLE), quote(member));
    match run(owner, &grant).await {
        Err(error) if code(&error).as_deref() == Some(DENIED) => Err(DbError::Unfit(format!(
            "{member} works as {SERVER_ROLE} and was not given that role; have a superuser run `{grant}` once, and start \
             again."
        ))),
        other => Ok(other?),
    }
}

async fn run(conn: &mut PgConnection, sql: &str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(conn).await.map(drop)
}

fn code(error: &sqlx::Error) -> Option<String> {
    error.as_database_error().and_then(|error| error.code().map(std::borrow::Cow::into_owned))
}

/// Quotes a name as an SQL identifier.
fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
