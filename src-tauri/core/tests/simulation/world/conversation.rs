//! Messages between devices and the server: the greeting, the frames, the commands.

use crewbell_core::engine::{Fault, Input};
use crewbell_core::screen::ConnectionError;
use crewbell_core::store::Cursor;
use crewbell_shared::protocol::Command;
use crewbell_shared::protocol::live::FromServer;

use super::path::is_disliked;
use super::{Event, Stream, World};
use crate::checks;
use crate::sabotage::Sabotage;

impl World {
    pub(super) fn hello(&mut self, device: usize, life: u64, socket: u64, cursor: Cursor, events: bool) {
        if self.is_old(device, life) {
            return;
        }
        if self.devices[device].cut || !self.server.up || !self.lets_through(events) {
            let is_refused = !self.devices[device].cut && self.server.up && !events;
            let why = if is_refused { ConnectionError::NoSocket } else { ConnectionError::Closed };
            return self.push(20, Event::Shut { device, life, socket, why });
        }
        if self.chance(2) {
            return self.stranger(device, life, socket);
        }
        if self.another.is_some() {
            return self.greet_another(device, life, socket, cursor);
        }
        let cursor = if self.sabotage == Some(Sabotage::BelieveEveryLog) {
            let seq = cursor.seq.min(self.server.head());
            let event_id =
                self.server.log.get(usize::try_from(seq).unwrap().wrapping_sub(1)).map(|entry| entry.meta.event_id);
            Cursor { seq, event_id }
        } else {
            cursor
        };
        let who = self.devices[device].person.id;
        let (first, open) = self.server.hello(who, cursor, self.server_time());
        let endpoint = self.devices[device].endpoint;
        self.unplug(device);
        let (sent, arrives) = (cursor.seq, self.tick);
        self.streams[device] = open.then_some(Stream { socket, life, endpoint, sent, events, arrives });
        let after = self.latency();
        let arrives = self.tick + after;
        if let Some(stream) = &mut self.streams[device] {
            stream.arrives = arrives;
        }
        self.push(after, Event::Frame { device, life, socket, frame: Some(Box::new(first)) });
        if !open {
            self.push(after + 1, Event::Shut { device, life, socket, why: ConnectionError::Closed });
        }
        if open && events {
            self.totals.count("live by events");
            self.push(200, Event::Pulse { device, life, socket });
        }
        self.plugged_in(device);
        self.pump();
    }

    pub(super) fn arrive(
        &mut self,
        device: usize,
        life: u64,
        socket: u64,
        frame: Option<Box<FromServer>>,
    ) -> Result<(), String> {
        if self.is_old(device, life) {
            return Ok(());
        }
        if self.devices[device].cut {
            // The stream breaks here, so later frames are lost too.
            if self.streams[device].as_ref().is_some_and(|stream| stream.socket == socket) {
                self.unplug(device);
            }
            return Ok(());
        }
        let welcomes = matches!(frame.as_deref(), Some(FromServer::Welcome { .. }));
        let tells_time = socket == self.devices[device].socket
            && (welcomes || matches!(frame.as_deref(), Some(FromServer::Pulse { .. })));
        let input = match frame {
            None => Input::Garbled { socket },
            Some(mut frame) => {
                if self.sabotage == Some(Sabotage::BelieveEveryFrame)
                    && let FromServer::Entries { prev, entries } = frame.as_mut()
                {
                    let read = self.devices[device].engine.image().cursor.map_or(0, |cursor| cursor.seq);
                    if entries.first().is_some_and(|entry| entry.meta.seq > read) {
                        *prev = read;
                    }
                }
                Input::Frame { socket, frame }
            }
        };
        let life = self.devices[device].life;
        self.devices[device].clock_was_set &= !tells_time;
        self.input(device, input)?;
        // A late `welcome` of an abandoned socket has no effect.
        let is_now = self.devices[device].life == life && self.devices[device].socket == socket;
        if welcomes && is_now {
            checks::nothing_live_waits(&self.devices[device])?;
        }
        Ok(())
    }

    pub(super) fn post(&mut self, device: usize, life: u64, post: u64, commands: Vec<Command>) -> Result<(), String> {
        if self.devices[device].cut && post != 0 {
            return Ok(());
        }
        if self.another.is_some() {
            // The driver confirms the installation before it sends a token.
            if post != 0 {
                let result = Err(Fault::Away(ConnectionError::OtherServer));
                self.push(5, Event::Answer { device, life, post, result });
            }
            return Ok(());
        }
        if is_disliked(&commands) {
            self.block(device, life, post);
            return Ok(());
        }
        let who = self.devices[device].person.id;
        let replays = commands.iter().filter(|command| self.server.outcomes.contains_key(&command.id)).count();
        for _ in 0..replays {
            self.totals.count("replays");
        }
        let at = self.server_time();
        self.note_who_is_there();
        let result = self.server.commands(&mut self.rng, who, commands, at);
        self.look_after_calls()?;
        self.pump();
        if post == 0 {
            return Ok(());
        }
        if self.chance(8) {
            self.totals.count("answers lost");
            return Ok(());
        }
        let after = self.latency();
        self.push(after, Event::Answer { device, life, post, result });
        Ok(())
    }
}
