//! One PostgreSQL for all stories, with a database for each.

use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

use crewbell_server::cluster::{Cluster, Settings};
use crewbell_server::db::{DbSettings, migrate};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, Executor, PgConnection};

struct Shared {
    socket: std::path::PathBuf,
    /// Stops the cluster when this process is gone, however it went: the end of its standard input is the sign.
    _guardian: Mutex<Child>,
}

static SHARED: OnceLock<Shared> = OnceLock::new();
static NEXT: AtomicU32 = AtomicU32::new(0);

/// A database of one's own, with the schema in it.
pub async fn fresh() -> DbSettings {
    let shared = tokio::task::spawn_blocking(|| SHARED.get_or_init(start)).await.unwrap();
    let name = format!("story_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let mut root = PgConnection::connect_with(&options(shared, "crewbell_root", "postgres")).await.unwrap();
    let create = format!("create database {name} owner crewbell_owner template story_template strategy file_copy");
    root.execute(sqlx::AssertSqlSafe(create)).await.unwrap();
    settings(shared, &name)
}

/// An empty database that is made in a way of its own, with no schema in it yet.
#[allow(dead_code, clippy::allow_attributes, reason = "not every suite that has these props needs it")]
pub async fn made(how: &str) -> DbSettings {
    let shared = tokio::task::spawn_blocking(|| SHARED.get_or_init(start)).await.unwrap();
    let name = format!("story_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let mut root = PgConnection::connect_with(&options(shared, "crewbell_root", "postgres")).await.unwrap();
    let create = format!("create database {name} owner crewbell_owner template template0 {how}");
    root.execute(sqlx::AssertSqlSafe(create)).await.unwrap();
    settings(shared, &name)
}

/// As the cluster's superuser, for a story that must look behind the walls.
pub async fn superuser(settings: &DbSettings) -> PgConnection {
    PgConnection::connect_with(&settings.server.clone().username("crewbell_root")).await.unwrap()
}

fn settings(shared: &Shared, name: &str) -> DbSettings {
    let options = |role| options(shared, role, name);
    DbSettings { readers: 4, ..DbSettings::new(options("crewbell_server"), options("crewbell_owner")) }
}

fn options(shared: &Shared, role: &str, database: &str) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass().socket(&shared.socket).port(5432).username(role).database(database)
}

/// The cluster lives in a thread of its own, because each story has a runtime that ends with it.
fn start() -> Shared {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let folder = tempfile::Builder::new().prefix("crewbell-stories-").tempdir().unwrap().keep();
            // Many stories at once, each with some connections; what they write may be lost with the machine.
            let cluster_settings = Settings { max_connections: 300, ..Settings::default() };
            let cluster = Cluster::start(&folder, cluster_settings).await.unwrap();
            let mut root =
                PgConnection::connect_with(&cluster.connect_options("crewbell_root", "postgres")).await.unwrap();
            // Nothing here outlives the run, and a disk that is slow to flush shall not be what the stories wait for.
            for setting in ["fsync", "full_page_writes"] {
                root.execute(sqlx::AssertSqlSafe(format!("alter system set {setting} = off"))).await.unwrap();
            }
            root.execute("select pg_reload_conf()").await.unwrap();
            root.execute("create database story_template owner crewbell_owner").await.unwrap();
            let options = |role| cluster.connect_options(role, "story_template");
            let template = DbSettings::new(options("crewbell_server"), options("crewbell_owner"));
            migrate(&template).await.unwrap();
            drop(root);
            tell.send((folder, cluster.socket_folder().to_owned())).unwrap();
            std::future::pending::<()>().await;
            drop(cluster);
        });
    });
    let (folder, socket) = told.recv().unwrap();
    // `pg/postmaster.pid`, wherever the cluster put it: its first line is the postmaster.
    let script = "cat >/dev/null; for pid in $(find -L \"$0\" -name postmaster.pid 2>/dev/null); do \
                  p=$(head -1 \"$pid\"); kill -QUIT \"$p\"; done; sleep 1; rm -rf \"$0\"";
    let guardian = Command::new("sh").args(["-c", script]).arg(&folder).stdin(Stdio::piped()).spawn().unwrap();
    Shared { socket, _guardian: Mutex::new(guardian) }
}
