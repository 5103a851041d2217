//! A crew device: the real controller, with a network link, a disk, a vault and a shell of its own.

use crewbell_shared::person::PersonVerb;
use crewbell_shared::request::RequestVerb;
use std::net::SocketAddr;
use std::sync::Arc;

use crewbell_core::controller::{Clock, Deps, Handle, start};
use crewbell_core::screen::{Ask, AskError, Link, Shown, ViewState};
use crewbell_core::shell::{Handset, NoHandset};
use crewbell_shared::ids::RequestId;
use crewbell_shared::protocol::{Entity, Verb};
use crewbell_shared::request::{Request, RequestState};
use serde_json::Value;
use tokio::time::{Duration, timeout};
use uuid::Uuid;

use crate::disk::Disk;
use crate::phone::{Phone, Receiver};
use crate::recorder::{Drawer, Recorder};
use crate::ship::PIN;
use crate::wire::Wire;

/// Time limit for expected events; longer than the longest back-off between two attempts to connect.
const SOON: Duration = Duration::from_secs(40);

/// A crew device.
pub struct Device {
    pub wire: Wire,
    pub disk: Disk,
    pub vault: Arc<Drawer>,
    pub shell: Arc<Recorder>,
    pub clock: Clock,
    pub folder: Arc<tempfile::TempDir>,
    phone: Option<Arc<Phone>>,
    handle: Handle,
}

impl Device {
    /// Creates a device without a session.
    pub async fn new(ship: SocketAddr) -> Self {
        Self::made(Wire::to(ship).await, None).await
    }

    /// Creates a device that can be called, and signs a person in.
    pub async fn with_phone(wire: Wire, name: &str, phone: &Arc<Phone>) -> Self {
        let device = Self::made(wire, Some(Arc::clone(phone))).await;
        device.sign_in(name).await.unwrap();
        device.live().await;
        device
    }

    async fn made(wire: Wire, phone: Option<Arc<Phone>>) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let disk = Disk::new(folder.path());
        Self::boot(wire, disk, Arc::default(), Clock::default(), folder, phone).await
    }

    /// Creates a device, signs a person in, sets them on duty, and waits until it has the site.
    pub async fn of(ship: SocketAddr, name: &str) -> Self {
        let device = Self::new(ship).await;
        device.sign_in(name).await.unwrap();
        device.goes_on_duty().await;
        device
    }

    /// Sets the signed-in person on duty: devices ring only for people on duty.
    pub async fn goes_on_duty(&self) {
        let person_id = self.live().await.me().unwrap();
        self.does(Verb::Person(PersonVerb::SetDuty { person_id, on_duty: true })).await.unwrap();
        self.settled().await;
    }

    /// Cuts the device's network, and waits until the device notices.
    pub async fn goes_away(&self) {
        self.wire.cut();
        self.until("the device is away", |picture| !picture.status.link.is_there()).await;
    }

    async fn boot(
        wire: Wire,
        disk: Disk,
        vault: Arc<Drawer>,
        clock: Clock,
        folder: Arc<tempfile::TempDir>,
        phone: Option<Arc<Phone>>,
    ) -> Self {
        let unreadable = disk.open().await;
        let handset: Arc<dyn Handset> = match &phone {
            Some(phone) => Arc::new(Receiver(Arc::clone(phone))),
            None => Arc::new(NoHandset),
        };
        let shell = Recorder::new(folder.path().join("downloads"));
        let parts = Deps {
            store: disk.clone(),
            rebuilt: None,
            unreadable,
            shell: Arc::<Recorder>::clone(&shell),
            handset,
            vault: Arc::<Drawer>::clone(&vault),
            clock: clock.clone(),
            data: folder.path().to_owned(),
            device_name: "a tablet".into(),
            version: "1".into(),
        };
        let handle = start(parts).await.unwrap();
        if let Some(phone) = &phone {
            phone.is_of(handle.clone());
        }
        Self { wire, disk, vault, shell, clock, folder, phone, handle }
    }

    /// Closes the program and starts it again.
    pub async fn restart(self) -> Self {
        self.restart_after(async |_| ()).await
    }

    /// Restarts the program, with a change to its storage in between.
    pub async fn restart_after(self, what: impl AsyncFnOnce(&Disk)) -> Self {
        let Self { wire, disk, vault, clock, folder, phone, handle, .. } = self;
        handle.stop().await;
        what(&disk).await;
        Self::boot(wire, disk, vault, clock, folder, phone).await
    }

    pub async fn sign_in(&self, name: &str) -> Result<Value, AskError> {
        let (server, site, name, secret) = (self.wire.base(), "serenity".into(), name.into(), PIN.into());
        self.ask(Ask::SignIn { server, site, name, secret }).await
    }

    pub async fn ask(&self, ask: Ask) -> Result<Value, AskError> {
        let answer = timeout(SOON, self.handle.ask(ask)).await.expect("every ask is answered")?;
        Ok(serde_json::from_str(answer.get()).expect("JSON"))
    }

    pub async fn does(&self, verb: Verb) -> Result<Value, AskError> {
        self.ask(Ask::Do { verb }).await
    }

    pub async fn accepts(&self, id: RequestId) -> Result<Value, AskError> {
        self.does(Verb::Request(RequestVerb::Accept { request_id: id })).await
    }

    pub async fn notes(&self, id: RequestId, text: &str) -> Result<Value, AskError> {
        self.does(Verb::Request(RequestVerb::Note {
            request_id: id,
            note_id: Uuid::now_v7().into(),
            text: text.into(),
        }))
        .await
    }

    /// Returns the device's voice.
    pub fn phone(&self) -> &Phone {
        self.phone.as_ref().expect("it can be called")
    }

    /// Kills the program: its voice ends abruptly, the system closes its connections, and it sends no farewell.
    pub async fn dies(self) {
        self.wire.cut();
        self.phone().dies();
        self.handle.stop().await;
    }

    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    pub async fn look(&self) -> ViewState {
        serde_json::from_value(self.ask(Ask::Look).await.unwrap()).unwrap()
    }

    /// Waits until the view state satisfies a condition.
    pub async fn until(&self, what: &str, is_so: impl Fn(&ViewState) -> bool) -> ViewState {
        let mut news = self.shell.news.subscribe();
        let waiting = async {
            loop {
                news.borrow_and_update();
                let picture = self.look().await;
                if is_so(&picture) {
                    return picture;
                }
                // Some changes emit no event (the cursor of a live stream): they are polled.
                let _ = timeout(Duration::from_millis(100), news.changed()).await;
            }
        };
        if let Ok(picture) = timeout(SOON, waiting).await {
            return picture;
        }
        let picture = self.look().await;
        panic!("{what}: {:?} {:?}", picture.status, picture.outbox);
    }

    /// Waits until the device is live.
    pub async fn live(&self) -> ViewState {
        self.until("the device goes live", |picture| picture.status.link == Link::Live).await
    }

    /// Waits until the outbox of the signed-in person is empty.
    pub async fn settled(&self) -> ViewState {
        let settled = |picture: &ViewState| {
            let waits = picture.outbox.iter().any(|item| Some(item.by.id) == picture.me());
            picture.status.link == Link::Live && !waits
        };
        self.until("everything is with the server", settled).await
    }

    /// Waits until a request satisfies a condition.
    pub async fn sees(&self, what: &str, is_so: impl Fn(&Request) -> bool) -> Request {
        let picture = self.until(what, |picture| requests(picture).any(|(request, _)| is_so(request))).await;
        requests(&picture).map(|(request, _)| request).find(|request| is_so(request)).unwrap().clone()
    }

    /// Waits until this device rings for a request, or for none.
    pub async fn rings(&self, id: Option<RequestId>) {
        let mut news = self.shell.news.subscribe();
        let rings = || self.shell.ringing().first().map(|alert| alert.request_id) == id;
        let waiting = async {
            while !rings() {
                news.changed().await.unwrap();
            }
        };
        assert!(timeout(SOON, waiting).await.is_ok(), "it should ring for {id:?}: {:?}", self.shell.ringing());
    }
}

/// Returns the requests in a view state, and whether each is a local echo.
pub fn requests(picture: &ViewState) -> impl Iterator<Item = (&Request, bool)> {
    picture.entities.iter().filter_map(|Shown { entity, pending }| {
        if let Entity::Request(request) = entity.as_ref() { Some((request, *pending)) } else { None }
    })
}

/// Returns a request of a view state, and whether it is a local echo.
pub fn request(picture: &ViewState, id: RequestId) -> (Request, bool) {
    let (request, pending) = requests(picture).find(|(request, _)| request.id == id).expect("it is shown");
    (request.clone(), pending)
}

/// Returns the name of the person who accepted a request.
pub fn accepted_by(request: &Request) -> Option<&str> {
    match &request.state {
        RequestState::Accepted(acceptance) => Some(acceptance.accepted_by.name.as_str()),
        RequestState::Open | RequestState::Completed { .. } | RequestState::Cancelled { .. } => None,
    }
}
