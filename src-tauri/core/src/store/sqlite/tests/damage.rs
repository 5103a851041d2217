//! Tests with damaged files.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use crewbell_shared::ids::CommandId;

use super::*;
use crate::store::conformance::{cursor, line, request, session, waiting};
use crate::store::{CommandStatus, Waiting};

const FILES: [&str; 4] = ["cache.db", "cache.db-wal", "local.db", "local.db-wal"];

/// The contents of a folder's files.
type Files = Vec<(&'static str, Vec<u8>)>;

fn take(folder: &Path) -> Files {
    FILES.iter().filter_map(|name| Some((*name, fs::read(folder.join(name)).ok()?))).collect()
}

fn lay(files: &Files, folder: &Path) {
    for (name, bytes) in files {
        fs::write(folder.join(name), bytes).unwrap();
    }
}

/// Returns three devices: one closed in order, one that stopped with all data in the logs, one with some in each.
async fn devices() -> Vec<(Files, Image)> {
    let mut devices = Vec::new();
    for closed_after in [9, 0, 4] {
        let folder = folder();
        let mut store = open(folder.path()).await;
        let mut image = Image::default();
        for round in 0..9_u64 {
            if round == closed_after {
                store.close().await;
                store = open(folder.path()).await;
            }
            let mut writes = vec![Write::SignIn(session("Sam")), Write::Advance(cursor(round))];
            for number in round * 5..round * 5 + 5 {
                writes.push(Write::UpsertEntity { entity: request(number.into(), "Two towels"), seq: number });
                writes.push(Write::AppendLine(line(number)));
                writes.push(Write::UpsertCommand(waiting(number.into())));
            }
            writes.push(Write::DeleteCommand(waiting(u128::from(round) * 5).command.id));
            check(&mut store, &mut image, &writes).await.unwrap();
        }
        if closed_after == 9 {
            store.close().await;
        }
        devices.push((take(folder.path()), image));
    }
    devices
}

/// A deterministic random number generator.
struct Luck(u64);

impl Luck {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit.max(1)
    }
}

/// Damages a file and returns a description.
fn damage(bytes: &mut Vec<u8>, luck: &mut Luck) -> String {
    let at = luck.below(bytes.len());
    let end = (at + 1 + luck.below(600)).min(bytes.len());
    match luck.below(8) {
        0 => {
            bytes.truncate(at);
            format!("cut at {at}")
        }
        1 => {
            bytes.clear();
            "emptied".to_owned()
        }
        2 => {
            bytes[at..end].fill(0);
            format!("zeroes in {at}..{end}")
        }
        3 => {
            bytes[at..end].fill_with(|| u8::try_from(luck.below(256)).unwrap());
            format!("noise in {at}..{end}")
        }
        4 => {
            let at = luck.below(100.min(bytes.len()));
            bytes[at] ^= 1 << luck.below(8);
            format!("a bit of the header, at {at}")
        }
        _ => {
            bytes[at] ^= 1 << luck.below(8);
            format!("a bit at {at}")
        }
    }
}

/// Returns the commands whose rows are intact somewhere in these bytes.
fn legible(files: &Files, outbox: &[Waiting]) -> BTreeSet<CommandId> {
    let local = files.iter().filter(|(name, _)| name.starts_with("local"));
    let starts = |bytes: &[u8]| {
        let is_start = |at: &usize| bytes[*at] == b'{' && bytes[*at..].starts_with(br#"{"command":"#);
        (0..bytes.len()).filter(is_start).collect::<Vec<_>>()
    };
    let rows: Vec<&[u8]> = local.flat_map(|(_, bytes)| starts(bytes).into_iter().map(|at| &bytes[at..])).collect();
    let stands = |waiting: &&Waiting| {
        let did = crate::store::sqlite::local::Held::of(waiting).unwrap().did.unwrap();
        rows.iter().any(|row| row.starts_with(&did))
    };
    outbox.iter().filter(stands).map(|waiting| waiting.command.id).collect()
}

/// Returns the ids of the commands in the outbox.
fn ids(image: &Image) -> BTreeSet<CommandId> {
    image.outbox.iter().map(|waiting| waiting.command.id).collect()
}

#[tokio::test]
async fn damage_of_any_kind_is_opened_and_told_and_costs_no_command_that_can_be_read() {
    let devices = devices().await;
    let mut luck = Luck(20_261_121);
    let (mut rebuilt, mut unharmed, mut lost, mut cut, mut raised, mut aside) = (0, 0, 0, 0, 0, 0);
    let cases = 300;
    for case in 0..cases {
        let (files, image) = &devices[luck.below(devices.len())];
        let mut files = files.clone();
        let which = luck.below(files.len());
        let name = files[which].0;
        let how = damage(&mut files[which].1, &mut luck);
        let what = format!("case {case}: {name}, {how}");
        let folder = folder();
        lay(&files, folder.path());
        let opening = tokio::time::timeout(Duration::from_secs(20), Sqlite::open(folder.path()));
        let (mut store, opened) = opening.await.expect(&what).unwrap_or_else(|error| panic!("{what}: {error}"));
        let mut loaded = store.load().await.unwrap_or_else(|error| panic!("{what}: {error}"));
        let (before, after) = (ids(image), ids(&loaded));
        if name.starts_with("cache") {
            assert_eq!(loaded.outbox, image.outbox, "{what}");
            assert_eq!(loaded.session, image.session, "{what}");
        } else {
            assert_eq!(loaded.entities, image.entities, "{what}");
        }
        let missing: Vec<_> = legible(&files, &image.outbox).difference(&after).copied().collect();
        assert!(missing.is_empty(), "{what}: {missing:?} could be read");
        let gone = before.difference(&after).count();
        // Each command that was put aside is reported by `Notice::Unreadable`, and can be exported as a file.
        assert_eq!(store.unreadable().await.unwrap().len(), opened.unreadable as usize, "{what}");
        let told = opened.rebuilt.is_some() || opened.unreadable as usize >= gone;
        // A truncated log looks like one that ended there; all other loss must be reported.
        let is_cut = how.starts_with("cut") || how == "emptied";
        assert!(told || gone == 0 || (is_cut && name == "local.db-wal"), "{what}: {gone} lost, not told");
        // Commands that will be sent are unchanged.
        for waiting in loaded.outbox.iter().filter(|waiting| waiting.doing == CommandStatus::Waiting) {
            let Some(was) = image.waiting(waiting.command.id) else { panic!("{what}: {waiting:?} was dropped") };
            assert_eq!((&waiting.command, &waiting.by), (&was.command, &was.by), "{what}");
        }
        rebuilt += u32::from(opened.rebuilt.is_some());
        unharmed += u32::from(loaded == *image);
        lost += gone;
        cut += if is_cut { gone } else { 0 };
        raised += after.difference(&before).count();
        aside += opened.unreadable;
        // Writes succeed, and the next start finds no damage.
        let writes =
            [Write::UpsertCommand(waiting(900)), Write::UpsertEntity { entity: request(900, "after"), seq: 900 }];
        check(&mut store, &mut loaded, &writes).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        store.close().await;
        let (mut store, again) = Sqlite::open(folder.path()).await.unwrap();
        assert_eq!(again, Opened { unreadable: opened.unreadable, ..Opened::default() }, "{what}");
        assert_eq!(store.load().await, Ok(loaded), "{what}");
    }
    println!(
        "{cases} cases: {rebuilt} told as rebuilt, {unharmed} without effect; of the commands, {lost} were lost ({cut} in \
         files that were cut or emptied), {aside} \
         put aside, {raised} that had been dropped came back for the person to decide"
    );
    assert!(rebuilt > 80 && unharmed > 50);
}

#[tokio::test]
async fn a_cache_that_is_no_database_is_moved_aside_and_two_are_left_to_look_at() {
    let folder = folder();
    let mut store = open(folder.path()).await;
    let mut image = Image::default();
    check(&mut store, &mut image, &[Write::SignIn(session("Sam")), Write::UpsertCommand(waiting(1))]).await.unwrap();
    store.close().await;
    for _ in 0..4 {
        fs::write(folder.path().join("cache.db"), "this is no database, but it is long enough to be read").unwrap();
        let (mut store, opened) = Sqlite::open(folder.path()).await.unwrap();
        assert_eq!(opened.rebuilt, Some(crate::store::Rebuilt { saved: 1 }));
        assert_eq!(store.load().await.as_ref(), Ok(&image));
        store.close().await;
    }
    let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let aside: BTreeSet<_> = names.filter(|name| name.contains("broken")).collect();
    assert_eq!(aside.into_iter().collect::<Vec<_>>(), ["cache.db.broken-3", "cache.db.broken-4"]);
}

#[tokio::test]
async fn a_keep_that_was_being_replaced_when_the_device_stopped_is_replaced() {
    for gone in [&[][..], &["local.db-wal"], &["local.db-wal", "local.db"]] {
        let (files, image) = devices().await.swap_remove(1);
        let folder = folder();
        lay(&files, folder.path());
        let store = open(folder.path()).await;
        store.close().await;
        fs::rename(folder.path().join("local.db"), folder.path().join("local.db.new")).unwrap();
        lay(&files, folder.path());
        for name in gone {
            fs::remove_file(folder.path().join(name)).unwrap();
        }
        let (mut store, opened) = Sqlite::open(folder.path()).await.unwrap();
        assert_eq!(store.load().await, Ok(image), "without {gone:?}");
        assert_eq!(opened.rebuilt.is_some(), gone.len() < 2);
        assert!(!folder.path().join("local.db.new").exists());
    }
}
