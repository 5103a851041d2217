//! Backups of a real database.

use super::*;
use crate::cluster::{Cluster, DATABASE, OWNER_ROLE, SERVER_ROLE, Settings};
use jiff::civil::date;
use sqlx::{ConnectOptions, Executor};
use std::os::unix::fs::PermissionsExt;

/// Rows, rights, a policy that hides rows from all but the site's own, and text that tests the encoding.
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
    let cluster = Cluster::start(&folder.path().join("data"), Settings::default()).await.unwrap();
    let place = Place::private(&cluster);
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

    // A connection that stays open is what a running server has.
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
    let cluster = Cluster::start(&folder.path().join("data"), Settings::default()).await.unwrap();
    let place = Place::private(&cluster);
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
    let cluster = Cluster::start(&folder.path().join("data"), Settings::default()).await.unwrap();
    let place = Place::private(&cluster);
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
    let cluster = Cluster::start(&folder.path().join("data"), Settings::default()).await.unwrap();
    let socket = cluster.socket_folder().display().to_string().replace('/', "%2F");
    let url = format!("postgres://crewbell_owner:secret@{socket}/nowhere");
    let place = Place::external(cluster.binaries().clone(), &url).unwrap();
    assert!(!format!("{place:?}").contains("secret"));
    let file = folder.path().join("x.dump");
    let failed = backup(&place, &file).await.unwrap_err().to_string();
    assert!(failed.contains("pg_dump failed") && failed.contains("\"nowhere\" does not exist"), "{failed}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "only the data folder");

    let url = format!("postgres://crewbell_root@{socket}/crewbell");
    let place = Place::external(cluster.binaries().clone(), &url).unwrap();
    tell(&cluster, TABLE).await;
    let before = ask(&cluster, OWNER_ROLE, ALL).await;
    backup(&place, &file).await.unwrap();
    tell(&cluster, "delete from presses").await;
    restore(&place, &file, Existing::Replace).await.unwrap();
    let root = crate::cluster::ROOT_ROLE;
    assert_eq!(ask(&cluster, root, ALL).await, before);
    cluster.stop().await.unwrap();
}
