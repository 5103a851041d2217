//! Getting what only this device knows out of a damaged `keep.db`.
//!
//! 1. The pages of the log go into a copy of the file, the damaged ones, too, and the copy's header is mended.
//! 2. SQLite reads from the copy what it can, row by row. What it reads, and whose checksum is right, is as it was.
//! 3. Where that isn't all, the bytes are searched for commands. One that is found only so may have been sent or given up
//!    since: it isn't sent, but kept as refused, for the person to decide.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crewbell_shared::ids::CommandId;

use super::super::{Doing, Waiting};
use super::db::{Care, Db};
use super::files;
use super::keep::{self, Did, Saved};
use super::wal::Wal;

/// What a row of the outbox holds begins so.
const NEEDLE: &[u8] = br#"{"command":{"#;

/// Saves what can be saved from what stood in the file and its log; second, what was found and is for the person to
/// decide. The copy is made beside the file.
pub(super) async fn salvage(path: &Path, file: Vec<u8>, log: &[u8]) -> (Saved, Vec<Waiting>) {
    if file.is_empty() && log.is_empty() {
        return (Saved::default(), Vec::new());
    }
    let wal = Wal::new(log);
    let mut copy = wal.onto(file.clone());
    mend_header(&mut copy);
    let saved = rescue(&files::beside(path, ".salvage"), &copy).await;
    if saved.whole && !wal.has_tail {
        return (saved, Vec::new());
    }
    let known: BTreeSet<CommandId> = saved.outbox.iter().filter_map(|held| Some(held.waiting()?.command.id)).collect();
    let mut found = search(&[&file, log, &copy]);
    found.retain(|waiting| !known.contains(&waiting.command.id));
    (saved, found)
}

async fn rescue(path: &Path, content: &[u8]) -> Saved {
    files::remove(path);
    let saved = match std::fs::write(path, content) {
        Ok(()) => match Db::open(path, Care::Making).await {
            Ok(mut db) => {
                let saved = keep::rescue(&mut db).await;
                db.close().await;
                saved
            }
            Err(_) => Saved::default(),
        },
        Err(_) => Saved::default(),
    };
    files::remove(path);
    saved
}

/// Puts right what the header of each of our files says (sqlite.org/fileformat2.html, section 1.3).
fn mend_header(file: &mut [u8]) {
    let Some(header) = file.get_mut(..100) else { return };
    header[..16].copy_from_slice(b"SQLite format 3\0");
    // Pages of 4096 bytes; no log, which is in it now; the fractions of a page that are fixed.
    header[16..24].copy_from_slice(&[0x10, 0, 1, 1, 0, 64, 32, 32]);
    // As many pages as the file has.
    header[28..32].fill(0);
    // The schema's format, and UTF-8.
    header[44..48].copy_from_slice(&4_u32.to_be_bytes());
    header[56..60].copy_from_slice(&1_u32.to_be_bytes());
}

/// The commands that stand anywhere in these bytes, each once. One that the server did is none.
fn search(all: &[&[u8]]) -> Vec<Waiting> {
    let mut found: BTreeMap<CommandId, Waiting> = BTreeMap::new();
    let mut done = BTreeSet::new();
    for bytes in all {
        for at in starts(bytes) {
            let Some(waiting) = read_at(&bytes[at..]) else { continue };
            let id = waiting.command.id;
            if matches!(waiting.doing, Doing::Done { .. }) {
                done.insert(id);
            }
            let better = matches!(waiting.doing, Doing::Refused { .. }) || !found.contains_key(&id);
            if better {
                found.insert(id, waiting);
            }
        }
    }
    let mut found: Vec<_> = found.into_values().filter(|waiting| !done.contains(&waiting.command.id)).collect();
    found.sort_by_key(|waiting| waiting.at);
    found.into_iter().map(keep::for_the_person).collect()
}

fn starts(bytes: &[u8]) -> impl Iterator<Item = usize> {
    (0..bytes.len()).filter(|at| bytes[*at] == NEEDLE[0] && bytes[*at..].starts_with(NEEDLE))
}

/// What a row holds, and how far it was behind it.
fn read_at(bytes: &[u8]) -> Option<Waiting> {
    let mut did = serde_json::Deserializer::from_slice(bytes).into_iter::<Did>();
    let read = did.next()?.ok()?;
    let doing = serde_json::Deserializer::from_slice(bytes.get(did.byte_offset()..)?).into_iter::<Doing>().next();
    Some(read.waiting(doing.and_then(Result::ok).unwrap_or(Doing::Waiting)))
}
