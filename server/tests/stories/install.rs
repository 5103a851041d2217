//! An external database: its requirements, and the error messages if they aren't met.

use crewbell_server::db::{Db, DbSettings, migrate};
use sqlx::{AssertSqlSafe, Executor};

use crate::database::{made, superuser};

#[tokio::test]
async fn a_second_installation_on_one_cluster_is_told_the_line_to_run_and_then_works() {
    let db = made("encoding 'UTF8' lc_collate 'C' lc_ctype 'C'").await;
    let mut root = superuser(&db).await;
    // The role belongs to the whole cluster, and exists already; only the first installation's owner is its member.
    let role = "create role second_owner login";
    root.execute(role).await.unwrap();
    let name = db.server.get_database().unwrap().to_owned();
    root.execute(AssertSqlSafe(format!("alter database {name} owner to second_owner"))).await.unwrap();
    let as_owner = db.owner.clone().username("second_owner");
    let second = DbSettings { server: as_owner.clone(), owner: as_owner.clone(), step_down: true, ..db.clone() };
    let refused = migrate(&second).await.unwrap_err().to_string();
    assert!(refused.contains("`grant \"crewbell_server\" to \"second_owner\";`"), "{refused}");
    assert!(refused.contains("superuser"), "{refused}");

    // The same with two URLs, where the server has a login of its own.
    root.execute("create role second_app login").await.unwrap();
    let app = DbSettings { server: db.server.clone().username("second_app"), step_down: false, ..second.clone() };
    let refused = migrate(&app).await.unwrap_err().to_string();
    assert!(refused.contains("`grant \"crewbell_server\" to \"second_app\";`"), "{refused}");

    root.execute("grant crewbell_server to second_owner; grant crewbell_server to second_app").await.unwrap();
    for settings in [second, app] {
        migrate(&settings).await.unwrap();
        let served = Db::new(settings);
        served.ready().await.unwrap();
        let mut tx = served.read_sites().await.unwrap();
        assert!(crewbell_server::db::sites::all(&mut tx).await.unwrap().is_empty());
        drop(tx);
        served.close().await;
    }
    // An owner with `createrole` grants the role by itself.
    let third = made("encoding 'UTF8' lc_collate 'C' lc_ctype 'C'").await;
    root.execute("create role third_owner login createrole").await.unwrap();
    let name = third.server.get_database().unwrap().to_owned();
    root.execute(AssertSqlSafe(format!("alter database {name} owner to third_owner"))).await.unwrap();
    let as_owner = third.owner.clone().username("third_owner");
    migrate(&DbSettings { server: as_owner.clone(), owner: as_owner, step_down: true, ..third }).await.unwrap();
}
