//! Feeds the store: a snapshot first, then the events that the core emits.

use crewbell_core::screen::{Ask, CoreEvent, OutboxItem, Shown, ViewState};
use crewbell_core::store::{EntityKey, Line};
use crewbell_shared::ids::CommandId;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::AppState;
use super::order::Order;
use crate::bridge;
use crate::route::{Page, Route, go};

/// Maximum number of log lines kept for timelines; older ones are fetched from the server on demand.
const MOST_LINES: usize = 2000;

impl AppState {
    /// Subscribes to the core's events and then requests a snapshot. In this order no event is lost between the two.
    pub fn start(self) {
        spawn_local(async move {
            if let Err(error) = bridge::listen(move |told| self.hear_all(told)).await {
                self.trouble.set(Some(error));
            }
            self.look().await;
        });
    }

    async fn look(self) {
        self.order.update_value(Order::asked);
        let answer: Result<ViewState, _> = bridge::ask(&Ask::Look).await;
        let look = answer.as_ref().map_or(0, |picture| picture.look);
        let since = self.order.try_update_value(|order| order.answered(look)).flatten();
        match (answer, since) {
            (Ok(picture), Some(since)) => {
                self.show(picture);
                for told in since {
                    self.hear(told);
                }
            }
            // A later snapshot is shown already.
            (Ok(_), None) => {}
            (Err(error), _) => self.trouble.set(Some(error)),
        }
        self.started.set(true);
    }

    /// Replaces the complete state by a snapshot.
    pub fn show(self, picture: ViewState) {
        let ViewState {
            look: _,
            session,
            last,
            status,
            entities,
            outbox,
            lines,
            present,
            seen,
            alerts,
            phone,
            settings,
        } = picture;
        self.tables.replace(&entities);
        self.settings.set(settings);
        self.status.set(status);
        self.outbox.set(outbox);
        self.lines.set(lines.into());
        self.seen.set(seen.into_iter().map(|seen| (seen.person_id, seen.at)).collect());
        self.present.set(present);
        self.phone.set(phone);
        self.alerts.set(alerts);
        self.last.set(last);
        if self.session.with_untracked(|before| *before != session) {
            self.session.set(session);
        }
        self.tick();
    }

    fn hear_all(self, told: Vec<CoreEvent>) {
        let now = self.order.try_update_value(|order| order.told(told)).unwrap_or_default();
        for told in now {
            self.hear(told);
        }
    }

    fn hear(self, told: CoreEvent) {
        match told {
            CoreEvent::Patch { put, gone, lines } => self.patch(&put, &gone, lines),
            CoreEvent::Status { status } => {
                self.status.set(status);
                self.tick();
            }
            CoreEvent::Outbox { put, gone } => self.outbox.update(|all| patch_outbox(all, put, &gone)),
            CoreEvent::Present { people } => self.present.set(people),
            CoreEvent::Seen { people } => {
                self.seen.update(|all| all.extend(people.into_iter().map(|seen| (seen.person_id, seen.at))));
            }
            CoreEvent::Reached { request_id, devices, sounded } => {
                self.reached.update(|reached| {
                    reached.insert(request_id, (devices, sounded));
                });
            }
            CoreEvent::Alerts { alerts } => self.alerts.set(alerts),
            CoreEvent::Refused { command_id, refusal } => self.refusals.update(|all| all.push((command_id, refusal))),
            CoreEvent::Settings { settings } => self.settings.set(settings),
            CoreEvent::Voice { player } => self.voice.set(player),
            CoreEvent::Phone { phone } => self.phone.set(phone),
            CoreEvent::Levels { levels } => self.levels.set(levels),
            CoreEvent::Open { request_id } => go(Route::about(Page::Requests, request_id.0)),
            CoreEvent::Looked { .. } => {}
            CoreEvent::Reload => spawn_local(self.look()),
        }
    }

    fn patch(self, put: &[Shown], gone: &[EntityKey], lines: Vec<Line>) {
        self.tables.patch(put, gone);
        if !lines.is_empty() {
            self.lines.update(|all| {
                all.extend(lines);
                let surplus = all.len().saturating_sub(MOST_LINES);
                all.drain(..surplus);
            });
        }
    }
}

/// Applies a change to the outbox: existing items keep their position, new ones are appended.
fn patch_outbox(all: &mut Vec<OutboxItem>, put: Vec<OutboxItem>, gone: &[CommandId]) {
    all.retain(|item| !gone.contains(&item.command_id));
    for item in put {
        match all.iter_mut().find(|other| other.command_id == item.command_id) {
            Some(other) => *other = item,
            None => all.push(item),
        }
    }
}

#[cfg(test)]
mod tests {
    use crewbell_core::store::CommandStatus;
    use crewbell_shared::protocol::Verb;
    use crewbell_shared::request::RequestVerb;
    use crewbell_shared::testing::{at, id, sam};

    use super::*;

    fn item(number: u128, doing: CommandStatus) -> OutboxItem {
        let verb = Verb::Request(RequestVerb::Accept { request_id: id(number) });
        OutboxItem { command_id: id(number), depends_on: None, verb, by: sam().as_ref(), at: at(1), doing }
    }

    #[test]
    fn an_outbox_that_changes_keeps_its_order() {
        let mut all =
            vec![item(1, CommandStatus::Waiting), item(2, CommandStatus::Waiting), item(3, CommandStatus::Waiting)];
        let put = vec![item(2, CommandStatus::Done { seq: 7 }), item(4, CommandStatus::Waiting)];
        for _ in 0..2 {
            patch_outbox(&mut all, put.clone(), &[id(1)]);
            assert_eq!(all, [put[0].clone(), item(3, CommandStatus::Waiting), put[1].clone()]);
        }
    }
}
