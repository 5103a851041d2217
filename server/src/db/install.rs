//! What a database must be before the schema goes into it: UTF-8, in a cluster that has the server's role.

use sqlx::{AssertSqlSafe, PgConnection};

use super::{DbError, DbSettings};
use crate::cluster::SERVER_ROLE;

/// Class 42, `insufficient_privilege` (PostgreSQL's appendix A).
const DENIED: &str = "42501";

/// Checks a database, and makes the server's role where it is missing.
///
/// # Errors
/// It isn't UTF-8, or the role can't be made or granted: a sentence that says what to do.
pub(super) async fn check(owner: &mut PgConnection, settings: &DbSettings) -> Result<(), DbError> {
    check_encoding(owner).await?;
    ensure_role(owner, SERVER_ROLE).await?;
    let server = if settings.step_down { settings.owner.get_username() } else { settings.server.get_username() };
    if server != SERVER_ROLE {
        ensure_member(owner, server, settings.step_down).await?;
    }
    Ok(())
}

/// A name that a guest has can't be written in every encoding, and would be refused while they press.
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

/// Makes a role that is missing: roles belong to the whole cluster, so that neither a migration nor a backup brings one.
///
/// # Errors
/// It is missing, and this role may not make roles: a sentence with the line to run.
pub async fn ensure_role(conn: &mut PgConnection, role: &str) -> Result<(), DbError> {
    let there = sqlx::query_scalar("select exists (select from pg_roles where rolname = $1)").bind(role);
    if there.fetch_one(&mut *conn).await? {
        return Ok(());
    }
    let create = format!("create role {} nologin;", quote(role));
    match run(conn, &create).await {
        // Another server made it at the same moment.
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

/// Sees to it that the role as which the server works may do what the server's role may. The role may have been made by
/// another installation on the same cluster, whose owner alone was given it.
///
/// # Errors
/// It may not, and the owner may not grant it: a sentence with the line to run.
async fn ensure_member(owner: &mut PgConnection, member: &str, becomes: bool) -> Result<(), DbError> {
    // From version 16 on, whoever makes a role may grant it and still not become it.
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

/// A name as an SQL identifier.
fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
