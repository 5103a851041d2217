//! The private cluster's settings file `crewbell.conf`, which `postgresql.conf` includes.

use super::ClusterSettings;
use super::error::{At, ClusterError};
use super::home::Home;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The end of `postgresql.conf`, so that these settings win. The operator's own settings go into `crewbell.local.conf`,
/// which is never rewritten.
pub(crate) const INCLUDE: &str = "\n# Crewbell\ninclude = 'crewbell.conf'\ninclude_if_exists = 'crewbell.local.conf'\n";

/// Writes `crewbell.conf` atomically.
pub(crate) fn write(home: &Home, pg: &Path, socket: &Path, settings: &ClusterSettings) -> Result<(), ClusterError> {
    let part = pg.join("crewbell.conf.part");
    match std::fs::remove_file(&part) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(e).at("cannot remove", &part)?,
        _ => {}
    }
    // `create_new` doesn't follow symbolic links: as root, this writes into another user's folder.
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part).at("cannot create", &part)?;
    file.write_all(text(socket, settings).as_bytes()).at("cannot write", &part)?;
    file.sync_all().at("cannot write", &part)?;
    home.give(&part)?;
    std::fs::rename(&part, pg.join("crewbell.conf")).at("cannot rename", &part)
}

fn text(socket: &Path, settings: &ClusterSettings) -> String {
    let socket = socket.display().to_string().replace('\'', "''");
    format!(
        "# Written by crewbell-server at every start. Settings of your own belong in crewbell.local.conf.

# Reached only through a socket in a folder that is private to one user.
listen_addresses = ''
unix_socket_directories = '{socket}'
unix_socket_permissions = 0700
port = 5432
max_connections = {connections}
cluster_name = 'crewbell'

# What was acknowledged stays, through a power cut too.
fsync = on
synchronous_commit = on
full_page_writes = on

# Lean, for a small machine with a small disk.
shared_buffers = {buffers}MB
wal_compression = on
min_wal_size = 128MB
max_wal_size = 1GB
checkpoint_timeout = 10min
checkpoint_completion_target = 0.9
jit = off
max_parallel_workers_per_gather = 0
autovacuum = on

# Kept small, and without values: those may be the names of guests.
logging_collector = on
log_directory = 'log'
log_filename = 'postgresql-%Y-%m-%d_%H%M%S.log'
log_file_mode = 0600
log_rotation_age = 0
log_rotation_size = 10MB
log_line_prefix = '%m [%p] %u@%d '
log_error_verbosity = terse
log_min_error_statement = panic
log_min_duration_statement = 1s
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
log_checkpoints = off
lc_messages = 'C'
timezone = 'UTC'
log_timezone = 'UTC'
",
        connections = settings.max_connections,
        buffers = settings.shared_buffers_mb,
    )
}
