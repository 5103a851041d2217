//! A device that is killed while it writes.
//!
//! The test starts itself as another process, which writes one batch after the other and says when each is done, and
//! kills it. What is on the disk then must be what some number of batches make, in each file, and never fewer than were
//! said to be done.

use std::io::{BufRead, BufReader, Write as _};
use std::process::{Command, Stdio};

use super::*;
use crate::store::Doing;
use crate::store::conformance::{cursor, line, request, session, waiting};

/// Names the folder to the process that writes.
const FOLDER: &str = "CREWBELL_STORE_KILL_FOLDER";

/// What is written, batch by batch: entries with their cursor and lines, commands kept, marked and dropped, a snapshot at
/// times, and at times somebody else signs in.
fn batch(number: u64) -> Vec<Write> {
    let key = u128::from(number);
    let text = format!("batch {number}");
    let mut writes = vec![
        Write::Put { noun: request(key % 40, &text), seq: number },
        Write::Put { noun: request(100 + key % 7, &text), seq: number },
        Write::Tell(line(number)),
        Write::Advance(cursor(number)),
        Write::Keep(waiting(key)),
        Write::Set("batch".to_owned(), Some(text.clone())),
    ];
    if number > 6 {
        writes.push(Write::Mark(waiting(key - 3).command.id, Doing::Done { seq: number }));
        writes.push(Write::Drop(waiting(key - 6).command.id));
    }
    if number.is_multiple_of(11) {
        let nouns = (0..60).map(|noun| request(noun, &text)).collect();
        writes.insert(0, Write::Replace { nouns, cursor: cursor(number) });
    }
    if number.is_multiple_of(17) {
        writes.insert(0, Write::Wipe);
        writes.insert(1, Write::SignIn(session(&text)));
    }
    writes
}

/// The process that writes; as a test of its own it does nothing.
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

/// Starts it, lets it write so many batches and a bit, and kills it. Says which was the last that was done.
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
    // Into the middle of what it does next.
    (0..bit).for_each(|_| std::hint::spin_loop());
    child.kill().unwrap();
    child.wait().unwrap();
    // What it had said when it was killed and wasn't read yet.
    last = said.last().unwrap_or(last);
    last
}

/// What only the cache holds, and what only `keep.db` does.
fn halves(image: &Image) -> (Image, Image) {
    let Image { session, cursor, heard_at, seen, nouns, lines, outbox, settings } = image.clone();
    let cache = Image { cursor, heard_at, seen, nouns, lines, ..Image::default() };
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
        // One after what it said may be done, in one of the files or both; one that wipes goes to `keep.db` in two parts.
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
        assert!(keep == keep_now || keep == keep_next || wiped, "round {round}: keep.db after {done}: {keep:?}");
        assert!(keep != keep_next || cache == cache_next, "round {round}: keep.db is ahead of the cache");
        ahead += u32::from(cache == cache_next);
        apart += u32::from(cache == cache_next && keep != keep_next);
        // The rest of it is written again, as the engine would: the next round begins whole.
        image = next;
        applied = done + 1;
        store.write(&batch(applied)).await.unwrap();
        assert_eq!(store.load().await.as_ref(), Ok(&image), "round {round}: finished");
        store.close().await;
    }
    println!("30 kills, {applied} batches; {ahead} had a batch that nobody was told of, {apart} only in the cache");
}
