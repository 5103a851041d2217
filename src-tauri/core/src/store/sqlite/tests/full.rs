//! Tests with a full disk.

use super::*;
use crate::store::conformance::{cursor, request, session, waiting};

/// Sets whether a file may grow.
async fn let_grow(db: &mut crate::store::sqlite::Db, may: bool) {
    let most = if may { "pragma max_page_count = 1000000" } else { "pragma max_page_count = 1" };
    db.rows(sqlx::query(most)).await.unwrap();
}

fn much(from: u128) -> Vec<Write> {
    (from..from + 300).map(|number| Write::UpsertCommand(waiting(number))).collect()
}

#[tokio::test]
async fn a_full_disk_is_said_and_nothing_precious_is_written_and_it_goes_on_when_there_is_room() {
    let folder = folder();
    let mut store = open(folder.path()).await;
    let mut image = Image::default();
    check(&mut store, &mut image, &[Write::SignIn(session("Sam")), Write::UpsertCommand(waiting(1))]).await.unwrap();
    let_grow(&mut store.keep, false).await;
    for _ in 0..3 {
        assert_eq!(store.write(&much(2)).await, Err(StoreError::Full));
        assert_eq!(store.load().await.as_ref(), Ok(&image));
    }
    let_grow(&mut store.keep, true).await;
    check(&mut store, &mut image, &much(2)).await.unwrap();
    store.close().await;
    assert_eq!(open(folder.path()).await.load().await, Ok(image));
}

#[tokio::test]
async fn a_cache_that_is_full_leaves_both_files_as_they_were() {
    let folder = folder();
    let mut store = open(folder.path()).await;
    let mut image = Image::default();
    check(&mut store, &mut image, &[Write::SignIn(session("Sam")), Write::UpsertCommand(waiting(1))]).await.unwrap();
    let_grow(&mut store.cache, false).await;
    let entities = (0..500).map(|number| request(number, "much")).collect();
    let writes = [Write::DeleteCommand(waiting(1).command.id), Write::Replace { entities, cursor: cursor(9) }];
    assert_eq!(store.write(&writes).await, Err(StoreError::Full));
    let wiping = [&[Write::Wipe][..], &writes].concat();
    assert_eq!(store.write(&wiping).await, Err(StoreError::Full));
    assert_eq!(store.load().await.as_ref(), Ok(&image));
    let_grow(&mut store.cache, true).await;
    check(&mut store, &mut image, &writes).await.unwrap();
}

/// Uses a disk of one megabyte, if the test may mount one.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_disk_without_room_is_full_in_the_stores_words() {
    let folder = folder();
    let mount = |args: &[&str]| {
        let done = std::process::Command::new(args[0]).args(&args[1..]).arg(folder.path()).output();
        done.is_ok_and(|done| done.status.success())
    };
    if !mount(&["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs"]) {
        return crewbell_shared::testing::skipped("this user may not mount a small disk");
    }
    let outcome = fill_up(folder.path(), || assert!(mount(&["mount", "-o", "remount,size=8m"]))).await;
    mount(&["umount", "-l"]);
    let (full, image, loaded) = outcome.unwrap();
    assert_eq!(full, StoreError::Full);
    assert_eq!((loaded.outbox.len(), &loaded), (image.outbox.len(), &image));
}

#[cfg(target_os = "linux")]
async fn fill_up(folder: &Path, make_room: impl FnOnce()) -> Result<(StoreError, Image, Image), StoreError> {
    let (mut store, _) = Sqlite::open(folder).await?;
    let mut image = Image::default();
    let mut from = 0;
    let full = loop {
        let writes = much(from);
        match store.write(&writes).await {
            Ok(()) => image.apply(&writes),
            Err(error) => break error,
        }
        from += 300;
    };
    store.close().await;
    make_room();
    let (mut store, opened) = Sqlite::open(folder).await?;
    assert_eq!(opened, Opened::default());
    let loaded = store.load().await?;
    store.close().await;
    Ok((full, image, loaded))
}
