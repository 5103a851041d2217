//! Tests that a wipe leaves no readable data.

use std::path::Path;
use std::sync::Arc;

use crewbell_shared::guest::Guest;
use crewbell_shared::protocol::Entity;
use crewbell_shared::testing::{gus, id};

use super::*;
use crate::store::conformance::{cursor, line, session, waiting};
use crate::store::{EntityKey, Line};

const NAME: &str = "Hartmann-Oyelaran";

/// Returns enough guests to fill several pages.
fn guests() -> Vec<Arc<Entity>> {
    let guest = |number| Guest { id: id(number), name: format!("Mrs {NAME} {number}"), ..gus() };
    (1..200).map(|number| Arc::new(Entity::from(guest(number)))).collect()
}

/// Returns the files of a folder that contain the name.
fn that_name_her(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let names = |path: &std::path::PathBuf| {
        std::fs::read(path).unwrap().windows(NAME.len()).any(|part| part == NAME.as_bytes())
    };
    files.filter(names).map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
}

#[tokio::test]
async fn nothing_of_the_guests_is_left_after_a_wipe_whatever_was_moved_aside_or_deleted_before() {
    let folder = folder();
    let mut store = open(folder.path()).await;
    let told = Line { category: NAME.to_owned(), ..line(9) };
    let mut noted = waiting(3);
    noted.by.name = NAME.to_owned();
    store
        .write(&[Write::SignIn(session("Siri")), Write::Replace { entities: guests(), cursor: cursor(9) }])
        .await
        .unwrap();
    store
        .write(&[Write::AppendLine(told), Write::UpsertCommand(noted), Write::UpsertCommand(waiting(4))])
        .await
        .unwrap();
    // Deleted before the wipe: this leaves free pages.
    let gone: Vec<Write> = guests().iter().take(100).map(|guest| Write::DeleteEntity(EntityKey::of(guest))).collect();
    store.write(&gone).await.unwrap();
    store.write(&[Write::DeleteCommand(id(3))]).await.unwrap();
    for aside in ["cache.db.broken-1", "cache.db.broken-2-wal", "local.db.broken-7", "local.db.broken-7-wal"] {
        std::fs::write(folder.path().join(aside), format!("...{NAME}...")).unwrap();
    }
    assert!(that_name_her(folder.path()).len() > 4);
    store.write(&[Write::Wipe]).await.unwrap();
    assert_eq!(that_name_her(folder.path()), [""; 0]);
    let image = store.load().await.unwrap();
    assert_eq!((image.entities.len(), image.outbox.len()), (0, 1), "what wasn't sent stays");
    store.close().await;
    assert_eq!(that_name_her(folder.path()), [""; 0]);
    open(folder.path()).await;
}

#[tokio::test]
async fn a_wipe_that_was_cut_short_is_finished_at_the_next_start() {
    let folder = folder();
    let mut store = open(folder.path()).await;
    store.write(&[Write::Replace { entities: guests(), cursor: cursor(9) }]).await.unwrap();
    // The state after a kill just after the commit.
    let gone: Vec<Write> = guests().iter().map(|guest| Write::DeleteEntity(EntityKey::of(guest))).collect();
    store.write(&gone).await.unwrap();
    store.close().await;
    assert!(!that_name_her(folder.path()).is_empty());
    let store = open(folder.path()).await;
    assert_eq!(that_name_her(folder.path()), [""; 0]);
    store.close().await;
}
