//! Creation of the private cluster's roles and database; the migrations create the tables.

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};

/// The role that owns the database and its tables; migrations run as this role.
pub const OWNER_ROLE: &str = "crewbell_owner";
/// The server's own role, which can't alter the schema.
pub const SERVER_ROLE: &str = "crewbell_server";
/// The database's name.
pub const DATABASE: &str = "crewbell";

/// Creates both roles and resets their attributes; run at every start, which repairs roles that were altered.
const ROLES: &str = "
do $$ begin
    if not exists (select from pg_roles where rolname = 'crewbell_owner') then
        create role crewbell_owner;
    end if;
    if not exists (select from pg_roles where rolname = 'crewbell_server') then
        create role crewbell_server;
    end if;
end $$;
alter role crewbell_owner login nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
alter role crewbell_server login nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
";

/// Creates the missing roles and the database; idempotent. `root` connects to a maintenance database as superuser.
pub(crate) async fn prepare(root: PgConnectOptions) -> Result<(), sqlx::Error> {
    let mut conn = root.clone().connect().await?;
    conn.execute(ROLES).await?;
    let there: bool = sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
        .bind(DATABASE)
        .fetch_one(&mut conn)
        .await?;
    if !there {
        conn.execute("create database crewbell owner crewbell_owner").await?;
    }
    // An interrupted restore may leave the database closed to connections.
    conn.execute("alter database crewbell with allow_connections true").await?;
    conn.close().await?;
    let mut inside = root.database(DATABASE).connect().await?;
    prepare_database(&mut inside, DATABASE).await?;
    inside.close().await
}

/// Sets the owner and the privileges of a Crewbell database, to which `inside` is connected as superuser.
pub(crate) async fn prepare_database(inside: &mut PgConnection, name: &str) -> Result<(), sqlx::Error> {
    // Before PostgreSQL 15, everybody could create tables in `public`, and the database's owner didn't own it.
    let version = inside.server_version_num().unwrap_or(0);
    if version < 150_000 {
        inside.execute("alter schema public owner to crewbell_owner").await?;
    }
    let rights = format!(
        "alter database {name} owner to crewbell_owner;
         revoke all on database {name} from public;
         grant connect on database {name} to crewbell_server;
         revoke create on schema public from public;"
    );
    inside.execute(AssertSqlSafe(rights)).await?;
    Ok(())
}
