//! Tests of the private cluster with the installed PostgreSQL: real processes and real kills.

use super::*;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use sqlx::{ConnectOptions, Connection, Executor, PgConnection};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};

fn settings(root: &Path) -> ClusterSettings {
    ClusterSettings { elsewhere: root.join("elsewhere"), ..ClusterSettings::default() }
}

/// Creates a temporary folder with mode 0700.
fn folder() -> tempfile::TempDir {
    tempfile::Builder::new().permissions(mode(0o700)).tempdir().unwrap()
}

async fn start(data: &Path) -> Cluster {
    Cluster::start(data, settings(data)).await.unwrap()
}

async fn owner(cluster: &Cluster) -> PgConnection {
    cluster.connect_options(OWNER_ROLE, DATABASE).connect().await.unwrap()
}

async fn presses(cluster: &Cluster) -> i64 {
    let mut conn = owner(cluster).await;
    sqlx::query_scalar("select count(*) from presses").fetch_one(&mut conn).await.unwrap()
}

async fn with_three_presses(data: &Path) -> Cluster {
    let cluster = start(data).await;
    let mut conn = owner(&cluster).await;
    conn.execute("create table presses (n int); insert into presses values (1), (2), (3);").await.unwrap();
    cluster
}

fn postmaster(cluster: &Cluster) -> i32 {
    cluster.guard.as_ref().unwrap().running.pid().unwrap()
}

/// Retries until a connection succeeds; the supervisor takes some milliseconds to notice a death.
async fn until_answered(cluster: &Cluster) {
    let answered = async {
        while cluster.connect_options(SERVER_ROLE, DATABASE).connect().await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), answered).await.unwrap();
}

#[tokio::test]
async fn the_first_start_makes_a_database_that_only_its_owner_can_change() {
    let data = folder();
    let cluster = start(data.path()).await;
    let mut server = cluster.connect_options(SERVER_ROLE, DATABASE).connect().await.unwrap();
    let refused = server.execute("create table mine (n int)").await.unwrap_err().to_string();
    assert!(refused.contains("permission denied"), "{refused}");
    owner(&cluster).await.execute("create table ours (n int)").await.unwrap();
    for (setting, value) in [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("data_checksums", "on"),
        ("listen_addresses", ""),
        ("server_encoding", "UTF8"),
        ("max_connections", "40"),
        ("jit", "off"),
    ] {
        let found: String =
            sqlx::query_scalar("select current_setting($1)").bind(setting).fetch_one(&mut server).await.unwrap();
        assert_eq!(found, value, "{setting}");
    }
    assert_eq!(cluster.socket_folder().metadata().unwrap().mode() & 0o777, 0o700);
    assert!(cluster.url_hint().contains("-U crewbell_owner crewbell"), "{}", cluster.url_hint());
    assert!(!data.path().join("pg").is_symlink(), "a folder private to root is opened for passing through");
    server.close().await.unwrap();
    cluster.stop().await.unwrap();
    assert!(!data.path().join("pg/postmaster.pid").exists());
}

#[tokio::test]
async fn a_killed_postmaster_comes_back_with_the_data() {
    let data = folder();
    let cluster = with_three_presses(data.path()).await;
    for _ in 0..2 {
        let killed = postmaster(&cluster);
        kill(Pid::from_raw(killed), Signal::SIGKILL).unwrap();
        while cluster.guard.as_ref().unwrap().running.pid() == Some(killed) {
            tokio::task::yield_now().await;
        }
        until_answered(&cluster).await;
        assert_eq!(presses(&cluster).await, 3);
    }
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_dropped_cluster_stops_and_starts_again() {
    let data = folder();
    drop(with_three_presses(data.path()).await);
    let again = start(data.path()).await;
    assert_eq!(presses(&again).await, 3);
    again.stop().await.unwrap();
}

#[tokio::test]
async fn a_database_left_running_by_a_killed_server_is_replaced_by_ours() {
    let data = folder();
    let killed = with_three_presses(data.path()).await;
    let left = postmaster(&killed);
    // The state after `kill -9`: the postmaster runs, is not supervised, and the lock is free.
    let mut guard = { killed }.guard.take().unwrap();
    guard.watcher.abort();
    let _ = (&mut guard.watcher).await;
    guard.running.set(None);
    drop(guard);
    assert!(kill(Pid::from_raw(left), None).is_ok());

    let ours = start(data.path()).await;
    assert_ne!(postmaster(&ours), left);
    assert_eq!(presses(&ours).await, 3);
    ours.stop().await.unwrap();
}

#[tokio::test]
async fn a_pid_file_that_names_another_program_is_in_nobodys_way() {
    let data = folder();
    with_three_presses(data.path()).await.stop().await.unwrap();
    // It runs as the database's own user: PostgreSQL ignores processes of other users.
    let owner = data.path().join("pg").metadata().unwrap().uid();
    let mut stranger = std::process::Command::new("sleep");
    stranger.arg("60").current_dir("/").stdout(std::process::Stdio::null());
    if nix::unistd::geteuid().is_root() {
        std::os::unix::process::CommandExt::uid(&mut stranger, owner);
    }
    let mut stranger = stranger.spawn().unwrap();
    leave_locks(data.path(), stranger.id());
    let cluster = start(data.path()).await;
    assert_eq!(presses(&cluster).await, 3);
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    cluster.stop().await.unwrap();
}

/// Writes both lock files of a killed postmaster.
fn leave_locks(data: &Path, pid: u32) {
    let stale = format!("{pid}\n{}\n1\n5432\n/nowhere\n\n 1 1\nready\n", data.join("pg").display());
    std::fs::write(data.join("pg/postmaster.pid"), &stale).unwrap();
    std::fs::write(data.join("run/.s.PGSQL.5432.lock"), &stale).unwrap();
}

#[tokio::test]
async fn lock_files_of_a_killed_process_that_nobody_has_buried_are_in_nobodys_way() {
    let data = folder();
    with_three_presses(data.path()).await.stop().await.unwrap();
    let mut dead = std::process::Command::new("true");
    if nix::unistd::geteuid().is_root() {
        let owner = data.path().join("pg").metadata().unwrap().uid();
        std::os::unix::process::CommandExt::uid(&mut dead, owner);
    }
    // Not waited for: its process id stays taken by a zombie, as in a container whose first process reaps none.
    let mut dead = dead.spawn().unwrap();
    leave_locks(data.path(), dead.id());
    let cluster = start(data.path()).await;
    assert_eq!(presses(&cluster).await, 3);
    dead.wait().unwrap();
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn killed_with_its_server_it_starts_again_at_once_over_what_is_left() {
    let data = folder();
    let mut cluster = with_three_presses(data.path()).await;
    for _ in 0..3 {
        let killed = postmaster(&cluster);
        let mut guard = cluster.guard.take().unwrap();
        guard.watcher.abort();
        let _ = (&mut guard.watcher).await;
        guard.running.set(None);
        kill(Pid::from_raw(killed), Signal::SIGKILL).unwrap();
        drop(guard);
        cluster = start(data.path()).await;
        assert_eq!(presses(&cluster).await, 3);
    }
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_second_server_on_one_folder_is_refused_by_name_and_a_command_joins() {
    let data = folder();
    let first = with_three_presses(data.path()).await;
    let refused = Cluster::start(data.path(), settings(data.path())).await.unwrap_err().to_string();
    assert!(refused.contains(&format!("process {}", std::process::id())), "{refused}");
    assert!(refused.contains("--data-dir"), "{refused}");

    let joined = Cluster::attach(data.path(), settings(data.path())).await.unwrap();
    assert!(!joined.is_ours());
    assert_eq!(presses(&joined).await, 3);
    joined.stop().await.unwrap();
    assert_eq!(presses(&first).await, 3, "leaving must not stop the server's database");
    first.stop().await.unwrap();

    let alone = Cluster::attach(data.path(), settings(data.path())).await.unwrap();
    assert!(alone.is_ours());
    alone.stop().await.unwrap();
}

#[tokio::test]
async fn a_first_start_that_was_killed_halfway_is_done_again() {
    let data = folder();
    let half = data.path().join("pg.new-1");
    std::fs::create_dir(&half).unwrap();
    std::fs::write(half.join("PG_VERSION"), "15\n").unwrap();
    let cluster = start(data.path()).await;
    assert!(!half.exists());
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_folder_that_is_no_cluster_is_left_alone_and_named() {
    let data = folder();
    std::fs::create_dir(data.path().join("pg")).unwrap();
    std::fs::write(data.path().join("pg/letters.txt"), "mine").unwrap();
    let refused = Cluster::start(data.path(), settings(data.path())).await.unwrap_err().to_string();
    assert!(refused.contains("PG_VERSION is missing"), "{refused}");
    assert!(data.path().join("pg/letters.txt").exists());
}

#[tokio::test]
async fn a_start_that_fails_shows_the_databases_last_words() {
    let data = folder();
    start(data.path()).await.stop().await.unwrap();
    std::fs::write(data.path().join("pg/crewbell.local.conf"), "shared_bufers = 1MB\n").unwrap();
    let failed = Cluster::start(data.path(), settings(data.path())).await.unwrap_err().to_string();
    assert!(failed.contains("shared_bufers"), "{failed}");
}

#[tokio::test]
async fn a_path_too_long_for_a_socket_works_all_the_same() {
    let root = tempfile::Builder::new().permissions(mode(0o755)).tempdir().unwrap();
    let data = root.path().join("a-very-long-name-".repeat(6));
    let cluster = start(&data).await;
    let socket = cluster.socket_folder().to_owned();
    assert!(!socket.starts_with(&data));
    owner(&cluster).await.close().await.unwrap();
    cluster.stop().await.unwrap();
    std::fs::remove_dir_all(socket).unwrap();
}

#[tokio::test]
async fn below_a_folder_closed_to_postgres_roots_cluster_lives_elsewhere_and_is_found_again() {
    if !nix::unistd::geteuid().is_root() {
        return crewbell_shared::testing::skipped("only root's cluster runs as somebody else");
    }
    let root = folder();
    let elsewhere = tempfile::Builder::new().permissions(mode(0o711)).tempdir().unwrap();
    let settings = ClusterSettings { elsewhere: elsewhere.path().to_owned(), ..ClusterSettings::default() };
    let closed = root.path().join("closed");
    std::fs::DirBuilder::new().mode(0o700).create(&closed).unwrap();
    let data = closed.join("data");
    for _ in 0..2 {
        let cluster = Cluster::start(&data, settings.clone()).await.unwrap();
        assert!(cluster.socket_folder().starts_with(elsewhere.path()));
        cluster.stop().await.unwrap();
    }
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 1, "the second start found the first's cluster");
    assert_eq!(closed.metadata().unwrap().mode() & 0o777, 0o700, "a folder that isn't ours keeps its mode");
}

fn mode(bits: u32) -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(bits)
}
