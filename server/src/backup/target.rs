//! The database to back up or restore, and the connection of the tools to it.

use super::BackupError;
use crate::cluster::{Binaries, Cluster, DATABASE, ROOT_ROLE};
use sqlx::postgres::PgConnectOptions;
use std::fmt;
use std::path::PathBuf;
use std::process::Stdio;
use std::str::FromStr;
use tokio::process::Command;

/// A database, with the PostgreSQL tools for it.
#[derive(Debug, Clone)]
pub struct BackupTarget {
    binaries: Binaries,
    way: TargetKind,
}

#[derive(Clone)]
enum TargetKind {
    Private { socket_folder: PathBuf, options: PgConnectOptions },
    External { options: PgConnectOptions, address: Address },
}

impl BackupTarget {
    /// Returns the private cluster's database, accessed as superuser: row-level security hides nothing from a backup.
    pub fn private(cluster: &Cluster) -> Self {
        Self {
            binaries: cluster.binaries().clone(),
            way: TargetKind::Private {
                socket_folder: cluster.socket_folder().to_owned(),
                options: cluster.connect_options(ROOT_ROLE, DATABASE),
            },
        }
    }

    /// Returns an external database. `url` is the owner's; a restore needs that role to be allowed to create databases.
    ///
    /// # Errors
    /// Returns [`BackupError::Address`] if the URL can't be parsed.
    pub fn external(binaries: Binaries, url: &str) -> Result<Self, BackupError> {
        let options = PgConnectOptions::from_str(url).map_err(|_| BackupError::Address)?;
        let address = Address::parse(url).ok_or(BackupError::Address)?;
        Ok(Self { binaries, way: TargetKind::External { options, address } })
    }

    /// Returns the database's name.
    pub fn database(&self) -> &str {
        match &self.way {
            TargetKind::Private { .. } => DATABASE,
            TargetKind::External { address, .. } => &address.database,
        }
    }

    pub(super) fn is_private(&self) -> bool {
        matches!(self.way, TargetKind::Private { .. })
    }

    pub(super) fn options(&self, database: &str) -> PgConnectOptions {
        let (TargetKind::Private { options, .. } | TargetKind::External { options, .. }) = &self.way;
        options.clone().database(database)
    }

    /// Returns a tool's command without a connection.
    pub(super) fn command(&self, tool: &str) -> Command {
        let mut command = Command::new(self.binaries.tool(tool));
        command.env("LC_ALL", "C").kill_on_drop(true);
        command
    }

    /// Returns a tool's command with the connection to a database of the same server. A password is passed in the
    /// environment, because every user of the machine can see arguments.
    pub(super) fn connected(&self, tool: &str, database: &str) -> Command {
        let mut command = self.command(tool);
        match &self.way {
            TargetKind::Private { socket_folder, .. } => {
                command.env_clear().env("LC_ALL", "C").arg("--host").arg(socket_folder);
                command.args(["--port=5432", "--username", ROOT_ROLE, "--dbname", database]);
            }
            TargetKind::External { address, .. } => {
                command.arg("--dbname").arg(address.without_password(database));
                if let Some(password) = &address.password {
                    command.env("PGPASSWORD", password);
                }
            }
        }
        command.arg("--no-password");
        command
    }
}

impl fmt::Debug for TargetKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Private { socket_folder, .. } => f.debug_tuple("Private").field(socket_folder).finish(),
            Self::External { address, .. } => f.debug_tuple("External").field(&address.database).finish(),
        }
    }
}

/// Runs a tool to completion.
pub(super) async fn run(tool: &'static str, mut command: Command) -> Result<Vec<u8>, BackupError> {
    let program = PathBuf::from(command.as_std().get_program());
    let out = command.stdin(Stdio::null()).output().await.map_err(BackupError::io("cannot run", &program))?;
    if out.status.success() {
        return Ok(out.stdout);
    }
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    Err(BackupError::Tool { tool, status: out.status.to_string(), said })
}

/// A parsed `postgres://` URL.
#[derive(Clone, PartialEq, Eq)]
struct Address {
    scheme: String,
    user: Option<String>,
    password: Option<String>,
    host: String,
    database: String,
    query: Option<String>,
}

impl Address {
    fn parse(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
        let (authority, database) = rest.split_once('/')?;
        let (login, host) = authority.rsplit_once('@').map_or((None, authority), |(login, host)| (Some(login), host));
        let (user, password) = match login.map(|login| login.split_once(':').ok_or(login)) {
            None => (None, None),
            Some(Ok((user, password))) => (Some(user), Some(decode(password)?)),
            Some(Err(user)) => (Some(user), None),
        };
        let pairs: Vec<&str> = query.into_iter().flat_map(|query| query.split('&')).collect();
        let in_query = pairs.iter().find_map(|pair| pair.strip_prefix("password=")).and_then(decode);
        let query: Vec<&str> = pairs.into_iter().filter(|pair| !pair.starts_with("password=")).collect();
        (!database.is_empty()).then_some(())?;
        Some(Self {
            scheme: scheme.to_owned(),
            user: user.map(str::to_owned),
            password: password.or(in_query),
            host: host.to_owned(),
            database: decode(database)?,
            query: (!query.is_empty()).then(|| query.join("&")),
        })
    }

    /// Returns the URL of a database on the same server. Characters other than `[a-zA-Z0-9_-]` in its name are
    /// percent-encoded.
    fn without_password(&self, database: &str) -> String {
        let user = self.user.as_ref().map_or_else(String::new, |user| format!("{user}@"));
        let query = self.query.as_ref().map_or_else(String::new, |query| format!("?{query}"));
        format!("{}://{user}{}/{}{query}", self.scheme, self.host, encode(database))
    }
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let (high, low) = (char::from(rest.next()?).to_digit(16)?, char::from(rest.next()?).to_digit(16)?);
                u8::try_from(high * 16 + low).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

fn encode(text: &str) -> String {
    use fmt::Write;
    text.bytes().fold(String::new(), |mut done, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') {
            done.push(char::from(byte));
        } else {
            let _ = write!(done, "%{byte:02X}");
        }
        done
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_never_stays_in_the_address() {
        for (url, password, bare) in [
            (
                "postgres://dana:s%40lt@db:5432/crew?sslmode=require",
                Some("s@lt"),
                "postgres://dana@db:5432/new?sslmode=require",
            ),
            ("postgresql://db/crew?password=salt&sslmode=require", Some("salt"), "postgresql://db/new?sslmode=require"),
            ("postgres://dana@[::1]:5432/crew", None, "postgres://dana@[::1]:5432/new"),
            ("postgres://dana:a@b:c@db/crew", Some("a@b:c"), "postgres://dana@db/new"),
        ] {
            let address = Address::parse(url).unwrap();
            assert_eq!(address.password.as_deref(), password, "{url}");
            assert_eq!(address.without_password("new"), bare, "{url}");
            assert_eq!(address.database, "crew");
        }
    }

    #[test]
    fn an_address_without_a_database_is_refused() {
        for url in ["postgres://db", "postgres://db/", "host=db", "postgres://a:%zz@db/x"] {
            assert!(Address::parse(url).is_none(), "{url}");
        }
    }
}
