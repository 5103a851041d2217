//! Which installation this is.

use crewbell_shared::ids::InstanceId;
use sqlx::PgConnection;

use super::DbError;

/// The installation's id, made with its schema.
pub async fn id(conn: &mut PgConnection) -> Result<InstanceId, DbError> {
    Ok(sqlx::query_scalar!("select id from instance").fetch_one(conn).await?.into())
}
