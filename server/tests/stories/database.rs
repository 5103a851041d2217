//! One PostgreSQL cluster for all stories, with a database for each.

use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

use crewbell_server::cluster::{Cluster, ClusterSettings};
use crewbell_server::db::{DbSettings, migrate};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, Executor, PgConnection};

struct Shared {
    socket: std::path::PathBuf,
    /// A process that stops the cluster when this process ends for any reason, which closes the guardian's standard
    /// input.
    _guardian: Mutex<Child>,
}

static SHARED: OnceLock<Shared> = OnceLock::new();
static NEXT: AtomicU32 = AtomicU32::new(0);

/// Creates a database with the schema.
pub async fn fresh() -> DbSettings {
    let shared = tokio::task::spawn_blocking(|| SHARED.get_or_init(start)).await.unwrap();
    let name = format!("story_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let mut root = PgConnection::connect_with(&options(shared, "crewbell_root", "postgres")).await.unwrap();
    let create = format!("create database {name} owner crewbell_owner template story_template strategy file_copy");
    root.execute(sqlx::AssertSqlSafe(create)).await.unwrap();
    settings(shared, &name)
}

/// Creates an empty database with given options, without the schema.
#[allow(dead_code, clippy::allow_attributes, reason = "not every suite that has these props needs it")]
pub async fn made(how: &str) -> DbSettings {
    let shared = tokio::task::spawn_blocking(|| SHARED.get_or_init(start)).await.unwrap();
    let name = format!("story_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let mut root = PgConnection::connect_with(&options(shared, "crewbell_root", "postgres")).await.unwrap();
    let create = format!("create database {name} owner crewbell_owner template template0 {how}");
    root.execute(sqlx::AssertSqlSafe(create)).await.unwrap();
    settings(shared, &name)
}

/// Connects as the cluster's superuser, for whom row-level security doesn't apply.
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

/// Starts the cluster in a thread of its own, because each story's runtime ends with the story.
fn start() -> Shared {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let folder = tempfile::Builder::new().prefix("crewbell-stories-").tempdir().unwrap().keep();
            // Many stories run at once, each with some connections.
            let cluster_settings = ClusterSettings { max_connections: 300, ..ClusterSettings::default() };
            let cluster = Cluster::start(&folder, cluster_settings).await.unwrap();
            let mut root =
                PgConnection::connect_with(&cluster.connect_options("crewbell_root", "postgres")).await.unwrap();
            // The data needn't survive a crash of the machine, and the stories don't wait for slow flushes.
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
    // Finds `pg/postmaster.pid` wherever the cluster put it; its first line is the postmaster's id.
    let script = "cat >/dev/null; for pid in $(find -L \"$0\" -name postmaster.pid 2>/dev/null); do \
                  p=$(head -1 \"$pid\"); kill -QUIT \"$p\"; done; sleep 1; rm -rf \"$0\"";
    let guardian = Command::new("sh").args(["-c", script]).arg(&folder).stdin(Stdio::piped()).spawn().unwrap();
    Shared { socket, _guardian: Mutex::new(guardian) }
}
