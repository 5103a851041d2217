//! Transfers state between memory and tables: loads the read set, applies effects, saves what changed.

use std::collections::BTreeSet;

use crewbell_shared::button::{Button, Recorded};
use crewbell_shared::call::Call;
use crewbell_shared::guest::{Guest, Stay};
use crewbell_shared::ids::SiteId;
use crewbell_shared::person::Person;
use crewbell_shared::place::Place;
use crewbell_shared::protocol::live::LastSeen;
use crewbell_shared::protocol::{ActorRef, Audience, Entity, EntityType, Source, changed_fields};
use crewbell_shared::request::{ECHOES_FOR, Request, Wish};
use crewbell_shared::rules::Lookup;
use crewbell_shared::site::SiteSettings;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use sqlx::PgConnection;
use uuid::Uuid;

use super::unit_of_work::{ReadSet, UnitOfWork};
use super::{ActionContext, Effect};
use crate::db::append::Appended;
use crate::db::entries::EntryRow;
use crate::db::presses::{Press, RecordedPress};
use crate::db::recordings::Recording;
use crate::db::sessions::Session;
use crate::db::{self, DbError};

/// Entries moved to the archive in one transaction: some milliseconds, in which presses wait.
const ARCHIVE_BATCH: i64 = 500;

/// How long an accepted request is named on the card of another request of the same place.
const HELD_NAMED: SignedDuration = SignedDuration::from_hours(24);

/// Pending writes other than entities.
#[derive(Debug, Default)]
pub(super) struct PendingWrites {
    /// When the batch was decided.
    pub(super) at: Timestamp,
    pub(super) presses: Vec<Press>,
    pub(super) entries: Vec<EntryRow>,
    recordings: Vec<Recording>,
    opened: Vec<(Session, Vec<u8>)>,
    ended: Vec<crewbell_shared::ids::SessionId>,
    used: Vec<crewbell_shared::ids::SessionId>,
    aged: Vec<crewbell_shared::ids::SessionId>,
    person_secrets: Vec<(crewbell_shared::ids::PersonId, String)>,
    button_secrets: Vec<(Uuid, Option<Vec<u8>>)>,
    join_code: Option<NewCode>,
    unrecognised: Vec<db::unrecognised::StoredMessage>,
    seen: Vec<LastSeen>,
    archive: Option<Timestamp>,
    create_site: bool,
    /// Whether the site's row is written as a probe.
    pub(super) proof: bool,
    /// Whether presses are recorded without their device's key, since another press has it already.
    pub(super) nameless: bool,
}

/// The hash of a new join code; `None` removes the old one.
#[derive(Debug)]
struct NewCode(Option<Vec<u8>>);

impl PendingWrites {
    /// Creates an empty set of writes, at a time.
    pub(super) fn at(at: Timestamp) -> Self {
        Self { at, ..Self::default() }
    }
}

/// Locks and loads the read set.
///
/// Every batch locks in the same order, so that two servers never deadlock: people, places, guests, stays, buttons,
/// requests, calls, each in one statement and ordered by id; last, with the append, the site. What a lock needs to know
/// first (a button's place, the open requests there) is read before, without a lock.
pub(super) async fn load(
    conn: &mut PgConnection,
    unit: &mut UnitOfWork,
    reads: &ReadSet,
    at: Timestamp,
) -> Result<(), DbError> {
    let site = unit.site.id;
    let mut places = reads.ids(EntityType::Place);
    let stays = reads.ids(EntityType::Stay);
    if !stays.is_empty() {
        places.extend(db::stays::places(conn, site, &list(&stays)).await?);
    }
    let moving = buttons_before(conn, unit, reads).await?;
    places.extend(&moving.places);

    let (people, guests) = (reads.ids(EntityType::Person), reads.ids(EntityType::Guest));
    if !people.is_empty() {
        unit.load(db::people::lock(conn, site, &list(&people)).await?);
    }
    if !places.is_empty() {
        unit.load(db::places::lock(conn, site, &list(&places)).await?);
    }
    if !guests.is_empty() {
        unit.load(db::guests::lock(conn, site, &list(&guests)).await?);
    }
    if !stays.is_empty() {
        unit.load(db::stays::lock(conn, site, &list(&stays)).await?);
    }
    if !moving.ids.is_empty() {
        unit.load_buttons(db::buttons::lock(conn, site, &list(&moving.ids)).await?);
    }
    let pressed_at = load_devices(conn, unit, reads, &places).await?;
    // Another action of the batch may have assigned the button to the place, or changed its stays; and the end of a
    // stay needs the other stays of the place.
    let mut stays_at = reads.stays_at.clone();
    if !(reads.devices.is_empty() && stays.is_empty()) {
        stays_at.extend(&places);
    }
    if !stays_at.is_empty() {
        unit.load(db::stays::current_at(conn, site, &list(&stays_at)).await?);
    }
    if !reads.presses.is_empty() {
        let known = reads
            .presses
            .iter()
            .filter_map(|(device, key)| unit.known(device).map(|known| (known.button.id, key.as_str())));
        let known: Vec<_> = known.collect();
        for (button, key, press) in db::presses::find(conn, site, &known).await? {
            unit.presses.insert((button, key), press);
        }
    }
    load_requests(conn, unit, reads, &pressed_at, at).await?;
    // After the people: their locks exclude other calls with them from starting.
    if !reads.calls_of.is_empty() {
        unit.load(db::calls::lock_live_of(conn, site, &list(&reads.calls_of)).await?);
    }
    let calls = reads.ids(EntityType::Call);
    if !calls.is_empty() {
        unit.load(db::calls::lock(conn, site, &list(&calls)).await?);
    }
    for &person in &reads.sessions_of {
        unit.sessions.extend(db::sessions::of_person(conn, site, person).await?);
    }
    // The people are locked, too: an action that reads a secret reads its person.
    for &person in &reads.secrets_of {
        unit.secrets.insert(person, db::people::secret(conn, site, person.into()).await?);
    }
    if reads.idle_sessions {
        unit.idle_sessions = db::sessions::idle(conn, site).await?;
    }
    Ok(())
}

fn list(ids: &BTreeSet<Uuid>) -> Vec<Uuid> {
    ids.iter().copied().collect()
}

/// Buttons to be locked by id, and places to be locked for their sake.
#[derive(Default)]
struct Moving {
    ids: BTreeSet<Uuid>,
    places: BTreeSet<Uuid>,
}

/// Looks up the places of buttons whose press changes their place's state and, if other buttons are read by id, the ids
/// of the pressed ones.
async fn buttons_before(conn: &mut PgConnection, unit: &UnitOfWork, reads: &ReadSet) -> Result<Moving, DbError> {
    let settings = &unit.site.settings;
    let toggles =
        |kind, key| Wish::of_press(kind, key, settings).service.as_deref() == Some(SiteSettings::DO_NOT_DISTURB);
    let toggling: BTreeSet<&str> = reads
        .pressed
        .iter()
        .filter(|(_, kind, key)| toggles(*kind, *key))
        .map(|(device, _, _)| device.as_str())
        .collect();
    let mut moving = Moving { ids: reads.ids(EntityType::Button), places: BTreeSet::new() };
    let mixed = !moving.ids.is_empty() && !reads.devices.is_empty();
    if toggling.is_empty() && !mixed {
        return Ok(moving);
    }
    let devices: Vec<String> =
        reads.devices.iter().filter(|id| mixed || toggling.contains(id.as_str())).cloned().collect();
    for (id, device, place) in db::buttons::whereabouts(conn, unit.site.id, &devices).await? {
        if mixed {
            moving.ids.insert(id);
        }
        if toggling.contains(device.as_str()) {
            moving.places.extend(place);
        }
    }
    Ok(moving)
}

/// Loads the buttons that sent messages, with their places and current stays; returns the places where a button may
/// have been pressed. If another server has moved a button since the look-up, its place is locked late, which is the
/// lesser evil.
async fn load_devices(
    conn: &mut PgConnection,
    unit: &mut UnitOfWork,
    reads: &ReadSet,
    locked: &BTreeSet<Uuid>,
) -> Result<BTreeSet<Uuid>, DbError> {
    let site = unit.site.id;
    if reads.devices.is_empty() {
        return Ok(BTreeSet::new());
    }
    let devices: Vec<String> = reads.devices.iter().cloned().collect();
    let known = db::buttons::lock_devices(conn, site, &devices).await?;
    if known.len() < devices.len() {
        unit.new_buttons = db::buttons::count_new(conn, site).await?;
    }
    let mut places = locked.clone();
    for (known, place, stay) in known {
        places.extend(known.button.place_id.map(|id| id.0));
        unit.load_buttons([known]);
        unit.load(place);
        unit.load(stay);
    }
    Ok(places)
}

/// Locks and loads requests, all of them in one statement.
///
/// Of the open requests at a pressed button's place, only those are loaded that a press may still join: pressed within
/// the site's window before `at`, or within a few minutes where the press may be a repetition. Of the accepted ones,
/// those accepted within a day: they are joined, or named on the card of another.
async fn load_requests(
    conn: &mut PgConnection,
    unit: &mut UnitOfWork,
    reads: &ReadSet,
    pressed_at: &BTreeSet<Uuid>,
    at: Timestamp,
) -> Result<(), DbError> {
    let site = unit.site.id;
    let window = SignedDuration::from_secs(unit.site.settings.press_window_s.into());
    let window = if reads.echoes.is_empty() { window } else { window.max(ECHOES_FOR) };
    let ago = |span| at.saturating_sub(span).unwrap_or(Timestamp::MIN);
    let (pressed_since, taken_since) = (ago(window), ago(HELD_NAMED));
    let places = list(pressed_at);
    let mut ids = reads.ids(EntityType::Request);
    let by_name = !(ids.is_empty() && reads.voice_of.is_empty() && reads.held_by.is_empty());
    if !by_name {
        // A batch of presses alone, which is the usual case, saves a round trip to the database.
        if !places.is_empty() {
            let live = db::requests::lock_live_at(conn, site, &places, pressed_since, taken_since).await?;
            unit.load(live);
        }
        return load_holders(conn, unit, &places).await;
    }
    if !places.is_empty() {
        ids.extend(db::requests::ids_live_at(conn, site, &places, pressed_since, taken_since).await?);
    }
    for (device, since) in &reads.voice_of {
        ids.extend(db::requests::id_of_voice(conn, site, device, *since).await?);
    }
    if !reads.held_by.is_empty() {
        ids.extend(db::requests::ids_held_by(conn, site, &list(&reads.held_by)).await?);
    }
    if !ids.is_empty() {
        unit.load(db::requests::lock(conn, site, &list(&ids)).await?);
    }
    load_holders(conn, unit, &places).await
}

/// Loads the holders of the requests at pressed buttons' places, without locks: a press reads whether they are on duty,
/// and writes nothing of them.
async fn load_holders(conn: &mut PgConnection, unit: &mut UnitOfWork, pressed_at: &[Uuid]) -> Result<(), DbError> {
    let holders = unit.each::<Request>().filter_map(|request| request.holder()).map(|holder| holder.id.0);
    let holders: BTreeSet<Uuid> = holders.collect();
    if !(pressed_at.is_empty() || holders.is_empty()) {
        unit.load(db::people::some(conn, unit.site.id, &list(&holders)).await?);
    }
    Ok(())
}

/// Metadata of the entries of one action.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signature<'a> {
    pub(super) ctx: ActionContext<'a>,
    pub(super) source: Source,
    pub(super) command_id: Option<crewbell_shared::ids::CommandId>,
}

impl Signature<'_> {
    fn entry(&self, category: &str, kind: &str, payload: Box<RawValue>, audience: Audience) -> EntryRow {
        let actor = ActorRef::from(self.ctx.actor);
        let at: Timestamp = self.ctx.at;
        EntryRow {
            event_id: self.ctx.ids.next(at),
            at,
            actor_id: actor.id,
            actor_name: actor.name,
            source: self.source,
            category: category.to_owned(),
            kind: kind.to_owned(),
            entity: None,
            changed_fields: Vec::new(),
            payload,
            audience,
            command_id: self.command_id,
        }
    }

    fn change(&self, before: Option<&Entity>, after: &Entity, kind: &str) -> Result<EntryRow, DbError> {
        let entity_type: EntityType = after.entity_type();
        let before = before.map(Entity::to_payload).transpose()?;
        let mut payload = after.to_payload()?;
        let changed = changed_fields(before.as_ref(), &payload);
        if let Value::Object(fields) = &mut payload {
            fields.insert("changed_fields".to_owned(), changed.clone().into());
        }
        let entry = self.entry(entity_type.category(), kind, to_raw_value(&payload)?, Audience::Everyone);
        Ok(EntryRow { entity: Some((entity_type.into(), after.id())), changed_fields: changed, ..entry })
    }
}

/// Applies the effects of one action in memory.
pub(super) fn apply(
    unit: &mut UnitOfWork,
    rows: &mut PendingWrites,
    steps: Vec<Effect>,
    signature: &Signature<'_>,
) -> Result<(), DbError> {
    for step in steps {
        match step {
            Effect::Change { entity, kind } => {
                let before = unit.put(Entity::clone(&entity));
                rows.entries.push(signature.change(before.as_ref(), &entity, kind)?);
            }
            Effect::Button { known, kind } => {
                if kind == Some("button_found") {
                    unit.new_buttons.add(known.found_via.as_deref());
                }
                let after = Entity::from(known.button.clone());
                let before = unit.put_button(*known, kind.is_some());
                if let Some(kind) = kind {
                    rows.entries.push(signature.change(before.as_ref(), &after, kind)?);
                }
            }
            Effect::Tell { category, kind, payload, audience } => {
                rows.entries.push(signature.entry(category, kind, to_raw_value(&payload)?, audience));
            }
            Effect::Press(mut press) => {
                if rows.nameless {
                    press.press_key = None;
                }
                if let Some(key) = &press.press_key {
                    let seen = Recorded { kind: press.kind, key: press.key, received_at: press.received_at };
                    let recorded = RecordedPress { seen, request_id: press.request_id };
                    unit.presses.insert((press.button_id, key.clone()), recorded);
                }
                rows.presses.push(press);
            }
            Effect::Recording(recording) => rows.recordings.push(recording),
            Effect::OpenSession(session, hash) => rows.opened.push((session, hash)),
            Effect::EndSessions(sessions) => {
                unit.sessions.retain(|session| !sessions.contains(&session.id));
                unit.idle_sessions.retain(|session| !sessions.contains(&session.id));
                rows.ended.extend(sessions);
            }
            Effect::UseSessions(sessions) => rows.used.extend(sessions),
            Effect::AgeSessions(sessions) => rows.aged.extend(sessions),
            Effect::PersonSecret(person, hash) => {
                unit.secrets.insert(person.0, Some(hash.clone()));
                rows.person_secrets.push((person, hash));
            }
            Effect::ButtonSecret(button, hash) => rows.button_secrets.push((button.id.0, hash)),
            Effect::JoinCode(hash) => rows.join_code = Some(NewCode(hash)),
            Effect::Unrecognised(unrecognised) => rows.unrecognised.push(unrecognised),
            Effect::Seen(seen) => rows.seen.extend(seen),
            Effect::Archive(before) => rows.archive = Some(before),
            Effect::CreateSite => rows.create_site = true,
            Effect::Proof => rows.proof = true,
        }
    }
    Ok(())
}

/// Saves what changed, in the order that foreign keys require, and appends to the log; returns the log's head if it was
/// read.
pub(super) async fn save(
    conn: &mut PgConnection,
    unit: &UnitOfWork,
    rows: &PendingWrites,
) -> Result<Option<u64>, DbError> {
    let site: SiteId = unit.site.id;
    if rows.create_site {
        db::sites::insert(conn, &unit.site, rows.at).await?;
    }
    for person in unit.changed::<Person>() {
        db::people::save(conn, site, person).await?;
    }
    for (person, hash) in &rows.person_secrets {
        db::people::save_secret(conn, site, *person, hash).await?;
    }
    if !rows.seen.is_empty() {
        db::people::see(conn, site, &rows.seen).await?;
    }
    for place in unit.changed::<Place>() {
        db::places::save(conn, site, place).await?;
    }
    for guest in unit.changed::<Guest>() {
        db::guests::save(conn, site, guest).await?;
    }
    for stay in unit.changed::<Stay>() {
        db::stays::save(conn, site, stay).await?;
    }
    for button in unit.changed::<Button>() {
        if let Some(known) = unit.with_unlogged(button.id) {
            db::buttons::save(conn, site, &known).await?;
        }
    }
    // Ended calls first: unique keys limit the live calls of a person.
    let (over, live): (Vec<_>, Vec<_>) = unit.changed::<Call>().partition(|call| !call.is_live());
    for call in over.into_iter().chain(live) {
        db::calls::save(conn, site, call).await?;
    }
    for (button, hash) in &rows.button_secrets {
        db::buttons::save_secret(conn, site, *button, hash.as_deref()).await?;
    }
    if !rows.used.is_empty() {
        db::sessions::used(conn, site, &rows.used, rows.at).await?;
    }
    if !rows.aged.is_empty() {
        db::sessions::unused(conn, site, &rows.aged, rows.at).await?;
    }
    for session in &rows.ended {
        db::sessions::end(conn, site, *session, rows.at).await?;
    }
    for (session, hash) in &rows.opened {
        db::sessions::insert(conn, site, session, hash).await?;
    }
    if let Some(before) = rows.archive {
        db::entries::archive(conn, site, before, ARCHIVE_BATCH).await?;
    }
    for unrecognised in &rows.unrecognised {
        db::unrecognised::count(conn, site, unrecognised).await?;
    }
    if !rows.unrecognised.is_empty() {
        db::unrecognised::trim(conn, site).await?;
    }
    // The site's own row as late as possible: its lock keeps other writers from appending.
    if unit.site_changed && !rows.create_site {
        db::sites::save(conn, &unit.site).await?;
    }
    if let Some(NewCode(hash)) = &rows.join_code {
        db::sites::save_join_code(conn, site, hash.as_deref()).await?;
    }
    if rows.proof {
        db::sites::touch(conn, site).await?;
    }
    let remembered = unit.remembered();
    let requests: Vec<_> = unit.changed::<Request>().collect();
    let nothing = rows.entries.is_empty() && remembered.is_empty() && rows.presses.is_empty();
    if nothing && rows.recordings.is_empty() {
        return Ok(None);
    }
    let appended =
        Appended { remembered: &remembered, requests: &requests, presses: &rows.presses, entries: &rows.entries };
    let head = db::append::append(conn, site, appended).await?;
    // A recording references its request, which may be new in the same batch.
    for recording in &rows.recordings {
        db::recordings::insert(conn, site, recording).await?;
    }
    Ok(Some(head))
}
