//! Many sites on one server.

use crewbell_server::actions::{CreateSite, Execute};
use crewbell_shared::ids::{PlaceId, SiteId};
use crewbell_shared::person::Actor;
use crewbell_shared::place::PlaceKind;
use crewbell_shared::place::PlaceVerb;
use crewbell_shared::protocol::{Source, Verb};
use crewbell_shared::site::{Site, SiteSettings};

use crate::ship::{Ship, id};

const SITES: u128 = 40;

#[tokio::test]
async fn forty_sites_write_at_once_over_a_handful_of_connections_each_into_its_own() {
    let ship = Ship::sail().await;
    let registry = &ship.server.registry;
    for number in 1000..1000 + SITES {
        let site = Site {
            id: id::<SiteId>(number),
            slug: format!("ship-{number}"),
            name: "A ship".into(),
            settings: SiteSettings::default(),
        };
        CreateSite { site }.run(&registry.db, &registry.clock, &registry.ids, None).await.unwrap();
    }
    for round in 0..3_u128 {
        let writing = (1000..1000 + SITES).map(|number| async move {
            let site = registry.site(id(number)).await.unwrap().unwrap();
            let (place_id, kind) = (id::<PlaceId>(number * 10 + round), PlaceKind::Cabin);
            let name = format!("Cabin {round}");
            let save = Verb::Place(PlaceVerb::Save { place_id, parent_id: None, name, kind, position: 0 });
            site.act(Box::new(Execute(save)), Actor::System, Source::Server).await
        });
        for done in futures_util::future::join_all(writing).await {
            done.unwrap();
        }
    }
    let places = "select count(*) from (select site_id from places where name like 'Cabin _' \
                  group by site_id having count(*) = 3) each";
    assert_eq!(ship.count(places).await, i64::try_from(SITES).unwrap(), "none wrote into another's");
    let ours =
        "select count(*) from pg_stat_activity where datname = current_database() and usename = 'crewbell_server'";
    let most = i64::from(ship.db.readers + ship.db.writers());
    let open = ship.count(ours).await;
    assert!(open <= most, "{open} connections, {most} at most");
    // Each site's log is as long as it would be alone.
    assert_eq!(ship.count("select count(*) from sites where head >= 4").await, i64::try_from(SITES).unwrap() + 1);
}
