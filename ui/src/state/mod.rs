//! The client state: one store, created at the root and fed only by the core.
//!
//! The core decides and the UI shows: pages never change the store. A page sends a request ([`AppState::act`]), the core
//! emits events in response (`feed`), and everything that depends on the changed values renders again at once.
//!
//! The store lives as long as the app, so a future that completes late still finds it. Values that a *page* creates are
//! disposed of with the page: use the `try_` methods on them in a future.

mod asking;
mod calling;
mod feed;
mod lookups;
mod order;
mod table;
mod tables;
mod tree;

use std::collections::{BTreeMap, VecDeque};
use std::ops::Deref;

use crewbell_core::screen::{Alert, AskError, Levels, OutboxItem, Phone, Status, VoicePlayer};
use crewbell_core::store::{Line, Session};
use crewbell_shared::Refusal;
use crewbell_shared::ids::{CommandId, PersonId, RequestId};
use crewbell_shared::person::{Person, Right, allows};
use crewbell_shared::protocol::live::Presence;
use jiff::{SignedDuration, Timestamp};
use leptos::prelude::*;

use crate::bridge::{clock, page};
use crate::locales::time;
use crate::route::{self, Page, Route};

use order::Order;

pub use table::{Item, Table};
pub use tables::Tables;
pub use tree::{Branch, DEEPEST};

/// A handle to the store, as large as a pointer: copy it into closures.
#[derive(Clone, Copy, Debug)]
pub struct AppState {
    store: &'static Store,
}

impl Deref for AppState {
    type Target = Store;

    fn deref(&self) -> &Store {
        self.store
    }
}

impl Deref for Store {
    type Target = Tables;

    fn deref(&self) -> &Tables {
        &self.tables
    }
}

/// The sheets of a request in which a person decides something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestSheet {
    /// Chooses who gets the request.
    HandOver,
    /// Asks for the reason of a cancellation.
    Cancel,
}

/// The store that [`AppState`] points to.
#[derive(Debug)]
pub struct Store {
    /// Whether the first snapshot was answered, with success or not.
    pub started: RwSignal<bool>,
    /// The current route.
    pub route: RwSignal<Route>,
    /// The session of the signed-in person.
    pub session: RwSignal<Option<Session>>,
    /// The last session, for signing in again.
    pub last: RwSignal<Option<Session>>,
    /// The state of the connection and of the device.
    pub status: RwSignal<Status>,
    /// The entities; reached without this name: `state.requests`.
    tables: Tables,
    /// Commands that are not finished, in order.
    pub outbox: RwSignal<Vec<OutboxItem>>,
    /// The latest log lines, oldest first.
    pub lines: RwSignal<VecDeque<Line>>,
    /// The presence of everybody who has a device open.
    pub present: RwSignal<Vec<Presence>>,
    /// When people were last online, where known.
    pub seen: RwSignal<BTreeMap<PersonId, Timestamp>>,
    /// The state of the call on this device.
    pub phone: RwSignal<Phone>,
    /// The audio levels of that call.
    pub levels: RwSignal<Levels>,
    /// The alerts that ring on this device.
    pub alerts: RwSignal<Vec<Alert>>,
    /// This device's settings.
    pub settings: RwSignal<BTreeMap<String, String>>,
    /// Per request, the number of devices that it was sent to and of those that sounded.
    pub reached: RwSignal<BTreeMap<RequestId, (u32, u32)>>,
    /// The player of the current voice message.
    pub voice: RwSignal<Option<VoicePlayer>>,
    /// Commands that were refused while the app was open, until dismissed.
    pub refusals: RwSignal<Vec<(CommandId, Refusal)>>,
    /// The error of the last request that failed, until dismissed.
    pub trouble: RwSignal<Option<AskError>>,
    /// The open sheet of a request. It isn't part of the card, because the card moves when the request changes.
    pub sheet: RwSignal<Option<(RequestId, RequestSheet)>>,
    /// The current time by the server's clock, as far as known; updated once a second.
    pub now: RwSignal<Timestamp>,
    /// The start of today by the local wall clock; texts such as "yesterday" depend on it.
    pub today: Memo<Timestamp>,
    /// The ordering of snapshots and events.
    order: StoredValue<Order>,
    /// Whether the window is wide enough for board, detail and activity side by side.
    pub wide: RwSignal<bool>,
}

impl AppState {
    /// Creates the store; once, at the root.
    pub fn new() -> Self {
        let wide = RwSignal::new(false);
        page::on_media("(min-width: 1200px)", move |is| wide.set(is));
        let now = RwSignal::new(clock::now());
        let store = Store {
            started: RwSignal::default(),
            route: route::follow(),
            session: RwSignal::default(),
            last: RwSignal::default(),
            status: RwSignal::default(),
            tables: Tables::default(),
            outbox: RwSignal::default(),
            lines: RwSignal::default(),
            present: RwSignal::default(),
            seen: RwSignal::default(),
            phone: RwSignal::default(),
            levels: RwSignal::default(),
            alerts: RwSignal::default(),
            settings: RwSignal::default(),
            reached: RwSignal::default(),
            voice: RwSignal::default(),
            refusals: RwSignal::default(),
            trouble: RwSignal::default(),
            sheet: RwSignal::default(),
            now,
            today: Memo::new(move |_| time::start_of_day(now.get())),
            order: StoredValue::default(),
            wide,
        };
        // The store is leaked on purpose: it lives as long as the app.
        Self { store: Box::leak(Box::new(store)) }
    }

    /// Updates the current time.
    pub fn tick(self) {
        let offset = self.status.with_untracked(|status| status.clock_offset_ms);
        let now = clock::now();
        self.now.set(now.checked_add(SignedDuration::from_millis(offset)).unwrap_or(now));
    }

    /// The id of the signed-in person, from the session; available from the start.
    pub fn my_id(self) -> Option<PersonId> {
        self.session.with(|session| session.as_ref().map(|session| session.person.id))
    }

    /// The entity of the signed-in person, with role and duty.
    pub fn me(self) -> Option<Person> {
        self.people.get(self.my_id()?).map(|item| item.entity)
    }

    /// Whether the person has a right, by the same table that the rules use.
    pub fn may(self, right: Right) -> bool {
        self.me().is_some_and(|me| allows(me.role, right))
    }

    /// Whether the person may see a page.
    pub fn may_see(self, page: Page) -> bool {
        crate::pages::info(page).right.is_none_or(|right| self.may(right))
    }

    /// Reads a setting of this device.
    pub fn setting(self, name: &str) -> Option<String> {
        self.settings.with(|settings| settings.get(name).cloned())
    }

    /// The name of the site.
    pub fn site_name(self) -> String {
        let site = self.sites.find(|site| Some(site.entity.name.clone()));
        site.or_else(|| self.session.with(|session| session.as_ref().map(|session| session.site.clone())))
            .unwrap_or_default()
    }
}

/// Returns the state from the reactive context.
pub fn state() -> AppState {
    expect_context::<AppState>()
}
