//! Files that a person exports to the downloads folder.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;
use tokio::io::AsyncWriteExt;

use super::command_text;
use super::names::Names;
use crate::screen::{ActivityLine, AskError};
use crate::store::{CommandStatus, Session, Unreadable, Waiting};

/// Writes a new file without ever overwriting one, and returns its path.
pub(super) async fn save(folder: &Path, name: &str, extension: &str, bytes: &[u8]) -> Result<String, AskError> {
    let failed = |error: std::io::Error| AskError::NotKept {
        why: error.to_string(),
        full: matches!(error.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded),
    };
    tokio::fs::create_dir_all(folder).await.map_err(failed)?;
    let mut number = 1;
    let (path, mut file) = loop {
        let path = numbered(folder, name, extension, number);
        match tokio::fs::File::create_new(&path).await {
            Ok(file) => break (path, file),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && number < 1000 => number += 1,
            Err(error) => return Err(failed(error)),
        }
    };
    let written = async {
        file.write_all(bytes).await?;
        file.sync_all().await
    };
    if let Err(error) = written.await {
        // A partial file would be mistaken for the whole.
        let _ = tokio::fs::remove_file(&path).await;
        return Err(failed(error));
    }
    Ok(path.display().to_string())
}

fn numbered(folder: &Path, name: &str, extension: &str, number: u32) -> PathBuf {
    let number = if number == 1 { String::new() } else { format!("-{number}") };
    folder.join(format!("{name}{number}.{extension}"))
}

/// Formats a time for a file name: `2026-11-21-103000`, UTC.
pub(super) fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d-%H%M%S").to_string()
}

/// The exported outbox of a device, for another device or a person to read.
#[derive(Serialize)]
struct Outbox<'a> {
    about: &'static str,
    saved_at: Timestamp,
    server: Option<&'a str>,
    site: Option<&'a str>,
    items: Vec<Item<'a>>,
    #[serde(skip_serializing_if = "<[Unreadable]>::is_empty")]
    unreadable: &'a [Unreadable],
}

#[derive(Serialize)]
struct Item<'a> {
    who: &'a str,
    when: Timestamp,
    what: String,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused_because: Option<&'a str>,
    command: &'a crewbell_shared::protocol::Command,
}

/// Serialises the outbox as a file.
pub(super) fn outbox(
    items: &[Waiting],
    unreadable: &[Unreadable],
    session: Option<&Session>,
    names: &Names,
    at: Timestamp,
) -> serde_json::Result<Vec<u8>> {
    let item = |item: &'_ Waiting| -> (&'static str, Option<String>) {
        match &item.doing {
            CommandStatus::Waiting => ("waiting", None),
            CommandStatus::Done { .. } => ("done", None),
            CommandStatus::Refused { refusal, .. } => ("refused", Some(refusal.message.clone())),
        }
    };
    let states: Vec<_> = items.iter().map(item).collect();
    let items = items.iter().zip(&states).map(|(item, (state, because))| Item {
        who: &item.by.name,
        when: item.at,
        what: command_text::of(&item.command.verb, names),
        state,
        refused_because: because.as_deref(),
        command: &item.command,
    });
    serde_json::to_vec_pretty(&Outbox {
        about: "What was done on this device and is not with the Crewbell server yet. `commands` of POST /api/commands \
                take each `command` as it is; sent twice, it is done once. What is `unreadable` was done too, and is here as \
                it was found.",
        saved_at: at,
        server: session.map(|session| session.server.as_str()),
        site: session.map(|session| session.site.as_str()),
        items: items.collect(),
        unreadable,
    })
}

/// Formats lines as CSV (RFC 4180), with a first row that says that the data is partial.
pub(super) fn csv(lines: impl Iterator<Item = ActivityLine>) -> Vec<u8> {
    let mut csv = String::new();
    row(&mut csv, &["Only what this device has: the server could not be reached.", "", "", "", "", "", "", ""]);
    row(&mut csv, &["seq", "time", "category", "type", "actor", "entity_type", "entity_id", "subject"]);
    for ActivityLine { line, subject } in lines {
        let (entity_type, id) =
            line.about.map_or(("", String::new()), |key| (key.entity_type.as_str(), key.id.to_string()));
        let cells = [&line.seq.to_string(), &line.at.to_string(), &line.category, &line.kind, &line.actor.name];
        let cells = cells.map(String::as_str);
        let [seq, at, category, kind, actor] = cells;
        row(&mut csv, &[seq, at, category, kind, actor, entity_type, &id, subject.as_deref().unwrap_or_default()]);
    }
    csv.into_bytes()
}

/// Appends a row. Cells that a spreadsheet would take for a formula are turned into text.
fn row(csv: &mut String, cells: &[&str; 8]) {
    for (place, cell) in cells.iter().enumerate() {
        let comma = if place == 0 { "" } else { "," };
        let guard = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
        let _ = write!(csv, "{comma}\"{guard}{}\"", cell.replace('"', "\"\""));
    }
    csv.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_that_is_there_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let downloads = folder.path().join("downloads");
        let first = save(&downloads, "unsent", "json", b"1").await.unwrap();
        let second = save(&downloads, "unsent", "json", b"2").await.unwrap();
        assert!(first.ends_with("unsent.json") && second.ends_with("unsent-2.json"));
        assert_eq!(std::fs::read(first).unwrap(), b"1");
    }

    #[test]
    fn a_formula_in_a_table_is_a_text() {
        let mut csv = String::new();
        row(&mut csv, &["=1+1", "a \"b\"", "", "", "", "", "", ""]);
        assert_eq!(csv, "\"'=1+1\",\"a \"\"b\"\"\",\"\",\"\",\"\",\"\",\"\",\"\"\r\n");
    }
}
