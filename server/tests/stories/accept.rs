//! Exactly one of them has it.

use reqwest::StatusCode;

use crate::ship::Ship;

#[tokio::test]
async fn two_accept_at_once_and_one_of_them_has_it() {
    let ship = Ship::sail().await;
    let (sam, siri) = (ship.sam().await, ship.siri().await);
    let mut gus = ship.gus_in(1).await;
    gus.press("single").await;
    let request = sam.open_requests().await[0]["id"].as_str().unwrap().to_owned();

    let (a, b) = tokio::join!(sam.answer(&request, "accept"), siri.answer(&request, "accept"));
    let (winner, loser) = if a.0 == StatusCode::OK { ("Sam", b) } else { ("Siri", a) };
    assert_eq!(loser.0, StatusCode::CONFLICT);
    assert_eq!(loser.1["code"], "already_accepted");
    assert_eq!(loser.1["details"]["by"]["name"], winner);
    assert_eq!(ship.count("select count(*) from entries where type = 'request_accepted'").await, 1);
}
