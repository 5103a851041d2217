//! Tests of backup and restore with a real database.

use super::*;
use crate::cluster::{Cluster, ClusterSettings, DATABASE, OWNER_ROLE, SERVER_ROLE};
use jiff::civil::date;
use sqlx::{ConnectOptions, Connection, Executor};
use std::os::unix::fs::PermissionsExt;

/// A table with rows, grants, a policy that hides rows of other sites, and text that tests the encoding.
const TABLE: &str = "
create table presses (site text not null, n bigint generated always as identity, cabin text not null);
alter table presses enable row level security;
alter table presses force row level security;
create policy own_site on presses to crewbell_server using (site = current_setting('crewbell.site', true));
create policy owner_all on presses to crewbell_owner using (true) with check (true);
grant select, insert on presses to crewbell_server;
insert into presses (site, cabin) select 'serenity', 'Kabine Ä ' || i from generate_series(1, 500) i;
";
const ALL: &str = "select coalesce(string_agg(n || cabin, ';' order by n), '') from presses";

async fn ask(cluster: &Cluster, role: &str, sql: &'static str) -> String {
    let mut conn = cluster.connect_options(role, DATABASE).connect().await.unwrap();
    sqlx::query_scalar(sql).fetch_one(&mut conn).await.unwrap()
}

async fn tell(cluster: &Cluster, sql: &'static str) {
    let mut conn = cluster.connect_options(OWNER_ROLE, DATABASE).connect().await.unwrap();
    conn.execute(sql).await.unwrap();
}

#[tokio::test]
async fn what_was_backed_up_comes_back_equal() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(&folder.path().join("data"), ClusterSettings::default()).await.unwrap();
    let place = BackupTarget::private(&cluster);
    tell(&cluster, TABLE).await;
    let before = ask(&cluster, OWNER_ROLE, ALL).await;
    assert!(before.contains("Kabine Ä 500"));

    let file = folder.path().join("serenity.dump");
    backup(&place, &file).await.unwrap();
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!folder.path().join("serenity.dump.part").exists());

    tell(&cluster, "delete from presses where n > 3; create table later (n int)").await;
    let refused = restore(&place, &file, Existing::MustBeEmpty).await.unwrap_err();
    assert!(matches!(refused, BackupError::NotEmpty(_)), "{refused}");
    assert_ne!(ask(&cluster, OWNER_ROLE, ALL).await, before);

    // A connection that stays open, as of a running server.
    let _busy = cluster.connect_options(SERVER_ROLE, DATABASE).connect().await.unwrap();
    restore(&place, &file, Existing::Replace).await.unwrap();
    assert_eq!(ask(&cluster, OWNER_ROLE, ALL).await, before);
    assert_eq!(ask(&cluster, SERVER_ROLE, ALL).await, "", "the policies are back too");
    assert_eq!(ask(&cluster, OWNER_ROLE, "select coalesce(to_regclass('later')::text, 'gone')").await, "gone");
    let owner = "select tableowner::text from pg_tables where tablename = 'presses'";
    assert_eq!(ask(&cluster, OWNER_ROLE, owner).await, OWNER_ROLE);
    let databases = "select string_agg(datname, ',' order by datname) from pg_database where datname like 'crew%'";
    assert_eq!(ask(&cluster, OWNER_ROLE, databases).await, "crewbell");
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_restore_that_fails_leaves_the_old_database_alone() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(&folder.path().join("data"), ClusterSettings::default()).await.unwrap();
    let place = BackupTarget::private(&cluster);
    tell(&cluster, TABLE).await;
    let before = ask(&cluster, OWNER_ROLE, ALL).await;
    let file = folder.path().join("whole.dump");
    backup(&place, &file).await.unwrap();

    let whole = std::fs::read(&file).unwrap();
    let torn = folder.path().join("torn.dump");
    std::fs::write(&torn, &whole[..whole.len() - 600]).unwrap();
    let text = folder.path().join("text.dump");
    std::fs::write(&text, "this is no backup").unwrap();
    for bad in [&torn, &text, &folder.path().join("missing.dump")] {
        let failed = restore(&place, bad, Existing::Replace).await.unwrap_err();
        assert!(!failed.to_string().is_empty());
        assert_eq!(ask(&cluster, OWNER_ROLE, ALL).await, before, "{}: {failed}", bad.display());
    }
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn the_daily_backup_is_made_once_and_the_oldest_goes() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(&folder.path().join("data"), ClusterSettings::default()).await.unwrap();
    let place = BackupTarget::private(&cluster);
    tell(&cluster, TABLE).await;
    let dumps = folder.path().join("dumps");
    for day in 19..=21 {
        let today = date(2026, 11, day);
        assert!(daily(&place, &dumps, today, 2).await.unwrap().is_some());
        assert!(daily(&place, &dumps, today, 2).await.unwrap().is_none());
    }
    let mut names: Vec<_> = std::fs::read_dir(&dumps).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["crewbell-2026-11-20.dump", "crewbell-2026-11-21.dump"]);
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_backup_that_fails_says_why_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(&folder.path().join("data"), ClusterSettings::default()).await.unwrap();
    let socket = cluster.socket_folder().display().to_string().replace('/', "%2F");
    let url = format!("postgres://crewbell_owner:secret@{socket}/nowhere");
    let place = BackupTarget::external(cluster.binaries().clone(), &url).unwrap();
    assert!(!format!("{place:?}").contains("secret"));
    let file = folder.path().join("x.dump");
    let failed = backup(&place, &file).await.unwrap_err().to_string();
    assert!(failed.contains("\"nowhere\" does not exist"), "{failed}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "only the data folder");

    let url = format!("postgres://crewbell_root@{socket}/crewbell");
    let place = BackupTarget::external(cluster.binaries().clone(), &url).unwrap();
    tell(&cluster, TABLE).await;
    let before = ask(&cluster, OWNER_ROLE, ALL).await;
    backup(&place, &file).await.unwrap();
    tell(&cluster, "delete from presses").await;
    restore(&place, &file, Existing::Replace).await.unwrap();
    let root = crate::cluster::ROOT_ROLE;
    assert_eq!(ask(&cluster, root, ALL).await, before);
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn an_empty_database_is_no_backup() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(&folder.path().join("data"), ClusterSettings::default()).await.unwrap();
    let file = folder.path().join("empty.dump");
    let refused = backup(&BackupTarget::private(&cluster), &file).await.unwrap_err();
    assert!(matches!(refused, BackupError::Empty(_)), "{refused}");
    assert!(!file.exists());
    cluster.stop().await.unwrap();
}

/// A table of sessions, one of them ended; each id ends in the session's number.
const SESSIONS: &str = "
create table sessions (site_id uuid not null, id uuid not null, ended_at timestamptz);
insert into sessions select gen_random_uuid(), ('00000000-0000-0000-0000-00000000000' || n)::uuid,
    case when n = 4 then now() end from generate_series(1, 4) n;
";
const LIVE: &str = "select coalesce(string_agg(right(id::text, 1), '' order by id), '') from sessions \
                    where ended_at is null";

#[tokio::test]
async fn nobody_who_was_signed_out_since_the_backup_is_signed_in_after_the_restore() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(&folder.path().join("data"), ClusterSettings::default()).await.unwrap();
    let other = Cluster::start(&folder.path().join("other"), ClusterSettings::default()).await.unwrap();
    let place = BackupTarget::private(&cluster);
    tell(&cluster, SESSIONS).await;
    let file = folder.path().join("serenity.dump");
    backup(&place, &file).await.unwrap();
    assert_eq!(ask(&cluster, OWNER_ROLE, LIVE).await, "123");

    // A lost tablet is signed out; another session ended so long ago that its row is deleted.
    tell(&cluster, "update sessions set ended_at = now() where id::text like '%2'").await;
    tell(&cluster, "delete from sessions where id::text like '%3'").await;
    let ended = restore_with(&place, &file, Existing::Replace, Sessions::EndUnlessLive).await.unwrap();
    assert_eq!((ended, ask(&cluster, OWNER_ROLE, LIVE).await.as_str()), (2, "1"));
    let analysed = "select (count(*) > 0)::text from pg_stats where tablename = 'sessions'";
    assert_eq!(ask(&cluster, OWNER_ROLE, analysed).await, "true", "the planner knows what there is");

    // On another machine, later sign-outs are unknown.
    restore(&BackupTarget::private(&other), &file, Existing::MustBeEmpty).await.unwrap();
    assert_eq!(ask(&other, OWNER_ROLE, LIVE).await, "");
    restore_with(&BackupTarget::private(&other), &file, Existing::Replace, Sessions::Keep).await.unwrap();
    assert_eq!(ask(&other, OWNER_ROLE, LIVE).await, "123");
    for cluster in [cluster, other] {
        cluster.stop().await.unwrap();
    }
}

/// Returns the URL of a database of the private cluster, as if it were an external one.
fn url(cluster: &Cluster, role: &str, database: &str) -> String {
    let socket = cluster.socket_folder().display().to_string().replace('/', "%2F");
    format!("postgres://{role}@{socket}/{database}")
}

/// Starts a cluster without our roles, with an owner who may create databases and has the further `rights`.
async fn somebodys_own(folder: &std::path::Path, rights: &str) -> Cluster {
    let cluster = Cluster::start(&folder.join("somebodys"), ClusterSettings::default()).await.unwrap();
    let mut root = cluster.connect_options(crate::cluster::ROOT_ROLE, "postgres").connect().await.unwrap();
    root.execute("drop database crewbell").await.unwrap();
    root.execute("drop role crewbell_server; drop role crewbell_owner").await.unwrap();
    let role = format!("create role dana login createdb {rights}");
    root.execute(sqlx::AssertSqlSafe(role)).await.unwrap();
    root.execute("create database ship owner dana").await.unwrap();
    cluster
}

#[tokio::test]
async fn a_cluster_that_has_never_seen_the_server_is_restored_into_or_says_what_to_run() {
    let folder = tempfile::tempdir().unwrap();
    let own = Cluster::start(&folder.path().join("data"), ClusterSettings::default()).await.unwrap();
    tell(&own, TABLE_OF_ONE).await;
    let file = folder.path().join("serenity.dump");
    backup(&BackupTarget::private(&own), &file).await.unwrap();
    own.stop().await.unwrap();

    let cluster = somebodys_own(folder.path(), "").await;
    let place = BackupTarget::external(cluster.binaries().clone(), &url(&cluster, "dana", "ship")).unwrap();
    let refused = restore(&place, &file, Existing::MustBeEmpty).await.unwrap_err().to_string();
    assert!(
        refused.contains("create role \"crewbell_server\" nologin; grant \"crewbell_server\" to \"dana\";"),
        "{refused}"
    );
    let mut root = cluster.connect_options(crate::cluster::ROOT_ROLE, "postgres").connect().await.unwrap();
    root.execute("alter role dana createrole").await.unwrap();
    restore(&place, &file, Existing::MustBeEmpty).await.unwrap();
    let mut inside = cluster.connect_options("dana", "ship").connect().await.unwrap();
    let rows: i64 = sqlx::query_scalar("select count(*) from presses").fetch_one(&mut inside).await.unwrap();
    assert_eq!(rows, 3);
    cluster.stop().await.unwrap();
}

/// A table as in [`TABLE`] that doesn't name the owner's role, which exists in the private cluster alone.
const TABLE_OF_ONE: &str = "
create table presses (n int);
grant select, insert on presses to crewbell_server;
insert into presses values (1), (2), (3);
";

#[tokio::test]
async fn client_tools_that_are_newer_than_the_server_restore_all_the_same() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(&folder.path().join("data"), ClusterSettings::default()).await.unwrap();
    tell(&cluster, TABLE_OF_ONE).await;
    // Imitates version 17 with a server of version 16: it sets an unknown parameter, reports the error, continues, and
    // counts.
    let real = cluster.binaries().clone();
    let newer = folder.path().join("newer");
    std::fs::create_dir(&newer).unwrap();
    symlink(real.tool("pg_dump"), newer.join("pg_dump")).unwrap();
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *--exit-on-error*) stop=1;; esac\n\
         case \"$*\" in *--list*) exec '{real}' \"$@\";; esac\n\
         echo 'pg_restore: while INITIALIZING:' >&2\n\
         echo 'pg_restore: error: could not execute query: ERROR:  unrecognized configuration parameter \
         \"transaction_timeout\"' >&2\n[ -n \"$stop\" ] && exit 1\n'{real}' \"$@\" || exit 1\n\
         echo 'pg_restore: warning: errors ignored on restore: 1' >&2\nexit 1\n",
        real = real.tool("pg_restore").display()
    );
    let program = newer.join("pg_restore");
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let tools = crate::cluster::Binaries { dir: newer, ..real };
    let place = BackupTarget::external(tools, &url(&cluster, crate::cluster::ROOT_ROLE, DATABASE)).unwrap();
    let file = folder.path().join("serenity.dump");
    backup(&place, &file).await.unwrap();
    tell(&cluster, "delete from presses").await;
    restore(&place, &file, Existing::Replace).await.unwrap();
    let count = "select count(*)::text from presses";
    assert_eq!(ask(&cluster, crate::cluster::ROOT_ROLE, count).await, "3");
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn while_it_is_replaced_a_database_is_never_closed_though_its_server_comes_back_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(&folder.path().join("data"), ClusterSettings::default()).await.unwrap();
    tell(&cluster, TABLE_OF_ONE).await;
    let place = BackupTarget::private(&cluster);
    let file = folder.path().join("serenity.dump");
    backup(&place, &file).await.unwrap();
    // A server's pool, which reconnects whenever it is terminated.
    let options = cluster.connect_options(SERVER_ROLE, DATABASE);
    let pool = async move {
        loop {
            if let Ok(mut conn) = options.connect().await {
                let _ = sqlx::query("select pg_sleep(60)").execute(&mut conn).await;
            }
            tokio::task::yield_now().await;
        }
    };
    let mut root = cluster.connect_options(crate::cluster::ROOT_ROLE, "postgres").connect().await.unwrap();
    // A restore that is killed at any moment leaves the state that is seen here.
    let watching = async {
        loop {
            let open = sqlx::query_scalar("select bool_and(datallowconn) from pg_database where datname = 'crewbell'");
            let open: Option<bool> = open.fetch_one(&mut root).await.unwrap();
            if open != Some(true) {
                return open;
            }
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    };
    let restoring = async { restore(&place, &file, Existing::Replace).await };
    tokio::select! {
        done = restoring => done.unwrap(),
        closed = watching => panic!("the database was closed: {closed:?}"),
        () = pool => unreachable!(),
    }
    assert_eq!(ask(&cluster, OWNER_ROLE, "select count(*)::text from presses").await, "3");
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_database_whose_sessions_can_not_be_read_is_replaced_and_everybody_signs_in_anew() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(&folder.path().join("data"), ClusterSettings::default()).await.unwrap();
    let place = BackupTarget::private(&cluster);
    tell(&cluster, SESSIONS).await;
    let file = folder.path().join("serenity.dump");
    backup(&place, &file).await.unwrap();
    // Imitates a table file that is lost on disk.
    tell(&cluster, "alter table sessions rename column ended_at to lost").await;
    let ended = restore_with(&place, &file, Existing::Replace, Sessions::EndUnlessLive).await.unwrap();
    assert_eq!((ended, ask(&cluster, OWNER_ROLE, LIVE).await.as_str()), (3, ""));
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_role_that_the_backup_gives_rights_to_is_made_where_it_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(&folder.path().join("data"), ClusterSettings::default()).await.unwrap();
    let other = Cluster::start(&folder.path().join("other"), ClusterSettings::default()).await.unwrap();
    let root = crate::cluster::ROOT_ROLE;
    let mut conn = cluster.connect_options(root, DATABASE).connect().await.unwrap();
    conn.execute("create role \"the purser's\" nologin").await.unwrap();
    tell(&cluster, TABLE).await;
    tell(&cluster, "grant select on presses to \"the purser's\"").await;
    let before = ask(&cluster, OWNER_ROLE, ALL).await;
    let file = folder.path().join("serenity.dump");
    backup(&BackupTarget::private(&cluster), &file).await.unwrap();
    restore(&BackupTarget::private(&other), &file, Existing::MustBeEmpty).await.unwrap();
    assert_eq!(ask(&other, OWNER_ROLE, ALL).await, before);
    let may = "select has_table_privilege('the purser''s', 'presses', 'select')::text";
    assert_eq!(ask(&other, OWNER_ROLE, may).await, "true");
    conn.close().await.unwrap();
    for cluster in [cluster, other] {
        cluster.stop().await.unwrap();
    }
}
