//! A backup that comes back equal, and goes on.

use std::collections::BTreeMap;

use crewbell_server::backup::{Existing, Place, backup, restore};
use crewbell_server::jobs;
use jiff::SignedDuration;
use serde_json::json;
use sqlx::{AssertSqlSafe, PgConnection};

use crate::database::superuser;
use crate::own::Own;
use crate::ship::{Ship, id};

/// Each table with the number of its rows and a sum over all that is in them.
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
    jobs::archive(&ship.server.house, &ship.site).await.unwrap();
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
    backup(&Place::private(&own.cluster), &file).await.unwrap();
    restore(&Place::private(&other.cluster), &file, Existing::MustBeEmpty).await.unwrap();
    let ship = Ship { db: other.db(), ..ship };
    let (mut before, mut restored) = (original, contents(&mut superuser(&ship.db).await).await);
    // Who was signed in signs in again: nobody here knows who was signed out since.
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
