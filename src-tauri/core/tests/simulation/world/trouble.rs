//! Simulation of faults: cuts, crashes, full disks, wrong clocks, revoked sessions, restored backups; and times with
//! everybody off duty.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use crewbell_core::engine::Input;
use crewbell_core::screen::ConnectionError;
use crewbell_core::store::CommandStatus;
use crewbell_shared::ids::CommandId;
use rand::RngExt;

use super::{Event, World};
use crate::device::Sort;

/// A device's address in the site's network.
const OWN: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 1, 7));

impl World {
    /// Triggers a random event.
    pub(super) fn happen(&mut self) -> Result<(), String> {
        let device = self.rng.random_range(0..self.devices.len());
        match self.rng.random_range(0..100) {
            0..20 => {
                let at = self.server_time();
                self.note_who_is_there();
                if self.server.up {
                    self.totals.count(self.server.press(&mut self.rng, at));
                }
                self.pump();
            }
            20..68 => self.act(device)?,
            68..75 => {
                self.totals.count("cuts");
                self.devices[device].cut = !self.devices[device].cut;
                let there = !self.devices[device].cut;
                if self.rng.random_bool(0.5) {
                    self.input(device, Input::Network { there })?;
                } else if there {
                    self.input(device, Input::Addresses { lost: Vec::new(), gained: vec![OWN] })?;
                } else {
                    let socket = self.devices[device].socket;
                    self.input(device, Input::Opened { socket, from: OWN })?;
                    self.input(device, Input::Addresses { lost: vec![OWN], gained: Vec::new() })?;
                }
                if !there && self.rng.random_bool(0.6) {
                    let life = self.devices[device].life;
                    if let Some(socket) = self.unplug(device) {
                        self.push(5, Event::Shut { device, life, socket, why: ConnectionError::Closed });
                    }
                }
            }
            75..79 => self.kill(device)?,
            79..82 => {
                let fails = !self.devices[device].disk_fails && self.rng.random_bool(0.3);
                self.devices[device].disk_fails = fails;
            }
            82..85 => {
                self.server.up = !self.server.up;
                self.hang_up_all();
            }
            85..87 => {
                self.devices[device].skew = self.rng.random_range(-43_200_000..43_200_000);
                self.devices[device].clock_was_set = true;
            }
            87..89 => {
                self.input(device, Input::Silence)?;
            }
            89 => {
                self.input(device, Input::Woke)?;
            }
            90 if self.rng.random_bool(0.5) => self.fail_parts(device)?,
            90 => self.swap_installations(),
            91..93 => self.revoke_or_sign_in(device)?,
            93..96 => self.decide_refused(device)?,
            96 if self.rng.random_bool(0.5) => self.backup = Some(Box::new(self.server.clone())),
            96 => self.no_sockets = !self.no_sockets,
            97 => self.restore(),
            98 if self.rng.random_bool(0.5) => self.fail_core(device)?,
            98 => {
                let at = self.server_time();
                match self.server.up {
                    true if self.rng.random_bool(0.4) => self.server.send_all_off_duty(&mut self.rng, at),
                    true => self.server.toggle_tom(&mut self.rng, at),
                    false => {}
                }
                self.pump();
            }
            _ => {
                self.input(device, Input::Tick)?;
            }
        }
        Ok(())
    }

    /// Makes a device's core fail in the middle of its work.
    fn fail_core(&mut self, device: usize) -> Result<(), String> {
        self.totals.count("core failed");
        self.unplug(device);
        self.devices[device].fail();
        self.wakes[device] = u64::MAX;
        let now = self.now(device);
        self.devices[device].screen = self.devices[device].picture(now);
        self.input(device, Input::Recovered).map(|_| ())
    }

    /// Makes parts of a device's shell fail and restart; they receive the complete state again.
    fn fail_parts(&mut self, device: usize) -> Result<(), String> {
        self.totals.count("parts failed");
        self.devices[device].fail_parts();
        self.input(device, Input::SayAgain).map(|_| ())
    }

    /// Ends all connections.
    pub(super) fn hang_up_all(&mut self) {
        for device in 0..self.devices.len() {
            let life = self.devices[device].life;
            if let Some(socket) = self.unplug(device) {
                self.push(5, Event::Shut { device, life, socket, why: ConnectionError::Closed });
            }
        }
    }

    pub(super) fn revoke_or_sign_in(&mut self, device: usize) -> Result<(), String> {
        let who = self.devices[device].person.id;
        if self.devices[device].engine.image().session.is_none() {
            self.server.revoked.remove(&who);
            let session = self.devices[device].session();
            return self.input(device, Input::SignedIn(session)).map(|_| ());
        }
        self.totals.count("revoked");
        self.server.revoked.insert(who);
        for other in 0..self.devices.len() {
            if self.devices[other].person.id == who {
                self.token_died[other] = true;
                self.unplug(other);
            }
        }
        Ok(())
    }

    pub(super) fn restore(&mut self) {
        let Some(backup) = self.backup.take() else { return };
        self.totals.count("restored");
        self.was_restored = true;
        let held: BTreeSet<CommandId> = self
            .devices
            .iter()
            .flat_map(|device| &device.engine.image().outbox)
            .map(|waiting| waiting.command.id)
            .collect();
        // Commands with only a live effect aren't resent to a server that has forgotten them.
        let did = || self.devices.iter().flat_map(|device| &device.did);
        let live: BTreeSet<CommandId> = did().filter(|did| did.sort == Sort::Live).map(|did| did.id).collect();
        let asked_again = held.difference(&live).collect::<BTreeSet<_>>();
        let forgotten = self.server.outcomes.keys().filter(|id| !backup.outcomes.contains_key(id));
        self.lost_by_restore.extend(forgotten.filter(|id| !asked_again.contains(id)));
        for device in &self.devices {
            for waiting in &device.disk.outbox {
                if matches!(waiting.doing, CommandStatus::Done { .. }) {
                    self.totals.count("resent");
                }
            }
        }
        self.server.restore(*backup);
        for stream in &mut self.streams {
            *stream = None;
        }
        // An outcome in flight without an entry ("done, nothing changed") leaves no gap in the log: the device then
        // removes a command that the restored server never saw, and that had changed nothing.
        for Reverse(due) in &self.queue {
            if let Event::Answer { result: Ok(outcomes), .. } = &due.event {
                let unchanged = outcomes.iter().filter(|outcome| outcome.seq.is_none() && outcome.refusal.is_none());
                self.lost_by_restore.extend(unchanged.map(|outcome| outcome.id));
            }
        }
        // Frames in flight from the old server are lost with it.
        self.queue.retain(|Reverse(due)| !matches!(due.event, Event::Frame { .. }));
    }
}
