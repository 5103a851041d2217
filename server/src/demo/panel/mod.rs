//! The panel: a web page with the yacht's buttons, each of which is a real MQTT client of this server's own listener.
//!
//! | file | contents |
//! |---|---|
//! | `button` | one button: its connection, its presses, its lamp |
//! | `page` | the page's static files |
//!
//! `GET /demo` returns the page, `GET /demo/buttons` its content, `GET /demo/lamps` an event stream of the lamps'
//! states; `POST /demo/press` presses a button. There is no sign-in: the panel is served by the demo only. It writes
//! nothing to the database; a press goes through the MQTT listener like any other.

mod button;
mod page;

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::{get, post};
use axum::{Json, Router};
use crewbell_shared::Code;
use crewbell_shared::button::{ButtonKey, PressKind};
use futures_util::{Stream, stream};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use self::button::{Lamp, Order};
use super::{DemoButton, DemoSite};
use crate::clock::Ids;
use crate::http::{ApiError, Body};

/// Timeout of a press: longer than the server's own, after which it closes the connection instead.
const PATIENCE: Duration = Duration::from_secs(20);

/// The number of presses that can be queued at one button.
const WAITING: usize = 16;

/// The state of every lamp that has received a message, by the device's id.
type Lamps = BTreeMap<String, Lamp>;

/// The panel. Its endpoints exist before the site is loaded, and answer `unavailable` until it is
/// [connected](Panel::connect).
#[derive(Clone, Debug, Default)]
pub struct Panel(Arc<OnceLock<Wired>>);

/// The state of a connected panel.
#[derive(Debug)]
struct Wired {
    site: DemoSite,
    mqtt: SocketAddr,
    /// The prefix of its press ids, different at every start.
    boot: String,
    stop: CancellationToken,
    lamps: Arc<watch::Sender<Lamps>>,
    /// The buttons that were pressed; each keeps its connection, as a real one does.
    buttons: Mutex<HashMap<String, mpsc::Sender<Order>>>,
}

impl Panel {
    /// Connects the buttons of a site to a listener, until cancelled. Only the first call has an effect.
    pub fn connect(&self, site: DemoSite, mqtt: SocketAddr, ids: &Ids, stop: CancellationToken) {
        let boot = format!("panel-{:08x}", u32::from_be_bytes(ids.bytes()));
        let (lamps, buttons) = (Arc::new(watch::Sender::default()), Mutex::default());
        self.0.get_or_init(|| Wired { site, mqtt, boot, stop, lamps, buttons });
    }

    /// Returns the panel's routes.
    pub fn router(&self) -> Router {
        page::router()
            .route("/demo/buttons", get(buttons))
            .route("/demo/press", post(press))
            .route("/demo/lamps", get(lamps))
            .with_state(self.clone())
    }

    fn wired(&self) -> Result<&Wired, ApiError> {
        self.0.get().ok_or_else(|| ApiError::new(Code::Unavailable, "The demo is being loaded."))
    }
}

impl Wired {
    /// Returns the queue of a button, which starts with its first press; `None` for an unknown button.
    fn button(&self, device: &str) -> Option<mpsc::Sender<Order>> {
        let known = self.site.buttons.iter().find(|button| button.id == device)?;
        let mut buttons = self.buttons.lock().unwrap_or_else(PoisonError::into_inner);
        let orders = buttons.entry(known.id.clone()).or_insert_with(|| {
            let (orders, receiver) = mpsc::channel(WAITING);
            let button = button::Button::new(known.clone(), self.mqtt, &self.boot, Arc::clone(&self.lamps));
            let stop = self.stop.clone();
            tokio::spawn(async move { stop.run_until_cancelled(Box::pin(button.run(receiver))).await });
            orders
        });
        Some(orders.clone())
    }
}

/// The content of the page.
#[derive(Serialize)]
struct Standing {
    site: String,
    decks: Vec<Deck>,
}

#[derive(Serialize)]
struct Deck {
    name: String,
    buttons: Vec<Tile>,
}

#[derive(Serialize)]
struct Tile {
    device: String,
    place: String,
}

async fn buttons(State(panel): State<Panel>) -> Result<Json<Standing>, ApiError> {
    let site = &panel.wired()?.site;
    let mut decks: Vec<Deck> = Vec::new();
    for DemoButton { id, place, deck, .. } in &site.buttons {
        let tile = Tile { device: id.clone(), place: place.clone() };
        match decks.iter_mut().find(|known| known.name == *deck) {
            Some(known) => known.buttons.push(tile),
            None => decks.push(Deck { name: deck.clone(), buttons: vec![tile] }),
        }
    }
    Ok(Json(Standing { site: site.site.name.clone(), decks }))
}

/// The body of `POST /demo/press`: the button, and the kind and key of the press.
#[derive(Debug, Deserialize)]
struct Finger {
    device: String,
    kind: PressKind,
    key: ButtonKey,
}

/// A press that the listener acknowledged.
#[derive(Debug, Serialize)]
struct Pressed {
    press_id: String,
    /// The time from PUBLISH to PUBACK, in milliseconds.
    puback_ms: f64,
}

/// Presses a button. A page of another origin can't: the browser sends a preflight request before JSON, which is
/// refused.
async fn press(State(panel): State<Panel>, Body(finger): Body<Finger>) -> Result<Json<Pressed>, ApiError> {
    let button = panel.wired()?.button(&finger.device).ok_or_else(|| ApiError::not_found("button"))?;
    let (done, heard) = oneshot::channel();
    let failed = |why: String| ApiError::new(Code::Unavailable, why);
    let busy = |_| failed("The button is being pressed already.".to_owned());
    button.try_send(Order { kind: finger.kind, key: finger.key, done }).map_err(busy)?;
    match tokio::time::timeout(PATIENCE, heard).await {
        Ok(Ok(Ok((press_id, took)))) => Ok(Json(Pressed { press_id, puback_ms: took.as_secs_f64() * 1000.0 })),
        Ok(Ok(Err(why))) => Err(failed(why)),
        Ok(Err(_)) | Err(_) => {
            Err(failed("The press wasn't acknowledged; whether it is recorded isn't known.".to_owned()))
        }
    }
}

/// Streams the lamps' states, now and after every change. Each event has all of them, so that none is missed.
async fn lamps(
    State(panel): State<Panel>,
) -> Result<Sse<impl Stream<Item = Result<Event, axum::Error>> + use<>>, ApiError> {
    let wired = panel.wired()?;
    let mut changes = wired.lamps.subscribe();
    changes.mark_changed();
    let shown = stream::unfold((changes, wired.stop.clone()), |(mut changes, stop)| async move {
        stop.run_until_cancelled(changes.changed()).await?.ok()?;
        let event = Event::default().json_data(&*changes.borrow_and_update());
        Some((event, (changes, stop)))
    });
    Ok(Sse::new(shown).keep_alive(KeepAlive::default()))
}
