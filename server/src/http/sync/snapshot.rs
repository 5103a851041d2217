//! `GET /api/sync/snapshot`

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use crewbell_shared::Refusal;
use crewbell_shared::ids::EventId;
use crewbell_shared::protocol::Entity;
use futures_util::stream;
use serde::Serialize;

use crate::db;
use crate::http::extract::CurrentUser;
use crate::http::{ApiError, App};

/// Maximum number of entities on a line.
const CHUNK: usize = 200;

/// Size in bytes at which a line ends. The last entity may exceed it: a request may have grown to a thousand times the
/// usual size.
const LINE: usize = 512 * 1024;

#[derive(Serialize)]
struct Head<'a> {
    seq: u64,
    event_id: Option<EventId>,
    site: &'a str,
    entities: usize,
}

/// All that the asker may see, as of one entry: lines of JSON (`application/x-ndjson`). The first is `{"seq",
/// "event_id", "site", "entities"}`, with the event id of the entry with that number, whoever it is for (null at 0); each
/// that follows is a list of entities, `[{"entity_type", "entity"}]`. Closed requests, ended stays and calls are in it
/// for as many days as the site's `closed_days` says.
#[utoipa::path(
    get,
    path = "/api/sync/snapshot",
    tag = "sync",
    responses(
        (status = 200, content_type = "application/x-ndjson", body = Vec<Entity>),
        (status = "4XX", body = Refusal)
    ),
    security(("bearer" = []))
)]
pub async fn snapshot(State(app): State<App>, CurrentUser(who): CurrentUser) -> Result<impl IntoResponse, ApiError> {
    let site = who.site.id;
    let mut tx = app.registry.db.read(site).await?;
    let known = db::sites::find(&mut tx, site).await?.ok_or_else(|| ApiError::not_found("site"))?;
    let recent = known.site.settings.keeps_closed_for();
    let since = app.registry.clock.now().saturating_sub(recent).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let mut entities = vec![Entity::from(known.site)];
    entities.extend(db::people::all(&mut tx, site).await?.into_iter().map(Entity::from));
    entities.extend(db::places::all(&mut tx, site).await?.into_iter().map(Entity::from));
    entities.extend(db::guests::all(&mut tx, site).await?.into_iter().map(Entity::from));
    entities.extend(db::stays::recent(&mut tx, site, since).await?.into_iter().map(Entity::from));
    entities.extend(db::buttons::all(&mut tx, site).await?.into_iter().map(|known| Entity::from(known.button)));
    entities.extend(db::requests::current(&mut tx, site, since).await?.into_iter().map(Entity::from));
    entities.extend(db::calls::current(&mut tx, site, since).await?.into_iter().map(Entity::from));
    let event_id = db::entries::event_id(&mut tx, site, known.head).await?;
    let head = Head { seq: known.head, event_id, site: &who.site.slug, entities: entities.len() };
    let lines = std::iter::once(line(&head)).chain(lines_of(entities.into_iter()));
    // Serialised as they are sent, so that a large site isn't in memory twice.
    let lines = lines.map(|line| line.map_err(std::io::Error::other));
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(stream::iter(lines))))
}

fn line(value: &impl Serialize) -> serde_json::Result<Bytes> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    Ok(line.into())
}

/// Returns lines with lists of entities, bounded by number and bytes.
fn lines_of(mut entities: impl Iterator<Item = Entity>) -> impl Iterator<Item = serde_json::Result<Bytes>> {
    std::iter::from_fn(move || {
        let mut line = vec![b'['];
        for count in 0..CHUNK {
            if line.len() >= LINE {
                break;
            }
            let Some(entity) = entities.next() else { break };
            if count > 0 {
                line.push(b',');
            }
            if let Err(error) = serde_json::to_writer(&mut line, &entity) {
                return Some(Err(error));
            }
        }
        (line.len() > 1).then(|| {
            line.extend_from_slice(b"]\n");
            Ok(line.into())
        })
    })
}

#[cfg(test)]
mod tests {
    use crewbell_shared::testing::{at, open_request};

    use super::*;

    #[test]
    fn a_line_ends_by_number_or_by_bytes_and_no_entity_is_lost() {
        let entity = |text: &str| {
            Entity::from(crewbell_shared::request::Request { text: Some(text.into()), ..open_request(at(0)) })
        };
        let counts = |entities: Vec<Entity>| -> Vec<usize> {
            let lines = lines_of(entities.into_iter()).map(Result::unwrap);
            lines.map(|line| serde_json::from_slice::<Vec<Entity>>(&line).unwrap().len()).collect()
        };
        assert_eq!(counts(vec![entity("ice"); 2 * CHUNK + 1]), [CHUNK, CHUNK, 1]);
        let large = entity(&"x".repeat(LINE / 2));
        assert_eq!(counts(vec![large; 5]), [2, 2, 1]);
        assert_eq!(counts(Vec::new()), [0_usize; 0]);
    }
}
