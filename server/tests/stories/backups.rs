//! Backups: a restored database has the same contents, and can be used.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;

use crewbell_server::backup::{BackupTarget, Existing, backup, restore};
use crewbell_server::jobs;
use jiff::SignedDuration;
use serde_json::json;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, PgConnection};
use tokio::process::Command;

use crate::database::superuser;
use crate::foreign::until;
use crate::own::Own;
use crate::ship::{Ship, id, soon};

/// Returns the row count and a checksum of each table.
async fn contents(root: &mut PgConnection) -> BTreeMap<String, (i64, String)> {
    let tables = "select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace \
                  where n.nspname = 'public' and c.relkind = 'r' order by 1";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut *root).await.unwrap();
    let mut contents = BTreeMap::new();
    for table in tables {
        let sum = format!(
            "select count(*), md5(coalesce(string_agg(t::text, E'\\n' order by t::text collate \"C\"), '')) from {table} t"
        );
        contents.insert(table, sqlx::query_as(AssertSqlSafe(sum)).fetch_one(&mut *root).await.unwrap());
    }
    contents
}

#[tokio::test]
async fn a_ship_that_sank_sails_on_from_its_backup() {
    let (own, other) = (Own::start().await, Own::start().await);
    let ship = Ship::sail_on(own.db()).await;
    let sam = ship.sam().await;
    let mut gus = ship.gus_in(5).await;
    for kind in ["single", "long", "shake", "single"] {
        gus.press(kind).await;
    }
    let voice = json!({ "button": "main", "duration": 1, "format": "adpcm", "data": "AAECAwQFBgc=" });
    assert_eq!(gus.tell("obedio/button/cabin-5/voice", voice).await, "Success");
    ship.newcomer("fresh-1").await.press("single").await;
    let request = sam.open_requests().await[0]["id"].as_str().unwrap().to_owned();
    sam.answer(&request, "accept").await;
    sam.post(&format!("/api/service-requests/{request}/notes"), json!({ "text": "Zwei Handtücher, “weiß” — 二つ 🛎" }))
        .await;
    ship.settings(|settings| settings.retention_days = 1).await;
    ship.clock.advance(SignedDuration::from_hours(48));
    jobs::archive(&ship.server.registry, &ship.site).await.unwrap();
    gus.press("double").await;
    drop(gus);
    let ship = ship.restart().await;
    let original = contents(&mut superuser(&ship.db).await).await;
    for table in ["entries", "requests", "presses", "recordings", "commands", "sessions", "buttons", "people"] {
        assert!(original[table].0 > 0, "{table} is empty, and proves nothing");
    }
    let archives: i64 =
        original.iter().filter(|(table, _)| table.starts_with("entries_archive_")).map(|(_, (rows, _))| rows).sum();
    assert!(archives > 0);

    let file = own.folder.join("serenity.dump");
    backup(&BackupTarget::private(&own.cluster), &file).await.unwrap();
    restore(&BackupTarget::private(&other.cluster), &file, Existing::MustBeEmpty).await.unwrap();
    let ship = Ship { db: other.db(), ..ship };
    let (mut before, mut restored) = (original, contents(&mut superuser(&ship.db).await).await);
    // A restore ends all sessions, since the backup doesn't know of later sign-outs.
    assert_ne!(restored.remove("sessions"), before.remove("sessions"));
    assert_eq!(restored, before);
    assert_eq!(ship.count("select count(*) from sessions where ended_at is null").await, 0);

    let ship = ship.restart().await;
    let head = ship.count("select head from sites").await;
    let siri = ship.siri().await;
    let story = siri.get(&format!("/api/service-requests/{request}")).await;
    assert_eq!(story["request"]["accepted_by"]["name"], "Sam");
    let mut screen = siri.screen(None).await;
    ship.gus_in(1).await.press("single").await;
    let entry = screen.see("request_created").await;
    assert!(entry["meta"]["seq"].as_i64().unwrap() > head, "the log goes on where it was");
    assert_eq!(entry["payload"]["place_id"], json!(id::<uuid::Uuid>(1)));
    assert_eq!(
        ship.count("select count(*) from pg_tables where schemaname = 'public' and tableowner <> 'crewbell_owner'")
            .await,
        0
    );
    ship.server.stop().await;
    for own in [own, other] {
        own.cluster.stop().await.unwrap();
    }
}

/// Creates the command of the program's own restore, on a database outside a data folder.
fn restoring(own: &Own, file: &Path) -> Command {
    let url = format!("postgres:///crewbell?host={}&user=crewbell_owner", own.cluster.socket_folder().display());
    let mut command = Command::new(env!("CARGO_BIN_EXE_crewbell-server"));
    command.arg("restore").arg(file).arg("--replace").env_remove("CREWBELL_CONFIG").env("CREWBELL_DATABASE_URL", url);
    command.stdout(Stdio::null()).kill_on_drop(true);
    command
}

/// Returns the databases of a cluster that a restore creates or replaces.
async fn databases(root: &mut PgConnection) -> Vec<String> {
    let names = "select datname::text from pg_database where datname like 'crewbell%' order by 1";
    sqlx::query_scalar(names).fetch_all(root).await.unwrap()
}

#[tokio::test]
async fn a_restore_that_is_killed_while_the_names_change_leaves_the_database_and_the_next_one_succeeds() {
    let own = Own::start().await;
    let mut root = own.cluster.connect_options("crewbell_root", "postgres").connect().await.unwrap();
    root.execute("alter role crewbell_owner createdb").await.unwrap();
    let ship = Ship::sail_on(own.db()).await;
    ship.gus_in(1).await.press("single").await;
    let file = own.folder.join("serenity.dump");
    backup(&BackupTarget::private(&own.cluster), &file).await.unwrap();
    ship.gus_in(2).await.press("single").await;

    let fresh = own.cluster.connect_options("crewbell_root", "crewbell_restore");
    let ship = ship
        .stopped_while(Box::pin(async {
            let mut child = restoring(&own, &file).spawn().unwrap();
            // A client is connected to the new database, which can only be renamed once the client is gone.
            let looking = soon(async {
                loop {
                    match fresh.connect().await {
                        Ok(looking) => break looking,
                        Err(_) => tokio::time::sleep(std::time::Duration::from_millis(5)).await,
                    }
                }
            })
            .await;
            let renaming = "select count(*) from pg_stat_activity where state <> 'idle' \
                            and query like 'alter database \"crewbell_restore\" rename%'";
            let mut renaming = async || -> i64 { sqlx::query_scalar(renaming).fetch_one(&mut root).await.unwrap() };
            until("the second of the names changes", async || renaming().await == 1).await;
            child.kill().await.unwrap();
            assert_eq!(child.wait().await.unwrap().code(), None, "it was killed");
            drop(looking);
            until("PostgreSQL notices that nobody is there any more", async || renaming().await == 0).await;
            assert_eq!(databases(&mut root).await, ["crewbell", "crewbell_restore"]);
        }))
        .await;
    assert_eq!(ship.count("select count(*) from presses").await, 2, "all is as it was before the restore");
    ship.gus_in(3).await.press("single").await;

    let ship = ship
        .stopped_while(async {
            assert!(soon(restoring(&own, &file).status()).await.unwrap().success());
            assert_eq!(databases(&mut root).await, ["crewbell"], "and what the killed one left is gone");
        })
        .await;
    assert_eq!(ship.count("select count(*) from presses").await, 1, "what the backup has");
    ship.gus_in(4).await.press("single").await;
    ship.server.stop().await;
    own.cluster.stop().await.unwrap();
}
