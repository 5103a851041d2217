//! What the face knows: one store, made at the root, fed by the core and by nothing else.
//!
//! The core decides, the face shows: nothing here is ever changed by a page. A page asks ([`State::act`]), the core's
//! answer comes as something told (`feed`), and what follows it is shown anew, at once.
//!
//! Everything lives as long as the app, so a future that comes back late finds it; what a *page* makes is gone with the
//! page: use the `try_` methods on such values in a future.

mod asking;
mod calling;
mod feed;
mod lookups;
mod order;
mod table;
mod tree;

use std::collections::{BTreeMap, VecDeque};
use std::ops::Deref;

use crewbell_core::screen::{Alert, AskError, Levels, OutboxItem, Phone, Status, VoicePlayer};
use crewbell_core::store::{Line, Session};
use crewbell_shared::Refusal;
use crewbell_shared::button::Button;
use crewbell_shared::call::Call;
use crewbell_shared::guest::{Guest, Stay};
use crewbell_shared::ids::{CommandId, PersonId, RequestId};
use crewbell_shared::person::{Person, Right, allows};
use crewbell_shared::place::Place;
use crewbell_shared::protocol::live::Presence;
use crewbell_shared::request::Request;
use crewbell_shared::site::Site;
use jiff::{SignedDuration, Timestamp};
use leptos::prelude::*;

use crate::bridge::{clock, page};
use crate::locales::time;
use crate::route::{self, Page, Route};

use order::Order;

pub use table::{Item, Table};
pub use tree::Branch;

/// All that the face knows. A handle, as large as a pointer: copy it into closures.
#[derive(Clone, Copy, Debug)]
pub struct State {
    store: &'static Store,
}

impl Deref for State {
    type Target = Store;

    fn deref(&self) -> &Store {
        self.store
    }
}

/// What a person decides of a request in a sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestSheet {
    /// Who has it from now on.
    HandOver,
    /// Why it is over.
    Cancel,
}

/// What a [`State`] leads to.
#[derive(Debug)]
pub struct Store {
    /// Whether the core has been heard at all.
    pub started: RwSignal<bool>,
    /// Where the person is.
    pub route: RwSignal<Route>,
    /// Who is signed in.
    pub session: RwSignal<Option<Session>>,
    /// Who was signed in last.
    pub last: RwSignal<Option<Session>>,
    /// How it stands with the connection and the device.
    pub status: RwSignal<Status>,
    /// The site; one of them.
    pub sites: Table<Site>,
    /// The crew.
    pub people: Table<Person>,
    /// Decks, cabins and the rest.
    pub places: Table<Place>,
    /// Guests.
    pub guests: Table<Guest>,
    /// Who stays where.
    pub stays: Table<Stay>,
    /// The buttons.
    pub buttons: Table<Button>,
    /// What guests want.
    pub requests: Table<Request>,
    /// Calls, one's own and the others'.
    pub calls: Table<Call>,
    /// What the person did and is not through, in order.
    pub outbox: RwSignal<Vec<OutboxItem>>,
    /// What happened last, oldest first.
    pub lines: RwSignal<VecDeque<Line>>,
    /// Who has a device open.
    pub present: RwSignal<Vec<Presence>>,
    /// When people were last there, as far as it is known here.
    pub seen: RwSignal<BTreeMap<PersonId, Timestamp>>,
    /// The call on this device.
    pub phone: RwSignal<Phone>,
    /// How loud that is.
    pub levels: RwSignal<Levels>,
    /// What rings here.
    pub alerts: RwSignal<Vec<Alert>>,
    /// This device's settings.
    pub settings: RwSignal<BTreeMap<String, String>>,
    /// Devices that a request was sent to, and those of them that sounded.
    pub reached: RwSignal<BTreeMap<RequestId, (u32, u32)>>,
    /// The voice message that is played.
    pub voice: RwSignal<Option<VoicePlayer>>,
    /// Commands that were refused while the person was looking, until they have put them away.
    pub refusals: RwSignal<Vec<(CommandId, Refusal)>>,
    /// Why the last thing asked came to nothing, until it is put away.
    pub trouble: RwSignal<Option<AskError>>,
    /// The sheet that is open for a request. It stands here and not with its card, which moves when the request does.
    pub sheet: RwSignal<Option<(RequestId, RequestSheet)>>,
    /// The server's clock, as far as the device knows it; moves once a second.
    pub now: RwSignal<Timestamp>,
    /// When today began, by the wall clock here: what says "yesterday" follows it.
    pub today: Memo<Timestamp>,
    /// In which order pictures and what is told belong.
    order: StoredValue<Order>,
    /// Whether the window has room for board, detail and activity side by side.
    pub wide: RwSignal<bool>,
}

impl State {
    /// Makes the store; once, at the root.
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
            sites: Table::default(),
            people: Table::default(),
            places: Table::default(),
            guests: Table::default(),
            stays: Table::default(),
            buttons: Table::default(),
            requests: Table::default(),
            calls: Table::default(),
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
        // One for as long as the app lives.
        Self { store: Box::leak(Box::new(store)) }
    }

    /// Moves the clock on.
    pub fn tick(self) {
        let offset = self.status.with_untracked(|status| status.clock_offset_ms);
        let now = clock::now();
        self.now.set(now.checked_add(SignedDuration::from_millis(offset)).unwrap_or(now));
    }

    /// Who is signed in, as the session says; there from the first moment.
    pub fn my_id(self) -> Option<PersonId> {
        self.session.with(|session| session.as_ref().map(|session| session.person.id))
    }

    /// Who is signed in, as the site knows them: role and duty.
    pub fn me(self) -> Option<Person> {
        self.people.get(self.my_id()?).map(|item| item.noun)
    }

    /// Whether the person may do something: the table that the rules are decided by.
    pub fn may(self, right: Right) -> bool {
        self.me().is_some_and(|me| allows(me.role, right))
    }

    /// Whether a page is for the person.
    pub fn may_see(self, page: Page) -> bool {
        crate::pages::info(page).right.is_none_or(|right| self.may(right))
    }

    /// A setting of this device.
    pub fn setting(self, name: &str) -> Option<String> {
        self.settings.with(|settings| settings.get(name).cloned())
    }

    /// The site's name.
    pub fn site_name(self) -> String {
        let site = self.sites.find(|site| Some(site.noun.name.clone()));
        site.or_else(|| self.session.with(|session| session.as_ref().map(|session| session.site.clone())))
            .unwrap_or_default()
    }
}

/// All that the face knows.
pub fn state() -> State {
    expect_context::<State>()
}
