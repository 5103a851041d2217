//! Simulation of people: they choose among the actions on their screen, a little late.

use crewbell_core::engine::Input;
use crewbell_core::store::CommandStatus;
use crewbell_shared::guest::GuestVerb;
use crewbell_shared::guest::StayVerb;
use crewbell_shared::ids::CommandId;
use crewbell_shared::person::PersonVerb;
use crewbell_shared::place::PlaceVerb;
use crewbell_shared::protocol::{Entity, Verb};
use crewbell_shared::request::RequestVerb;
use crewbell_shared::request::{Kind, Request, RequestState};
use rand::{RngExt, seq::IndexedRandom};

use super::World;
use super::path::DISLIKED;
use crate::device::{Answer, Did, Fate, Sort};
use crate::site::{crew, places};
use crate::{ScheduleRng, random_id};

/// Returns the request of an entity.
pub fn as_request(entity: &Entity) -> Option<&Request> {
    if let Entity::Request(request) = entity { Some(request) } else { None }
}

impl World {
    pub(super) fn decide_refused(&mut self, device: usize) -> Result<(), String> {
        let refused =
            self.devices[device].engine.image().outbox.iter().find_map(|waiting| {
                matches!(waiting.doing, CommandStatus::Refused { .. }).then_some(waiting.command.id)
            });
        let Some(id) = refused else { return Ok(()) };
        let life = self.devices[device].life;
        if self.rng.random_bool(0.5) {
            self.totals.count("discards");
            let answer = self.input(device, Input::Discard { id })?;
            if answer == Answer::Nothing || self.devices[device].disk.waiting(id).is_none() {
                self.gave_up(device, id);
            }
        } else {
            self.totals.count("retries");
            let new_id = random_id(&mut self.rng);
            let answer = self.input(device, Input::Retry { id, new_id })?;
            let kept = self.devices[device].disk.waiting(new_id).is_some();
            if kept || (answer == Answer::Kept(new_id) && self.devices[device].life == life) {
                let sort = self.devices[device].sort_of(id);
                self.devices[device].keep(new_id, sort, life);
                self.gave_up(device, id);
            }
        }
        Ok(())
    }

    fn gave_up(&mut self, device: usize, id: CommandId) {
        if let Some(did) = self.devices[device].did.iter_mut().find(|did| did.id == id) {
            did.fate = Fate::GivenUp;
        }
    }

    /// Performs an action that the device's screen offers.
    pub(super) fn act(&mut self, device: usize) -> Result<(), String> {
        let Some(verb) = self.choose_about_calls(device).or_else(|| self.choose(device)) else { return Ok(()) };
        let id: CommandId = random_id(&mut self.rng);
        let (sort, life, socket) = (Sort::of(&verb), self.devices[device].life, self.devices[device].socket);
        let failing = self.devices[device].disk_fails;
        let answer = self.input(device, Input::Act { id, verb })?;
        if answer == Answer::Kept(id) || self.devices[device].disk.waiting(id).is_some() {
            self.totals.count("kept");
            self.devices[device].did.push(Did { id, fate: Fate::Kept, sort, life, socket });
        } else if answer == Answer::Refused {
            self.totals.count(if failing { "not kept" } else { "refused here" });
        }
        Ok(())
    }

    fn choose(&mut self, device: usize) -> Option<Verb> {
        let me = self.devices[device].person.clone();
        let requests: Vec<_> = self.devices[device]
            .screen
            .values()
            .filter_map(|shown| match shown.entity.as_ref() {
                Entity::Request(request) if !request.state.is_closed() => Some(request.clone()),
                _ => None,
            })
            .collect();
        let (places, crew) = (places(), crew());
        let place_id = places.choose(&mut self.rng)?.id;
        let rng = &mut self.rng;
        let note = |rng: &mut ScheduleRng, request_id| {
            Verb::Request(RequestVerb::Note {
                request_id,
                note_id: random_id(rng),
                text: if rng.random_bool(0.04) { DISLIKED } else { "Two towels" }.into(),
            })
        };
        if rng.random_bool(0.12) || requests.is_empty() {
            return Some(match rng.random_range(0..5) {
                0 => Verb::Place(PlaceVerb::SetDoNotDisturb { place_id, on: rng.random_bool(0.5) }),
                1 => Verb::Person(PersonVerb::SetDuty { person_id: me.id, on_duty: rng.random_bool(0.7) }),
                2 => Verb::Guest(GuestVerb::Save {
                    guest_id: random_id(rng),
                    name: "Mrs Hartmann".into(),
                    notes: String::new(),
                }),
                3 => {
                    let guest = self.devices[device].screen.values().find_map(|shown| match shown.entity.as_ref() {
                        Entity::Guest(guest) => Some(guest.id),
                        _ => None,
                    })?;
                    Verb::Stay(StayVerb::CheckIn { stay_id: random_id(rng), guest_id: guest, place_id })
                }
                _ => Verb::Request(RequestVerb::Create {
                    request_id: random_id(rng),
                    place_id,
                    kind: Kind::Call,
                    service: None,
                    priority: None,
                    text: None,
                }),
            });
        }
        let request = requests.choose(rng)?;
        let request_id = request.id;
        Some(match &request.state {
            RequestState::Open => match rng.random_range(0..10) {
                0 => note(rng, request_id),
                1 => Verb::Request(RequestVerb::Cancel { request_id, reason: None }),
                // A late tap: the screen has changed meanwhile.
                2 => Verb::Request(RequestVerb::Complete { request_id }),
                _ => Verb::Request(RequestVerb::Accept { request_id }),
            },
            RequestState::Accepted(acceptance) if acceptance.accepted_by.id == me.id => match rng.random_range(0..10) {
                0 => note(rng, request_id),
                1 => Verb::Request(RequestVerb::Release { request_id }),
                2 => Verb::Request(RequestVerb::HandOver { request_id, to: crew.choose(rng)?.id }),
                // The guest pressed again, and the person acknowledges it.
                3 => Verb::Request(RequestVerb::Accept { request_id }),
                _ => Verb::Request(RequestVerb::Complete { request_id }),
            },
            _ => match rng.random_range(0..4) {
                0 => Verb::Request(RequestVerb::Accept { request_id }),
                _ => note(rng, request_id),
            },
        })
    }
}
