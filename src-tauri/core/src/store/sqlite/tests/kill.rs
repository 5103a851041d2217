//! Tests with a process that is killed while it writes.
//!
//! The test starts itself as another process, which writes batches and reports each completed one, and kills it. Each
//! file must then hold the result of some number of batches, and never of fewer than were reported.

use std::io::{BufRead, BufReader, Write as _};
use std::process::{Command, Stdio};

use super::*;
use crate::store::CommandStatus;
use crate::store::conformance::{cursor, line, request, session, waiting};

/// The environment variable that names the folder for the writing process.
const FOLDER: &str = "CREWBELL_STORE_KILL_FOLDER";

/// Returns a batch: entries with their cursor and lines, commands stored, marked and dropped, occasionally a snapshot
/// or a sign-in of another person.
fn batch(number: u64) -> Vec<Write> {
    let key = u128::from(number);
    let text = format!("batch {number}");
    let mut writes = vec![
        Write::UpsertEntity { entity: request(key % 40, &text), seq: number },
        Write::UpsertEntity { entity: request(100 + key % 7, &text), seq: number },
        Write::AppendLine(line(number)),
        Write::Advance(cursor(number)),
        Write::UpsertCommand(waiting(key)),
        Write::Set("batch".to_owned(), Some(text.clone())),
    ];
    if number > 6 {
        writes.push(Write::Mark(waiting(key - 3).command.id, CommandStatus::Done { seq: number }));
        writes.push(Write::DeleteCommand(waiting(key - 6).command.id));
    }
    if number.is_multiple_of(11) {
        let entities = (0..60).map(|entity| request(entity, &text)).collect();
        writes.insert(0, Write::Replace { entities, cursor: cursor(number) });
    }
    if number.is_multiple_of(17) {
        writes.insert(0, Write::Wipe);
        writes.insert(1, Write::SignIn(session(&text)));
    }
    writes
}

/// The writing process; without the variable this test does nothing.
#[test]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    runtime().block_on(async {
        let (mut store, _) = Sqlite::open(Path::new(&folder)).await.unwrap();
        let begun: u64 = store.load().await.unwrap().cursor.map_or(0, |cursor| cursor.seq);
        for number in begun + 1.. {
            store.write(&batch(number)).await.unwrap();
            let mut out = std::io::stdout().lock();
            writeln!(out, "done {number}").unwrap();
            out.flush().unwrap();
        }
    });
}

/// Starts the process, lets it write a number of batches and spin a while, and kills it. Returns the last reported
/// batch.
fn write_and_kill(folder: &Path, batches: usize, bit: u32) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::sqlite::tests::kill::child", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let done = |line: std::io::Result<String>| line.ok()?.split_once("done ")?.1.trim().parse().ok();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines().filter_map(done);
    let mut last = said.by_ref().take(batches).last().unwrap_or(0);
    // Kill it in the middle of the next batch.
    (0..bit).for_each(|_| std::hint::spin_loop());
    child.kill().unwrap();
    child.wait().unwrap();
    // Batches that were reported before the kill and haven't been read yet.
    last = said.last().unwrap_or(last);
    last
}

/// Splits an image into the parts of the cache and of `local.db`.
fn halves(image: &Image) -> (Image, Image) {
    let Image { session, cursor, heard_at, seen, entities, lines, outbox, settings } = image.clone();
    let cache = Image { cursor, heard_at, seen, entities, lines, ..Image::default() };
    (cache, Image { session, outbox, settings, ..Image::default() })
}

#[tokio::test]
async fn killed_at_any_instant_each_file_holds_what_was_done_and_no_hole() {
    let folder = folder();
    let mut image = Image::default();
    let mut applied = 0;
    let mut luck = 0x9e37_79b9_u32;
    let (mut ahead, mut apart) = (0, 0);
    for round in 0..30_u32 {
        luck = luck.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let done = write_and_kill(folder.path(), 1 + (luck >> 28) as usize, (luck >> 8) % 300_000);
        assert!(done >= applied, "round {round}");
        let mut store = open(folder.path()).await;
        let (cache, keep) = halves(&store.load().await.unwrap());
        // One batch after the last reported one may be complete, in one file or both; a wipe is written to `local.db` in
        // two parts.
        for number in applied + 1..=done {
            image.apply(&batch(number));
        }
        let mut next = image.clone();
        next.apply(&batch(done + 1));
        let mut wiped = image.clone();
        wiped.apply(&[Write::Wipe]);
        let ((cache_now, keep_now), (cache_next, keep_next)) = (halves(&image), halves(&next));
        let is_wiping = batch(done + 1)[0] == Write::Wipe || batch(done + 1)[1] == Write::Wipe;
        assert!(cache == cache_now || cache == cache_next, "round {round}: the cache after {done}");
        let wiped = is_wiping && keep == halves(&wiped).1;
        assert!(keep == keep_now || keep == keep_next || wiped, "round {round}: local.db after {done}: {keep:?}");
        assert!(keep != keep_next || cache == cache_next, "round {round}: local.db is ahead of the cache");
        ahead += u32::from(cache == cache_next);
        apart += u32::from(cache == cache_next && keep != keep_next);
        // Complete the interrupted batch, as the engine would, so that the next round starts in a consistent state.
        image = next;
        applied = done + 1;
        store.write(&batch(applied)).await.unwrap();
        assert_eq!(store.load().await.as_ref(), Ok(&image), "round {round}: finished");
        store.close().await;
    }
    println!("30 kills, {applied} batches; {ahead} had a batch that nobody was told of, {apart} only in the cache");
}
