//! Recovers data from a damaged `local.db`.
//!
//! 1. The pages of the write-ahead log, damaged ones included, are applied to a copy of the file, and the copy's header
//!    is repaired.
//! 2. SQLite reads the copy row by row, as far as it can. A row with a correct checksum is intact.
//! 3. If that doesn't recover everything, the raw bytes are searched for commands. A command found only there may have
//!    been sent or discarded since, so it isn't sent, but stored as refused, for the person to decide.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crewbell_shared::ids::CommandId;

use super::super::{CommandStatus, Waiting};
use super::db::{Care, Db};
use super::files;
use super::local::{self, Did, Saved};
use super::wal::Wal;

/// The start of every serialised outbox row.
const NEEDLE: &[u8] = br#"{"command":{"#;

/// Recovers data from the bytes of a file and its log; the second value holds commands that are left to the person to
/// decide. The copy is created beside the file.
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
                let saved = local::rescue(&mut db).await;
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

/// Repairs the header with the values that all files of this app have (sqlite.org/fileformat2.html, section 1.3).
fn mend_header(file: &mut [u8]) {
    let Some(header) = file.get_mut(..100) else { return };
    header[..16].copy_from_slice(b"SQLite format 3\0");
    // Pages of 4096 bytes; no write-ahead log, as it has been applied; the fixed payload fractions.
    header[16..24].copy_from_slice(&[0x10, 0, 1, 1, 0, 64, 32, 32]);
    // Zero, so that the page count is taken from the file's size.
    header[28..32].fill(0);
    // The schema format number, and UTF-8.
    header[44..48].copy_from_slice(&4_u32.to_be_bytes());
    header[56..60].copy_from_slice(&1_u32.to_be_bytes());
}

/// Returns the commands found anywhere in these bytes, each once, except for those that the server accepted.
fn search(all: &[&[u8]]) -> Vec<Waiting> {
    let mut found: BTreeMap<CommandId, Waiting> = BTreeMap::new();
    let mut done = BTreeSet::new();
    for bytes in all {
        for at in starts(bytes) {
            let Some(waiting) = read_at(&bytes[at..]) else { continue };
            let id = waiting.command.id;
            if matches!(waiting.doing, CommandStatus::Done { .. }) {
                done.insert(id);
            }
            let better = matches!(waiting.doing, CommandStatus::Refused { .. }) || !found.contains_key(&id);
            if better {
                found.insert(id, waiting);
            }
        }
    }
    let mut found: Vec<_> = found.into_values().filter(|waiting| !done.contains(&waiting.command.id)).collect();
    found.sort_by_key(|waiting| waiting.at);
    found.into_iter().map(local::for_the_person).collect()
}

fn starts(bytes: &[u8]) -> impl Iterator<Item = usize> {
    (0..bytes.len()).filter(|at| bytes[*at] == NEEDLE[0] && bytes[*at..].starts_with(NEEDLE))
}

/// Parses a row's command, and the status that follows it.
fn read_at(bytes: &[u8]) -> Option<Waiting> {
    let mut did = serde_json::Deserializer::from_slice(bytes).into_iter::<Did>();
    let read = did.next()?.ok()?;
    let doing =
        serde_json::Deserializer::from_slice(bytes.get(did.byte_offset()..)?).into_iter::<CommandStatus>().next();
    Some(read.waiting(doing.and_then(Result::ok).unwrap_or(CommandStatus::Waiting)))
}
