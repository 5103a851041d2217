//! The id of this installation.

use crewbell_shared::ids::InstanceId;
use sqlx::PgConnection;

use super::DbError;

/// Returns the installation's id, created with its schema.
pub async fn id(conn: &mut PgConnection) -> Result<InstanceId, DbError> {
    Ok(sqlx::query_scalar!("select id from instance").fetch_one(conn).await?.into())
}
