//! Events for the UI: only changes, in order, after they are on the disk.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crewbell_shared::ids::{CommandId, PersonId};
use crewbell_shared::protocol::live::LastSeen;
use crewbell_shared::protocol::{Entity, EntityType};
use crewbell_shared::request::RequestState;

use super::session::LAST_SESSION;
use super::{Engine, Now, Output};
use crate::alerts;
use crate::screen::{Alert, CoreEvent, OutboxItem, Phone, Shown, Status, ViewState};
use crate::store::{CommandStatus, EntityKey, Line, Waiting, Write};

/// The state last emitted to the UI.
#[derive(Clone, Debug, Default)]
pub(super) struct LastTold {
    /// Whether anything was emitted; the first time, the complete state is emitted, because the receiver may still be
    /// ringing from an earlier run.
    pub(super) said: bool,
    status: Status,
    alerts: Vec<Alert>,
    open: usize,
    pub(super) phone: Phone,
    pub(super) missed: usize,
}

/// Entities as shown before a step.
pub(super) type Before = BTreeMap<EntityKey, Option<(Arc<Entity>, bool)>>;

impl Engine {
    /// Returns the entities that the writes may change, as they are shown.
    pub(super) fn shown_before(&self, writes: &[Write]) -> Before {
        let touched = writes.iter().filter_map(|write| match write {
            Write::UpsertEntity { entity, .. } => Some(EntityKey::of(entity)),
            Write::DeleteEntity(key) => Some(*key),
            Write::Replace { .. }
            | Write::Advance(_)
            | Write::Heard(_)
            | Write::Seen(_)
            | Write::AppendLine(_)
            | Write::UpsertCommand(_)
            | Write::Mark(..)
            | Write::DeleteCommand(_)
            | Write::SignIn(_)
            | Write::Wipe
            | Write::Set(..) => None,
        });
        let keys: BTreeSet<EntityKey> = touched.chain(self.echo.keys().copied()).collect();
        keys.into_iter().map(|key| (key, self.owned(&key))).collect()
    }

    fn owned(&self, key: &EntityKey) -> Option<(Arc<Entity>, bool)> {
        self.shown(key).map(|(entity, pending)| (Arc::clone(entity), pending))
    }

    /// Emits the changes of a step to the UI.
    pub(super) fn tell(
        &mut self,
        writes: &[Write],
        mut before: Before,
        told: Vec<CoreEvent>,
        now: Now,
        outputs: &mut Vec<Output>,
    ) {
        let whole = writes.iter().any(|write| matches!(write, Write::Replace { .. } | Write::Wipe));
        self.echo.follow(writes, &self.image);
        if whole {
            self.open.clear();
            self.calls.clear();
            self.missed.clear();
            let keys: Vec<EntityKey> = self.image.entities.keys().chain(self.echo.keys()).copied().collect();
            self.index(keys);
        } else {
            for key in self.echo.keys() {
                before
                    .entry(*key)
                    .or_insert_with(|| self.image.entities.get(key).map(|kept| (Arc::clone(&kept.entity), false)));
            }
            self.index(before.keys().copied().collect::<Vec<_>>());
            outputs.extend(self.patch(writes, &before));
        }
        outputs.extend(self.patch_outbox(writes));
        if writes.iter().any(|write| matches!(write, Write::Set(..))) {
            outputs.push(Output::Tell(CoreEvent::Settings { settings: self.image.settings.clone() }));
        }
        // Last-seen times precede presence, for people who went offline in this step.
        let seen: Vec<LastSeen> = writes.iter().filter_map(seen).flatten().copied().collect();
        if !seen.is_empty() {
            outputs.push(Output::Tell(CoreEvent::Seen { people: seen }));
        }
        outputs.extend(told.into_iter().map(Output::Tell));
        let anew = !std::mem::replace(&mut self.last.said, true);
        self.tell_status(anew, now, outputs);
        self.tell_alerts(anew, now, outputs);
        self.tell_phone(anew, now, outputs);
    }

    fn patch(&self, writes: &[Write], before: &Before) -> Option<Output> {
        let mut put = Vec::new();
        let mut gone = Vec::new();
        for (key, was) in before {
            match (was, self.shown(key)) {
                (Some((was, was_pending)), Some((is, pending))) if was_pending == &pending && was == is => {}
                (_, Some((entity, pending))) => put.push(Shown { entity: Arc::clone(entity), pending }),
                (Some(_), None) => gone.push(*key),
                (None, None) => {}
            }
        }
        let lines: Vec<Line> = writes.iter().filter_map(line).cloned().collect();
        let nothing = put.is_empty() && gone.is_empty() && lines.is_empty();
        (!nothing).then_some(Output::Tell(CoreEvent::Patch { put, gone, lines }))
    }

    /// Returns the changed outbox items only, as hundreds of commands may be answered one after the other.
    fn patch_outbox(&self, writes: &[Write]) -> Option<Output> {
        let touched: BTreeSet<CommandId> = writes.iter().filter_map(touched).collect();
        if touched.is_empty() {
            return None;
        }
        let (mut put, mut gone) = (Vec::new(), touched.clone());
        for waiting in self.image.outbox.iter().filter(|waiting| touched.contains(&waiting.command.id)) {
            gone.remove(&waiting.command.id);
            put.push(item(waiting));
        }
        let gone = gone.into_iter().collect();
        Some(Output::Tell(CoreEvent::Outbox { put, gone }))
    }

    fn tell_status(&mut self, anew: bool, now: Now, outputs: &mut Vec<Output>) {
        let status = self.status(now);
        // While live, the UI advances the time of the data by itself.
        let as_of = if status.link.is_there() { self.last.status.as_of } else { status.as_of };
        let moved = Status { as_of, seq: self.last.status.seq, ..status.clone() } != self.last.status;
        let drifted = (status.clock_offset_ms - self.last.status.clock_offset_ms).abs() > 1000;
        let told = Status { clock_offset_ms: self.last.status.clock_offset_ms, ..status.clone() };
        let moved = moved && (drifted || Status { as_of, seq: self.last.status.seq, ..told } != self.last.status);
        if moved || anew {
            self.last.status = status.clone();
            outputs.push(Output::Tell(CoreEvent::Status { status }));
        }
    }

    fn tell_alerts(&mut self, anew: bool, now: Now, outputs: &mut Vec<Output>) {
        self.live.silenced.retain(|_, until| *until > now.tick);
        let alerts = self.alerts(now);
        let asked = self.open.iter().filter_map(|id| self.open_request(*id));
        let open = asked.filter(|request| request.state == RequestState::Open).count();
        if anew || alerts != self.last.alerts || open != self.last.open {
            if anew || alerts != self.last.alerts {
                outputs.push(Output::Tell(CoreEvent::Alerts { alerts: alerts.clone() }));
            }
            self.last.alerts.clone_from(&alerts);
            self.last.open = open;
            outputs.push(Output::Alerts { alerts, open });
        }
    }

    fn alerts(&self, now: Now) -> Vec<Alert> {
        if self.alerts_held_until(now).is_some() {
            return Vec::new();
        }
        let Some(me) = super::echo::actor(&self.image) else { return Vec::new() };
        let me = match me
            .person()
            .map(|person| crate::store::EntityKey::new(crewbell_shared::protocol::EntityType::Person, person.id.0))
        {
            Some(key) => self.shown(&key),
            None => None,
        };
        let Some((Entity::Person(me), _)) = me.map(|(entity, pending)| (entity.as_ref(), pending)) else {
            return Vec::new();
        };
        let open = self.open.iter().filter_map(|id| self.open_request(*id));
        let fresh = self.link().is_there();
        let is_there = |id: PersonId| match self
            .shown(&EntityKey::new(EntityType::Person, id.0))
            .map(|(entity, _)| entity.as_ref())
        {
            Some(Entity::Person(person)) => person.active && person.on_duty,
            Some(_) | None => false,
        };
        alerts::of(me, open, is_there, |id| self.live.silenced.contains_key(&id), fresh, self.live.server_time(now))
    }

    /// Returns until when alerts are held back after a start, so that stored alerts don't ring before the server had a
    /// moment to update them.
    pub(super) fn alerts_held_until(&self, now: Now) -> Option<u64> {
        let until = self.live.started_at? + alerts::HELD_AFTER_START_MS;
        (now.tick < until && !self.link().is_there() && self.live.sockets <= 1).then_some(until)
    }

    /// Returns the status.
    fn status(&self, now: Now) -> Status {
        let count = |which: fn(&CommandStatus) -> bool| {
            let count = self.image.outbox.iter().filter(|waiting| which(&waiting.doing)).count();
            u32::try_from(count).unwrap_or(u32::MAX)
        };
        let wall = |tick: u64| {
            let ahead = jiff::SignedDuration::from_millis(i64::try_from(tick.saturating_sub(now.tick)).unwrap_or(0));
            now.wall.saturating_add(ahead).ok()
        };
        let silent = self.open.iter().filter_map(|id| self.live.silenced.get(id)).max();
        Status {
            link: self.link(),
            as_of: self.image.heard_at,
            waiting: count(|doing| matches!(doing, CommandStatus::Waiting)),
            refused: count(|doing| matches!(doing, CommandStatus::Refused { .. })),
            clock_offset_ms: self.live.offset_ms,
            trouble: self.live.trouble.clone(),
            storage: self.live.storage.clone(),
            ears: self.live.ears.clone(),
            notices: self.live.notices.clone(),
            silenced_until: silent.and_then(|until| wall(*until)),
            seq: self.image.cursor.map_or(0, |cursor| cursor.seq),
        }
    }

    /// Returns the complete state for a new window.
    pub(super) fn look(&self, now: Now) -> ViewState {
        let keys: BTreeSet<&EntityKey> = self.image.entities.keys().chain(self.echo.keys()).collect();
        let shown = |key: &EntityKey| self.owned(key).map(|(entity, pending)| Shown { entity, pending });
        ViewState {
            look: 0,
            session: self.image.session.clone(),
            last: self.image.settings.get(LAST_SESSION).and_then(|text| serde_json::from_str(text).ok()),
            status: self.status(now),
            entities: keys.into_iter().filter_map(shown).collect(),
            outbox: self.image.outbox.iter().map(item).collect(),
            lines: self.image.lines.iter().cloned().collect(),
            present: self.live.present.clone(),
            seen: self.image.last_seen(),
            alerts: self.last.alerts.clone(),
            phone: self.last.phone.clone(),
            settings: self.image.settings.clone(),
        }
    }
}

fn item(waiting: &Waiting) -> OutboxItem {
    let Waiting { command, by, at, doing } = waiting;
    OutboxItem {
        command_id: command.id,
        depends_on: command.depends_on,
        verb: command.verb.clone(),
        by: by.clone(),
        at: *at,
        doing: doing.clone(),
    }
}

/// Returns the command whose outbox item a write changes.
fn touched(write: &Write) -> Option<CommandId> {
    match write {
        Write::UpsertCommand(waiting) => Some(waiting.command.id),
        Write::Mark(id, _) | Write::DeleteCommand(id) => Some(*id),
        Write::UpsertEntity { .. }
        | Write::DeleteEntity(_)
        | Write::Replace { .. }
        | Write::Advance(_)
        | Write::Heard(_)
        | Write::Seen(_)
        | Write::AppendLine(_)
        | Write::SignIn(_)
        | Write::Wipe
        | Write::Set(..) => None,
    }
}

fn seen(write: &Write) -> Option<&[LastSeen]> {
    if let Write::Seen(people) = write { Some(people) } else { None }
}

fn line(write: &Write) -> Option<&Line> {
    if let Write::AppendLine(line) = write { Some(line) } else { None }
}
