//! Merging of flags, environment and file into one [`Config`], with the location of each wrong value.

use super::check::check;
use super::keys::{KEYS, Key, Kind};
use super::{Config, ConfigError, ServeArgs};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

/// Variables that are no settings in the table.
const OTHER_VARIABLES: [&str; 2] = ["CREWBELL_CONFIG", "CREWBELL_PG_BIN"];

/// The process's environment, read once so that tests can replace it.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// The environment variables.
    pub variables: BTreeMap<String, String>,
    /// Whether root runs the server.
    pub is_root: bool,
}

impl Surroundings {
    /// Reads this process's environment.
    pub fn of_this_process() -> Self {
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        Self {
            variables: std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect(),
            is_root: nix::unistd::geteuid().is_root(),
        }
    }

    /// Returns a variable. An empty one counts as unset, as in compose files.
    fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub(super) fn default_data_dir(&self) -> PathBuf {
        // The XDG base directory specification says that relative paths are ignored.
        let home = |name: &str| self.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
        if self.is_root {
            PathBuf::from("/var/lib/crewbell")
        } else if let Some(data) = home("XDG_DATA_HOME") {
            data.join("crewbell")
        } else if let Some(home) = home("HOME") {
            home.join(".local/share/crewbell")
        } else {
            PathBuf::from(".crewbell")
        }
    }
}

/// The resolved settings, with their file and warnings.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// All settings.
    pub config: Config,
    /// The file that was read, if any.
    pub file: Option<PathBuf>,
    /// Warnings to log, such as about a variable that looks like a setting and is none.
    pub warnings: Vec<String>,
}

/// A setting's value from a flag or variable.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) key: &'static str,
    pub(super) origin: String,
    pub(super) value: Value,
}

/// Merges the settings; reads the configuration file.
///
/// # Errors
/// Returns the first wrong value, with its flag, its variable, or the file, line and column.
pub fn resolve(args: &ServeArgs, around: &Surroundings) -> Result<Resolved, ConfigError> {
    let mut said = from_environment(around)?;
    said.extend(args.said());
    for (key, value) in &args.settings {
        said.push(from_pair(key, value.expose())?);
    }
    for one in &said {
        validate(one)?;
    }
    let said_dir = said.iter().rev().find(|one| one.key == "data_dir").and_then(|one| one.value.as_str());
    let data_dir = said_dir.map_or_else(|| around.default_data_dir(), PathBuf::from);
    let file = File::find(args, around, &data_dir)?;

    let mut table = file.as_ref().map_or_else(Table::new, |file| file.table.clone());
    table.entry("data_dir").or_insert_with(|| Value::from(data_dir.to_string_lossy().into_owned()));
    for one in &said {
        put(&mut table, one.key, one.value.clone());
    }
    let unfit = |key: &'static str, message: &str| {
        let by_hand = said.iter().rev().find(|one| one.key == key).map(|one| one.origin.clone());
        let in_file = || file.as_ref().and_then(|file| file.place_of(key));
        let origin = by_hand.or_else(in_file).unwrap_or_else(|| "not set".to_owned());
        ConfigError::Unfit { key, origin, message: message.to_owned() }
    };
    let config = Config::deserialize(table).map_err(|e| unfit("settings", e.message()))?;
    check(&config).map_err(|(key, message)| unfit(key, message))?;
    Ok(Resolved { config, file: file.map(|file| file.path), warnings: strangers(around) })
}

fn from_environment(around: &Surroundings) -> Result<Vec<Said>, ConfigError> {
    let named = KEYS.iter().filter_map(|key| Some((key, key.variable(), around.get(&key.variable())?)));
    named.map(|(key, origin, text)| read(key, origin, text)).collect()
}

fn from_pair(name: &str, text: &str) -> Result<Said, ConfigError> {
    let origin = format!("--set {name}");
    if let Some(key) = KEYS.iter().find(|key| key.path == name) {
        return read(key, origin, text);
    }
    let all: Vec<&str> = KEYS.iter().map(|key| key.path).collect();
    let message = format!("no such setting; there are: {}", all.join(", "));
    Err(ConfigError::Said { origin, message })
}

fn read(key: &Key, origin: String, text: &str) -> Result<Said, ConfigError> {
    let wrong = |right: &str| ConfigError::Said { origin: origin.clone(), message: format!("`{text}` is no {right}") };
    let value = match key.kind {
        Kind::Text => Value::from(text),
        Kind::Number => Value::Integer(text.parse().map_err(|_| wrong("whole number"))?),
        Kind::Switch => match text {
            "true" | "1" | "yes" | "on" => Value::Boolean(true),
            "false" | "0" | "no" | "off" => Value::Boolean(false),
            _ => return Err(wrong("switch; write true or false")),
        },
    };
    Ok(Said { key: key.path, origin, value })
}

fn validate(said: &Said) -> Result<(), ConfigError> {
    let mut table = Table::new();
    put(&mut table, said.key, said.value.clone());
    Config::deserialize(table)
        .map(drop)
        .map_err(|e| ConfigError::Said { origin: said.origin.clone(), message: e.message().to_owned() })
}

fn put(table: &mut Table, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            table.insert(path.to_owned(), value);
        }
        Some((section, rest)) => {
            let inner = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

/// Returns warnings about unknown `CREWBELL_` variables. Most are misspelt, but container runtimes also create some.
fn strangers(around: &Surroundings) -> Vec<String> {
    let known: Vec<String> = KEYS.iter().map(Key::variable).collect();
    around
        .variables
        .keys()
        .filter(|name| name.starts_with("CREWBELL_"))
        .filter(|name| !known.contains(name) && !OTHER_VARIABLES.contains(&name.as_str()))
        .map(|name| format!("the environment variable {name} is no setting and has no effect"))
        .collect()
}

/// The configuration file.
struct File {
    path: PathBuf,
    text: String,
    table: Table,
}

impl File {
    /// Reads the named file, or the one in the data folder if it exists.
    fn find(args: &ServeArgs, around: &Surroundings, data_dir: &Path) -> Result<Option<Self>, ConfigError> {
        let named = args.config.clone().or_else(|| around.get("CREWBELL_CONFIG").map(PathBuf::from));
        let path = named.clone().unwrap_or_else(|| data_dir.join("crewbell.toml"));
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(path, text).map(Some),
            Err(e) if e.kind() == ErrorKind::NotFound && named.is_none() => Ok(None),
            Err(source) => Err(ConfigError::Unreadable { path, source }),
        }
    }

    fn parse(path: PathBuf, text: String) -> Result<Self, ConfigError> {
        let table = toml::from_str::<Config>(&text).and_then(|_| toml::from_str::<Table>(&text));
        match table {
            Ok(table) => Ok(Self { path, text, table }),
            Err(e) => {
                let span = e.span().unwrap_or_default();
                let (line, column) = position(&text, &span);
                let read = shown(text.lines().nth(line - 1).unwrap_or_default());
                Err(ConfigError::File { path, line, column, message: e.message().to_owned(), read })
            }
        }
    }

    /// Returns `FILE, line N` of a setting, if the file sets it.
    fn place_of(&self, key: &str) -> Option<String> {
        let document = DeTable::parse(&self.text).ok()?;
        let span = span_of(document.get_ref(), key)?;
        Some(format!("{}, line {}", self.path.display(), position(&self.text, &span).0))
    }
}

fn span_of(table: &DeTable<'_>, path: &str) -> Option<Range<usize>> {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let (key, value) = table.iter().find(|(key, _)| key.get_ref() == name)?;
    match (rest, value.get_ref()) {
        (None, _) => Some(Spanned::span(key)),
        (Some(rest), DeValue::Table(inner)) => span_of(inner, rest),
        (Some(_), _) => None,
    }
}

/// Returns the line and column of a position, both from 1, the column in characters.
fn position(text: &str, span: &Range<usize>) -> (usize, usize) {
    let before = text.get(..span.start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

/// Returns a line without secrets; database URLs may hold passwords too.
fn shown(line: &str) -> String {
    if ["password", "secret", "token", "url"].iter().any(|word| line.contains(word)) {
        let name = line.split('=').next().unwrap_or_default().trim();
        return format!("{name} = (not shown)");
    }
    line.trim().to_owned()
}
