//! Tests of the store with real files.

mod damage;
mod full;
mod kill;
mod versions;
mod wipe;

use std::path::Path;

use crewbell_shared::testing::at;
use proptest::prelude::*;
use tempfile::TempDir;

use super::{Opened, Sqlite};
use crate::engine::{Engine, Input, Now};
use crate::store::conformance::{self, check};
use crate::store::{Image, Store, StoreError, Write};

fn folder() -> TempDir {
    TempDir::with_prefix("crewbell-store-").unwrap()
}

/// Opens a store whose files must be intact.
async fn open(folder: &Path) -> Sqlite {
    let (store, opened) = Sqlite::open(folder).await.unwrap();
    assert_eq!(opened, Opened::default());
    store
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[tokio::test]
async fn it_conforms() {
    let folder = folder();
    let reopen = async |store: Sqlite| {
        store.close().await;
        open(folder.path()).await
    };
    conformance::suite(open(folder.path()).await, reopen).await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// For any writes in any batches, the loaded image equals the image in memory, whether the store was reopened or
    /// not.
    #[test]
    fn it_loads_what_the_image_makes_of_any_writes(
        batches in proptest::collection::vec(proptest::collection::vec(any::<(u8, u8, u16)>(), 0..12), 1..24),
        often in 1..8_usize,
    ) {
        let folder = folder();
        runtime().block_on(async {
            let mut store = open(folder.path()).await;
            let mut image = Image::default();
            for (number, batch) in batches.iter().enumerate() {
                let writes: Vec<_> = batch.iter().copied().map(conformance::write).collect();
                check(&mut store, &mut image, &writes).await.unwrap();
                if number % often == 0 {
                    store.close().await;
                    store = open(folder.path()).await;
                    assert_eq!(store.load().await.as_ref(), Ok(&image), "opened again after {writes:?}");
                }
            }
        });
    }
}

#[tokio::test]
async fn a_folder_that_is_open_is_refused_in_words() {
    let folder = folder();
    let store = open(folder.path()).await;
    let Err(StoreError::Failed(why)) = Sqlite::open(folder.path()).await.map(drop) else { panic!("it was opened") };
    assert!(why.starts_with("another Crewbell has "), "{why}");
    store.close().await;
    open(folder.path()).await;
}

#[tokio::test]
async fn a_sign_out_that_was_cut_short_between_the_files_is_finished_at_the_next_start() {
    let folder = folder();
    let mut store = open(folder.path()).await;
    let replace = Write::Replace { entities: vec![conformance::request(1, "a")], cursor: conformance::cursor(1) };
    store.write(&[Write::SignIn(conformance::session("Sam")), replace]).await.unwrap();
    // A wipe whose first step is done when the device stops.
    store.keep.begin().await.unwrap();
    super::local::write(&mut store.keep, &[Write::Wipe]).await.unwrap();
    store.keep.commit().await.unwrap();
    store.close().await;
    let mut store = open(folder.path()).await;
    let engine = Engine::new(store.load().await.unwrap());
    let step = engine.decide(Input::Start, Now { wall: at(9), tick: 0, jitter: 0 });
    assert_eq!(step.writes, [Write::Wipe]);
    store.write(&step.writes).await.unwrap();
    assert_eq!(store.load().await, Ok(Image::default()));
}

#[tokio::test]
async fn its_size_grows_with_what_is_in_it() {
    let folder = folder();
    let mut store = open(folder.path()).await;
    let before = store.bytes();
    let writes: Vec<_> = (0..200).map(|number| Write::UpsertCommand(conformance::waiting(number))).collect();
    store.write(&writes).await.unwrap();
    assert!(before > 0 && store.bytes() > before + 20_000, "{before}, {}", store.bytes());
}
