//! The ship fixture: a server with a site, its crew, its cabins and their buttons.

use crewbell_shared::button::ButtonVerb;
use crewbell_shared::guest::GuestVerb;
use crewbell_shared::guest::StayVerb;
use crewbell_shared::person::PersonVerb;
use crewbell_shared::place::PlaceVerb;
use crewbell_shared::site::SiteVerb;
use std::sync::Arc;
use std::time::Duration;

use crewbell_server::actions::{CreateSite, Execute, SetButtonSecret, SetJoinCode, SetPersonSecret, SignIn};
use crewbell_server::auth::{Token, hash_code, hash_secret};
use crewbell_server::clock::{Clock, Ids};
use crewbell_server::config::Retention;
use crewbell_server::db::DbSettings;
use crewbell_server::db::sessions::Session;
use crewbell_server::devices::broker::BrokerConfig;
use crewbell_server::devices::dialects::RadioTable;
use crewbell_server::http::TrustedProxies;
use crewbell_server::ice::Ice;
use crewbell_server::jobs::CLEAN_UP_AFTER;
use crewbell_server::live::SILENCE;
use crewbell_server::serve::{Mqtt, Server, ServerSettings};
use crewbell_server::site_registry::OpenSite;
use crewbell_shared::ids::{ButtonId, GuestId, PersonId, PlaceId, SiteId, StayId};
use crewbell_shared::person::{Actor, Role};
use crewbell_shared::place::PlaceKind;
use crewbell_shared::protocol::{Source, Verb};
use crewbell_shared::site::{Site, SiteSettings};
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::cast::{Crew, Gus};
use crate::database;

pub use crate::props::soon;

/// The PIN of all people on every ship: it needs hashing only once.
pub const PIN: &str = "4711";

static PIN_HASH: OnceCell<String> = OnceCell::const_new();

pub struct Ship {
    pub server: Server,
    pub db: DbSettings,
    pub clock: Clock,
    pub site: Arc<OpenSite>,
    pub mqtt: Mqtt,
}

pub fn id<T: From<Uuid>>(number: u128) -> T {
    T::from(Uuid::from_u128(number))
}

const CREW: [(u128, &str, Role); 6] = [
    (1, "Sam", Role::Crew),
    (2, "Siri", Role::Crew),
    (3, "Dana", Role::Dispatcher),
    (4, "Tom", Role::Technician),
    (5, "Grace", Role::Supervisor),
    (6, "Alex", Role::Admin),
];

impl Ship {
    /// Creates a ship: "serenity", six of the crew, cabins 1 to 5 with a button each, Mrs Hartmann in cabin 5.
    pub async fn sail() -> Self {
        Self::sail_on(database::fresh().await).await
    }

    /// Creates a ship on a given database.
    pub async fn sail_on(db: DbSettings) -> Self {
        Self::equip(db, embedded()).await
    }

    /// Creates a ship with an external broker, which checks the buttons' credentials itself: those of the fixture don't
    /// matter.
    pub async fn sail_by(broker: BrokerConfig) -> Self {
        Self::equip(database::fresh().await, Mqtt::External(broker)).await
    }

    /// Creates a ship with modified settings.
    pub async fn sail_with(change: impl FnOnce(&mut ServerSettings)) -> Self {
        let (db, mqtt) = (database::fresh().await, embedded());
        let mut settings = settings(&db, Clock::default(), mqtt.clone());
        change(&mut settings);
        let server = Box::pin(Server::start(settings)).await.unwrap();
        Box::pin(Self::man(server, db, mqtt)).await
    }

    async fn equip(db: DbSettings, mqtt: Mqtt) -> Self {
        let server = Box::pin(start(&db, Clock::default(), mqtt.clone())).await;
        Box::pin(Self::man(server, db, mqtt)).await
    }

    async fn man(server: Server, db: DbSettings, mqtt: Mqtt) -> Self {
        let site = found(&server, 100, "serenity").await;
        let clock = server.registry.clock.clone();
        Self { server, db, clock, site, mqtt }
    }

    /// Stops the server and starts it again on the same database.
    pub async fn restart(self) -> Self {
        self.stopped_while(async {}).await
    }

    /// Stops the server and starts it again on the same database, with modified settings.
    pub async fn restart_with(self, change: impl FnOnce(&mut ServerSettings)) -> Self {
        let Self { server, db, clock, mqtt, .. } = self;
        server.stop().await;
        Self::resume_with(db, clock, mqtt, change).await
    }

    /// Stops the server, awaits a future, and starts it again on the same database.
    pub async fn stopped_while(self, meanwhile: impl Future<Output = ()>) -> Self {
        let Self { server, db, clock, mqtt, .. } = self;
        Box::pin(server.stop()).await;
        Box::pin(meanwhile).await;
        Box::pin(Self::resume(db, clock, mqtt)).await
    }

    /// Starts a second server on the same database.
    pub async fn twin(&self) -> Self {
        Self::resume(self.db.clone(), self.clock.clone(), self.mqtt.clone()).await
    }

    async fn resume(db: DbSettings, clock: Clock, mqtt: Mqtt) -> Self {
        Self::resume_with(db, clock, mqtt, |_| ()).await
    }

    async fn resume_with(db: DbSettings, clock: Clock, mqtt: Mqtt, change: impl FnOnce(&mut ServerSettings)) -> Self {
        let mut settings = settings(&db, clock.clone(), mqtt.clone());
        change(&mut settings);
        let server = Box::pin(Server::start(settings)).await.unwrap();
        let (site, _) = server.registry.site_named(Some("serenity")).await.unwrap().unwrap();
        Self { server, db, clock, site, mqtt }
    }

    /// Signs a crew member in on a device of their own.
    pub async fn crew(&self, name: &str) -> Crew {
        Crew::sign_in(self.server.http, "serenity", name).await
    }

    pub async fn sam(&self) -> Crew {
        self.crew("Sam").await
    }

    pub async fn siri(&self) -> Crew {
        self.crew("Siri").await
    }

    pub async fn dana(&self) -> Crew {
        self.crew("Dana").await
    }

    pub async fn grace(&self) -> Crew {
        self.crew("Grace").await
    }

    pub async fn alex(&self) -> Crew {
        self.crew("Alex").await
    }

    /// Creates a further person with a session, without the second that a PIN takes.
    pub async fn recruit(&self, name: &str, role: Role) -> Crew {
        let registry = &self.server.registry;
        let at = registry.clock.now();
        let person_id: PersonId = registry.ids.next(at);
        self.set_up(Verb::Person(PersonVerb::Save { person_id, name: name.into(), role, active: true })).await;
        let session = Session {
            id: registry.ids.next(at),
            person_id,
            device_id: registry.ids.next(at),
            device_name: "a tablet".into(),
            created_at: at,
            used_at: at,
        };
        let token = Token::new(self.site.id, &registry.ids);
        let sign_in = SignIn { session, token_hash: token.hash() };
        self.site.act(Box::new(sign_in), Actor::System, Source::Server).await.unwrap();
        Crew::with_token(self.server.http, &self.site.slug, name, person_id.to_string(), token.to_string())
    }

    /// Sets the common PIN for a recruited person.
    pub async fn pin_of(&self, name: &str) {
        let mut tx = self.server.registry.db.read(self.site.id).await.unwrap();
        let known = crewbell_server::db::people::by_name(&mut tx, self.site.id, name).await.unwrap();
        drop(tx);
        self.new_pin(&known.unwrap().0.to_string()).await;
    }

    /// Sets the common PIN for a person id.
    pub async fn new_pin(&self, person: &str) {
        let hash = PIN_HASH.get().unwrap().clone();
        let set = SetPersonSecret { person_id: person.parse().unwrap(), hash };
        self.site.act(Box::new(set), Actor::System, Source::Server).await.unwrap();
    }

    /// Returns the seq of the last entry of the log.
    pub fn head(&self) -> u64 {
        self.site.recent.head()
    }

    /// Connects Gus as the button of a cabin, with the button's own credentials.
    pub async fn gus_in(&self, cabin: u128) -> Gus {
        let device = format!("cabin-{cabin}");
        Gus::connect(self.server.mqtt.unwrap(), &device, &format!("serenity/{device}"), &format!("secret-{cabin}"))
            .await
    }

    /// Connects a device with the ship's join code.
    pub async fn newcomer(&self, device: &str) -> Gus {
        Gus::connect(self.server.mqtt.unwrap(), device, "serenity", "join-me").await
    }

    /// Executes a verb as the server itself.
    pub async fn set_up(&self, verb: Verb) {
        self.site.act(Box::new(Execute(verb)), Actor::System, Source::Server).await.unwrap();
    }

    /// Changes the site settings.
    pub async fn settings(&self, change: impl FnOnce(&mut SiteSettings)) {
        let mut settings = SiteSettings::default();
        change(&mut settings);
        self.set_up(Verb::Site(SiteVerb::SaveSettings { settings })).await;
    }

    /// Runs a query as the superuser, without row-level security.
    pub async fn count(&self, sql: &'static str) -> i64 {
        let mut root = database::superuser(&self.db).await;
        sqlx::query_scalar(sql).fetch_one(&mut root).await.unwrap()
    }
}

/// Returns the settings of the embedded MQTT listener.
pub fn embedded() -> Mqtt {
    Mqtt::Embedded { listen: ([127, 0, 0, 1], 0).into(), secure: None, anonymous: false }
}

/// Starts a server with the default settings of the stories.
pub async fn start(db: &DbSettings, clock: Clock, mqtt: Mqtt) -> Server {
    start_with(db, clock, mqtt, axum::Router::new()).await
}

/// Starts a server with additional routes.
pub async fn start_with(db: &DbSettings, clock: Clock, mqtt: Mqtt, more: axum::Router) -> Server {
    Box::pin(Server::start_with(settings(db, clock, mqtt), more)).await.unwrap()
}

/// Returns the default settings of the stories.
fn settings(db: &DbSettings, clock: Clock, mqtt: Mqtt) -> ServerSettings {
    ServerSettings {
        db: db.clone(),
        http: ([127, 0, 0, 1], 0).into(),
        http_tls: None,
        proxies: TrustedProxies::default(),
        mqtt,
        prefix: "obedio".into(),
        radio: RadioTable::default(),
        ice: Ice::default(),
        own_turn: None,
        retention: Retention::default(),
        clean_up_after: CLEAN_UP_AFTER,
        disk: None,
        clock,
        ids: Ids::random(),
        metrics: None,
        // Most stories send no heartbeats, and some take longer than the server's timeout.
        silence: 20 * SILENCE,
        drain: Duration::from_secs(10),
    }
}

/// Creates a site with its crew, cabins, buttons and a guest. Ids are the same on each ship except for the site's.
pub async fn found(server: &Server, number: u128, slug: &str) -> Arc<OpenSite> {
    let registry = &server.registry;
    let site =
        Site { id: id::<SiteId>(number), slug: slug.into(), name: slug.into(), settings: SiteSettings::default() };
    CreateSite { site }.run(&registry.db, &registry.clock, &registry.ids, None).await.unwrap();
    let site = registry.site(id(number)).await.unwrap().unwrap();
    let act = async |action| site.act(action, Actor::System, Source::Server).await.unwrap();
    let hash = PIN_HASH.get_or_init(|| async { hash_secret(PIN.into()).await.unwrap() }).await;
    act(Box::new(SetJoinCode { hash: Some(hash_code(b"join-me")) })).await;
    for (number, name, role) in CREW {
        let person_id: PersonId = id(number);
        act(Box::new(Execute(Verb::Person(PersonVerb::Save { person_id, name: name.into(), role, active: true }))))
            .await;
        act(Box::new(SetPersonSecret { person_id, hash: hash.clone() })).await;
    }
    for cabin in 1..=5_u128 {
        let place_id: PlaceId = id(cabin);
        let name = format!("Cabin {cabin}");
        let kind = PlaceKind::Cabin;
        act(Box::new(Execute(Verb::Place(PlaceVerb::Save { place_id, parent_id: None, name, kind, position: 0 }))))
            .await;
        let button_id: ButtonId = id(cabin);
        let device = format!("cabin-{cabin}");
        act(Box::new(Execute(Verb::Button(ButtonVerb::Create { button_id, device, place_id, name: None })))).await;
        let hash = Some(hash_code(format!("secret-{cabin}").as_bytes()));
        act(Box::new(SetButtonSecret { button_id, hash })).await;
    }
    let guest_id: GuestId = id(5);
    act(Box::new(Execute(Verb::Guest(GuestVerb::Save {
        guest_id,
        name: "Mrs Hartmann".into(),
        notes: String::new(),
    }))))
    .await;
    act(Box::new(Execute(Verb::Stay(StayVerb::CheckIn { stay_id: id::<StayId>(5), guest_id, place_id: id(5) })))).await;
    site
}
