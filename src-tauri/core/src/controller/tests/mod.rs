//! Tests of the loop's order, and of recovery after a failure. Whole devices are tested in `tests/device`.

mod killed;

use crewbell_shared::request::RequestVerb;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crewbell_shared::call::{Call, CallState};
use crewbell_shared::ids::{CallId, EndpointId, NoteId};
use crewbell_shared::protocol::live::{FromServer, Signal};
use crewbell_shared::protocol::{Entity, Verb};
use crewbell_shared::request::Priority;
use crewbell_shared::testing::{at, id, open_request, ringing_call, sam, siri};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::timeout;

use super::Deps;
use super::run::{Controller, Post, Work};
use crate::engine::{Engine, Input, Output, Snapshot};
use crate::net::{Http, trust};
use crate::screen::{Alert, Ask, AskError, AudioDevices, CoreEvent, Task};
use crate::shell::{Handset, IceServer, Recording, Shell, TokenPlace, Vault, VaultError};
use crate::store::{Cursor, Image, Memory, Session, Store, StoreError, Write};

/// A recording shell and handset, with a vault that stays locked.
#[derive(Debug, Default)]
struct Device {
    rings: Mutex<Vec<Vec<Alert>>>,
    tasks: Mutex<Vec<Task>>,
    told: Mutex<Vec<CoreEvent>>,
    trips: Mutex<u32>,
}

impl Shell for Device {
    fn tell(&self, told: &[CoreEvent]) {
        self.told.lock().unwrap().extend_from_slice(told);
    }

    fn ring(&self, alerts: &[Alert], _open: usize) {
        let mut trips = self.trips.lock().unwrap();
        if *trips > 0 {
            *trips -= 1;
            drop(trips);
            panic!("the bell trips");
        }
        self.rings.lock().unwrap().push(alerts.to_vec());
    }

    fn test_sound(&self, _priority: Priority) -> Result<(), AskError> {
        Ok(())
    }

    fn play(&self, _recording: Option<Recording>) -> Result<(), AskError> {
        Ok(())
    }

    fn setting(&self, _name: &str, _value: Option<&str>) {}

    fn downloads(&self) -> std::path::PathBuf {
        std::path::PathBuf::new()
    }
}

impl Handset for Device {
    fn phone(&self, task: Task, _call: Option<&Call>, _missed: usize) {
        self.tasks.lock().unwrap().push(task);
    }

    fn ice_servers(&self, _servers: &[IceServer]) {}

    fn signal(&self, _call_id: CallId, _from: EndpointId, _signal: &Signal) {}

    fn heard(&self, _packet: &[u8]) {}

    fn socket_back(&self) {}

    fn mute(&self, _on: bool) {}

    fn talk(&self, _held: bool) {}

    fn audio_devices(&self) -> Result<AudioDevices, AskError> {
        Ok(AudioDevices::default())
    }
}

impl Vault for Device {
    fn token(&self) -> Result<Option<String>, VaultError> {
        Err(VaultError("it is locked".into()))
    }

    fn keep(&self, _token: &str) -> Result<TokenPlace, VaultError> {
        Err(VaultError("it is locked".into()))
    }

    fn forget(&self) -> Result<(), VaultError> {
        Ok(())
    }
}

/// A vault that outlives the app.
#[derive(Debug, Default)]
pub(super) struct Drawer {
    pub text: Mutex<Option<String>>,
    pub locked: AtomicBool,
    pub asked: AtomicUsize,
}

impl Vault for Drawer {
    fn token(&self) -> Result<Option<String>, VaultError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.locked.load(Ordering::SeqCst) {
            return Err(VaultError("it is locked".into()));
        }
        Ok(self.text.lock().unwrap().clone())
    }

    fn keep(&self, token: &str) -> Result<TokenPlace, VaultError> {
        *self.text.lock().unwrap() = Some(token.to_owned());
        Ok(TokenPlace::Keyring)
    }

    fn forget(&self) -> Result<(), VaultError> {
        *self.text.lock().unwrap() = None;
        Ok(())
    }
}

/// A keyring that asks its owner each time, and answers nothing while the owner is held.
#[derive(Debug, Default)]
struct Hanging {
    asked: Notify,
    owner: tokio::sync::Mutex<()>,
}

impl Hanging {
    fn ask_owner(&self) {
        self.asked.notify_one();
        drop(self.owner.blocking_lock());
    }
}

impl Vault for Hanging {
    fn token(&self) -> Result<Option<String>, VaultError> {
        self.ask_owner();
        Ok(None)
    }

    fn keep(&self, _token: &str) -> Result<TokenPlace, VaultError> {
        self.ask_owner();
        Ok(TokenPlace::Keyring)
    }

    fn forget(&self) -> Result<(), VaultError> {
        self.ask_owner();
        Ok(())
    }
}

/// A store that panics a set number of times, to simulate a bug.
#[derive(Debug)]
struct Tripping {
    memory: Memory,
    trips: Arc<Trips>,
}

#[derive(Debug, Default)]
struct Trips {
    loads: AtomicU32,
    writes: AtomicU32,
}

impl Trips {
    fn now(trips: &AtomicU32) {
        let left = trips.try_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        assert!(left.is_err(), "the store trips");
    }
}

impl Store for Tripping {
    async fn load(&mut self) -> Result<Image, StoreError> {
        Trips::now(&self.trips.loads);
        self.memory.load().await
    }

    async fn write(&mut self, writes: &[Write]) -> Result<(), StoreError> {
        if writes.iter().any(Write::is_precious) {
            Trips::now(&self.trips.writes);
        }
        self.memory.write(writes).await
    }
}

/// Returns Siri's device with these entities.
async fn controller(entities: Vec<Entity>) -> (Controller<Memory>, Arc<Device>) {
    let (device, folder) = (Arc::<Device>::default(), tempfile::tempdir().unwrap());
    let parts = parts(Memory::new(image(entities)), &device, folder.path());
    let http = Http::new(trust(folder.path()).unwrap()).unwrap();
    let (posts, _) = mpsc::channel(1);
    let mut controller = Controller::new(parts, http, posts.downgrade()).await.unwrap();
    controller.endpoint = id(91);
    controller.engine = Engine::new(controller.engine.image().clone()).with_endpoint(id(91));
    (controller, device)
}

/// Returns the stored image of Siri's device with these entities.
fn image(entities: Vec<Entity>) -> Image {
    let mut image = Image::default();
    let session = Session {
        server: "http://127.0.0.1:9".into(),
        site: "serenity".into(),
        person: siri().as_ref(),
        device_id: id(1),
        instance: None,
    };
    let site = crewbell_shared::site::Site {
        id: id(9),
        slug: "serenity".into(),
        name: "MY Serenity".into(),
        settings: crewbell_shared::site::SiteSettings::default(),
    };
    let all = [site.into(), siri().into(), sam().into()].into_iter().chain(entities).map(Arc::new).collect();
    image.apply(&[Write::SignIn(session), Write::Replace { entities: all, cursor: Cursor { seq: 7, event_id: None } }]);
    image
}

fn parts<S>(store: S, device: &Arc<Device>, folder: &std::path::Path) -> Deps<S> {
    Deps {
        store,
        rebuilt: None,
        unreadable: Vec::new(),
        shell: Arc::<Device>::clone(device),
        handset: Arc::<Device>::clone(device),
        vault: Arc::<Device>::clone(device),
        clock: super::Clock::default(),
        data: folder.to_owned(),
        device_name: "a tablet".into(),
        version: "1".into(),
    }
}

fn ongoing() -> Call {
    let state = CallState::Ongoing { answered_at: at(5), callee_endpoint: Some(id(91)) };
    Call { state, ..ringing_call(at(0)) }
}

#[tokio::test]
async fn what_follows_from_a_step_is_done_when_all_of_the_step_is() {
    let (mut controller, device) = controller(vec![ongoing().into()]).await;
    controller.step(Input::Recovered).await.unwrap();
    let call_id = ongoing().id;
    let talk = Task::Talk { call_id, peer: Some(id(90)), offers: false };
    assert_eq!(device.tasks.lock().unwrap().last(), Some(&talk));
    // The call is ended for silence in the same step that reports it as ongoing.
    controller.perform(vec![Output::EndCall { call_id }, Output::Phone { task: talk, call: None, missed: 1 }]).await;
    controller.step(Input::Tick).await.unwrap();
    let tasks = device.tasks.lock().unwrap();
    assert_eq!(tasks.last(), Some(&Task::Over { call_id }), "the microphone is off: {tasks:?}");
}

#[tokio::test]
async fn after_a_panic_what_is_over_falls_silent_and_what_goes_on_is_said_again_at_once() {
    let (mut controller, device) = controller(Vec::new()).await;
    // The state left by the step that panicked.
    let alert = Alert {
        request_id: open_request(at(0)).id,
        priority: Priority::Normal,
        silenced: false,
        place_name: "Cabin 5".into(),
        since: at(0),
    };
    device.rings.lock().unwrap().push(vec![alert]);
    device.tasks.lock().unwrap().push(Task::Talk { call_id: id(5), peer: Some(id(6)), offers: true });
    controller.recover().await;
    assert_eq!(device.rings.lock().unwrap().last(), Some(&Vec::new()), "the bell is told that nothing rings");
    assert_eq!(device.tasks.lock().unwrap().last(), Some(&Task::Idle), "and the microphone that nobody speaks");

    let now = controller.clock.now().wall;
    let (mut controller, device) = self::controller(vec![open_request(now).into(), ongoing().into()]).await;
    controller.recover().await;
    let rings: Vec<_> = device.rings.lock().unwrap()[0].iter().map(|alert| alert.request_id).collect();
    assert_eq!(rings, [open_request(now).id], "nothing is held back as after a start");
    assert!(matches!(device.tasks.lock().unwrap()[0], Task::Talk { .. }));
    assert!(device.told.lock().unwrap().contains(&CoreEvent::Reload));
}

#[tokio::test]
async fn a_loop_that_panics_goes_on_and_one_that_panics_while_it_begins_again_leaves_nothing_ringing() {
    let now = super::Clock::default().now().wall;
    let (device, folder, trips) = (Arc::<Device>::default(), tempfile::tempdir().unwrap(), Arc::<Trips>::default());
    let memory = Memory::new(image(vec![open_request(now).into()]));
    let store = Tripping { memory, trips: Arc::clone(&trips) };
    let handle = super::start(parts(store, &device, folder.path())).await.unwrap();
    let notes = |number: u128| {
        let (request_id, note_id) = (open_request(now).id, NoteId(uuid::Uuid::from_u128(number)));
        handle
            .ask(Ask::Do { verb: Verb::Request(RequestVerb::Note { request_id, note_id, text: "Two towels".into() }) })
    };
    trips.writes.store(1, Ordering::SeqCst);
    assert!(notes(1).await.is_err(), "it costs what was asked");
    notes(2).await.unwrap();
    let rings = || device.rings.lock().unwrap().last().map(Vec::len);
    assert_eq!(rings(), Some(1), "and what rings goes on");

    trips.writes.store(1, Ordering::SeqCst);
    trips.loads.store(2, Ordering::SeqCst);
    assert!(notes(3).await.is_err());
    handle.ask(Ask::Look).await.unwrap();
    assert_eq!((rings(), device.tasks.lock().unwrap().last()), (Some(0), Some(&Task::Idle)));
}

#[tokio::test]
async fn while_the_keyring_hangs_the_loop_goes_on_rings_and_takes_an_accept() {
    let now = super::Clock::default().now().wall;
    let (device, folder, vault) = (Arc::<Device>::default(), tempfile::tempdir().unwrap(), Arc::<Hanging>::default());
    let _hangs = vault.owner.lock().await;
    let parts = parts(Memory::new(image(Vec::new())), &device, folder.path());
    let handle = super::start(Deps { vault: Arc::<Hanging>::clone(&vault), ..parts }).await.unwrap();
    let rings = || device.rings.lock().unwrap().last().map(Vec::len);
    let goes_on = async {
        vault.asked.notified().await;
        // The network's tasks wait for the token; this is what they would report.
        let entities = image(vec![open_request(now).into()]).entities.into_values().map(|kept| kept.entity).collect();
        let cursor = Cursor { seq: 7, event_id: None };
        handle.input(Input::Snapshot(Ok(Snapshot { cursor, entities, foreign: false })));
        let welcome = FromServer::Welcome { head: 7, server_time: now, person_id: siri().id, instance: None };
        handle.input(Input::Frame { socket: 1, frame: Box::new(welcome) });
        while rings() != Some(1) {
            handle.ask(Ask::Look).await.unwrap();
        }
        handle
            .ask(Ask::Do { verb: Verb::Request(RequestVerb::Accept { request_id: open_request(now).id }) })
            .await
            .unwrap();
        assert_eq!(rings(), Some(0));
    };
    assert!(timeout(Duration::from_secs(30), goes_on).await.is_ok(), "the loop waits for the keyring");
}

#[tokio::test]
async fn what_is_on_the_disk_was_taken_though_what_follows_from_it_panics() {
    let now = super::Clock::default().now().wall;
    let (mut controller, device) = controller(vec![open_request(now).into()]).await;
    controller.step(Input::Recovered).await.unwrap();
    let told = device.rings.lock().unwrap().len();
    controller.trips = 1;
    let (answer, answered) = oneshot::channel();
    let (request_id, note_id) = (open_request(now).id, NoteId(uuid::Uuid::from_u128(1)));
    let verb = Verb::Request(RequestVerb::Note { request_id, note_id, text: "Two towels".into() });
    controller.guarded(Work::Post(Post::Ask(Box::new(Ask::Do { verb }), answer))).await;
    let taken = answered.await.expect("an answer").unwrap();
    let kept = &controller.engine.image().outbox[0].command;
    assert_eq!(taken.get(), format!("\"{}\"", kept.id));
    let rings = device.rings.lock().unwrap();
    assert_eq!((rings.len(), rings.last().map(Vec::len)), (told + 1, Some(1)), "and all is said anew");
}

#[tokio::test]
async fn a_bell_that_fails_costs_the_phone_nothing_and_begins_again_from_the_whole() {
    let (mut controller, device) = controller(vec![ongoing().into()]).await;
    *device.trips.lock().unwrap() = 2;
    controller.recover().await;
    assert!(matches!(device.tasks.lock().unwrap()[0], Task::Talk { .. }), "what stands behind it is done");
    assert!(device.rings.lock().unwrap().is_empty());
    for _ in 0..2 {
        controller.step(Input::SayAgain).await.unwrap();
    }
    assert_eq!(*device.rings.lock().unwrap(), [Vec::new()]);
    let settled = device.rings.lock().unwrap().len();
    controller.step(Input::Tick).await.unwrap();
    assert_eq!(device.rings.lock().unwrap().len(), settled, "once is enough");
}

#[tokio::test]
async fn a_part_that_was_started_anew_is_told_everything() {
    let now = super::Clock::default().now().wall;
    let (mut controller, device) = controller(vec![open_request(now).into(), ongoing().into()]).await;
    controller.step(Input::Recovered).await.unwrap();
    let (rings, tasks) = (device.rings.lock().unwrap().clone(), device.tasks.lock().unwrap().clone());
    controller.step(Input::Tick).await.unwrap();
    assert_eq!((&*device.rings.lock().unwrap(), &*device.tasks.lock().unwrap()), (&rings, &tasks), "nothing changed");
    controller.step(Input::SayAgain).await.unwrap();
    assert_eq!(device.rings.lock().unwrap().last(), rings.last());
    assert_eq!(device.tasks.lock().unwrap().last(), tasks.last());
    assert_eq!(device.rings.lock().unwrap().len(), rings.len() + 1);
}
