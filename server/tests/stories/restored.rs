//! Cursors with an event id: detection of a server that was restored from a backup, even if its log has grown past the
//! client's cursor.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::cast::{Crew, text};
use crate::database::superuser;
use crate::ship::Ship;

/// Returns the first line of a snapshot.
async fn snapshot_head(person: &Crew) -> Value {
    let answer = text(&person.get("/api/sync/snapshot").await);
    serde_json::from_str(answer.lines().next().unwrap()).unwrap()
}

/// Stops the ship, truncates her log to an entry as a restored backup would, and starts her again.
async fn restored(ship: Ship, to: u64) -> Ship {
    let db = ship.db.clone();
    let to = i64::try_from(to).unwrap();
    ship.stopped_while(async {
        let mut root = superuser(&db).await;
        for sql in ["delete from entries where seq > $1", "update sites set head = $1"] {
            sqlx::query(sql).bind(to).execute(&mut root).await.unwrap();
        }
    })
    .await
}

#[tokio::test]
async fn a_cursor_from_before_a_restore_is_told_though_the_log_has_grown_past_it_again() {
    let ship = Ship::sail().await;
    let sam = ship.sam().await;
    let kept = snapshot_head(&sam).await;
    sam.asks_for(1, "ice").await;
    sam.asks_for(2, "tea").await;
    let lost = snapshot_head(&sam).await;
    assert_eq!(lost["seq"], kept["seq"].as_u64().unwrap() + 2);

    let ship = Box::pin(restored(ship, kept["seq"].as_u64().unwrap())).await;
    let sam = sam.at(ship.server.http);
    let path =
        |at: &Value| format!("/api/sync/entries?after={}&event_id={}", at["seq"], at["event_id"].as_str().unwrap());
    let refused = async |at: &Value, sam: &Crew| {
        let (status, said) = sam.ask(Method::GET, &path(at), None).await;
        assert_eq!((status, &said["code"]), (StatusCode::GONE, &json!("snapshot_needed")), "{at}");
        assert_eq!(said["details"]["restored"], true, "{at}");
        let mut screen = sam.screen_after(at["seq"].as_u64().unwrap(), &at["event_id"]).await;
        let refusal = screen.refused().await;
        assert_eq!((refusal.code.as_str(), &refusal.details), ("snapshot_needed", &said["details"]));
    };
    // First the cursor is beyond the head, then at the head with another entry, then in the middle.
    refused(&lost, &sam).await;
    for cabin in 1..=4 {
        sam.asks_for(cabin, "a pillow").await;
        if cabin > 1 {
            refused(&lost, &sam).await;
        }
    }
    // Without entries in memory the database gives the same answer.
    let ship = ship.restart().await;
    let sam = sam.at(ship.server.http);
    refused(&lost, &sam).await;

    // A cursor from the backup is accepted; so is a seq alone, from a client without event ids.
    let mut screen = sam.screen_after(kept["seq"].as_u64().unwrap(), &kept["event_id"]).await;
    assert_eq!(screen.next().await["type"], "request_created");
    assert_eq!(sam.get(&path(&kept)).await["entries"].as_array().unwrap().len(), 4);
    let unknowing = sam.get(&format!("/api/sync/entries?after={}", lost["seq"])).await;
    assert_eq!(unknowing["entries"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn every_way_of_reading_tells_the_event_id_of_its_cursor() {
    let ship = Ship::sail().await;
    let (sam, dana) = (ship.sam().await, ship.dana().await);
    // The head is Dana's sign-in, which Sam may not see: he gets its event id all the same.
    let head = snapshot_head(&sam).await;
    assert_eq!(head["event_id"], snapshot_head(&dana).await["event_id"]);
    let page = sam.get("/api/sync/entries?after=0").await;
    assert_eq!((&page["cursor"], &page["event_id"]), (&head["seq"], &head["event_id"]));
    assert_ne!(page["entries"].as_array().unwrap().last().unwrap()["meta"]["event_id"], head["event_id"]);
    // At the head there are no entries, and the event id is returned again.
    let path = format!("/api/sync/entries?after={}&event_id={}", head["seq"], text(&head["event_id"]));
    let page = sam.get(&path).await;
    assert_eq!((&page["cursor"], &page["event_id"], &page["entries"]), (&head["seq"], &head["event_id"], &json!([])));

    // On the live stream each entry holds its event id, which a client can resume from.
    let mut screen = sam.screen_after(head["seq"].as_u64().unwrap(), &head["event_id"]).await;
    sam.asks_for(1, "ice").await;
    let first = screen.next().await;
    let second = sam.asks_for(2, "tea").await;
    let mut on = sam.screen_after(first["meta"]["seq"].as_u64().unwrap(), &first["meta"]["event_id"]).await;
    assert_eq!(on.next().await["payload"]["id"], second.as_str());
    // There is no entry at 0, so any event id is ignored there.
    let mut all = sam.screen_after(0, &first["meta"]["event_id"]).await;
    assert_eq!(all.next().await["type"], "site_created");
    let (status, _) = sam.ask(Method::GET, "/api/sync/entries?after=1&event_id=x", None).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
}
