//! Tests with files of other app versions.

use super::*;
use crate::store::CommandStatus;
use crate::store::conformance::{cursor, request, session, waiting};

async fn change(path: &Path, script: &'static str) {
    let mut db = crate::store::sqlite::Db::open(path, crate::store::sqlite::db::Care::Keep).await.unwrap();
    db.run_all(script).await.unwrap();
    db.close().await;
}

async fn written(folder: &Path) -> Image {
    let mut store = open(folder).await;
    let mut image = Image::default();
    let keep = (1..=3).map(|number| Write::UpsertCommand(waiting(number)));
    let set = Write::Set("theme".to_owned(), Some("night".to_owned()));
    let replace = Write::Replace { entities: vec![request(1, "a")], cursor: cursor(1) };
    let writes: Vec<_> = keep.chain([Write::SignIn(session("Sam")), set, replace]).collect();
    check(&mut store, &mut image, &writes).await.unwrap();
    store.close().await;
    image
}

#[tokio::test]
async fn a_cache_of_another_version_begins_anew_and_the_rest_stays() {
    let folder = folder();
    let image = written(folder.path()).await;
    change(&folder.path().join("cache.db"), "pragma user_version = 7").await;
    let (mut store, opened) = Sqlite::open(folder.path()).await.unwrap();
    assert_eq!(opened, Opened { outdated: true, ..Opened::default() });
    let without = Image { cursor: None, entities: std::collections::BTreeMap::new(), ..image };
    assert_eq!(store.load().await, Ok(without));
    store.close().await;
    open(folder.path()).await;
}

#[tokio::test]
async fn a_newer_keep_is_read_written_and_left_in_its_version() {
    let folder = folder();
    let mut image = written(folder.path()).await;
    let keep = folder.path().join("local.db");
    change(
        &keep,
        "alter table outbox add column urgent integer not null default 0; update outbox set urgent = 1;
         create table drafts (n integer primary key, text text); insert into drafts values (1, 'kept');
         pragma user_version = 9;",
    )
    .await;
    let mut store = open(folder.path()).await;
    assert_eq!(store.load().await.as_ref(), Ok(&image));
    let writes = [Write::UpsertCommand(waiting(4)), Write::Mark(waiting(1).command.id, CommandStatus::Done { seq: 4 })];
    check(&mut store, &mut image, &writes).await.unwrap();
    assert_eq!(store.keep.version().await.unwrap(), 9);
    let urgent = store.keep.rows(sqlx::query("select n from outbox where urgent = 1")).await.unwrap();
    let drafts = store.keep.rows(sqlx::query("select n from drafts")).await.unwrap();
    assert_eq!((urgent.len(), drafts.len()), (3, 1));
}

#[tokio::test]
async fn a_command_that_cant_be_read_is_put_aside_and_counted_and_comes_back_when_it_can() {
    let folder = folder();
    let mut image = written(folder.path()).await;
    let keep = folder.path().join("local.db");
    change(&keep, "update outbox set did = replace(did, 'create_request', 'fold_towels') where n = 2").await;
    let (mut store, opened) = Sqlite::open(folder.path()).await.unwrap();
    assert_eq!(opened, Opened { unreadable: 1, ..Opened::default() });
    let second = image.outbox.remove(1);
    assert_eq!(store.load().await.as_ref(), Ok(&image));
    let unreadable = store.unreadable().await.unwrap();
    assert_eq!(unreadable.len(), 1);
    assert_eq!(unreadable[0].id, Some(second.command.id.to_string()));
    assert!(
        unreadable[0].did.as_ref().unwrap().contains("fold_towels"),
        "what can't be understood can be read by a person"
    );
    store.close().await;
    let (store, opened) = Sqlite::open(folder.path()).await.unwrap();
    assert_eq!(opened.unreadable, 1, "it is counted each time");
    store.close().await;
    change(
        &keep,
        "update unreadable set did = cast(replace(cast(did as text), 'fold_towels', 'create_request') as blob)",
    )
    .await;
    let mut store = open(folder.path()).await;
    image.outbox.insert(1, second);
    assert_eq!(store.load().await.as_ref(), Ok(&image), "it is back, in its place");
}

#[tokio::test]
async fn a_command_that_a_disk_changed_is_not_sent_but_for_the_person_to_decide() {
    let folder = folder();
    written(folder.path()).await;
    change(&folder.path().join("local.db"), "update outbox set did = replace(did, '2\\\"', '7\\\"') where n = 2").await;
    let mut store = open(folder.path()).await;
    let outbox = store.load().await.unwrap().outbox;
    let doing: Vec<_> = outbox.iter().map(|waiting| matches!(waiting.doing, CommandStatus::Refused { .. })).collect();
    assert_eq!(doing, [false, true, false]);
}
