//! Simulation of intermediaries: proxies that block sockets or some commands, and foreign hosts that answer in the
//! server's place.

use crewbell_core::engine::Fault;
use crewbell_core::screen::ConnectionError;
use crewbell_core::store::Cursor;
use crewbell_shared::protocol::live::FromServer;
use crewbell_shared::protocol::{Command, Outcome, Verb};
use crewbell_shared::request::RequestVerb;
use crewbell_shared::{Code, Refusal};
use rand::RngExt;

use super::{Event, World};
use crate::sabotage::Sabotage;

/// A text that every proxy blocks.
pub const DISLIKED: &str = "<script>";

/// Milliseconds between two pulses of an event stream.
const PULSE_MS: u64 = 5_000;

fn signed_out() -> Refusal {
    Refusal::new(Code::NotSignedIn, "No.")
}

/// Returns whether a proxy blocks these commands.
pub fn is_disliked(commands: &[Command]) -> bool {
    commands
        .iter()
        .any(|command| matches!(&command.verb, Verb::Request(RequestVerb::Note { text, .. }) if text == DISLIKED))
}

impl World {
    pub(super) fn lets_through(&self, events: bool) -> bool {
        if events { self.sabotage != Some(Sabotage::WaitForASocket) } else { !self.no_sockets }
    }

    /// Sends a foreign refusal that says that nobody is signed in.
    pub(super) fn stranger(&mut self, device: usize, life: u64, socket: u64) {
        self.totals.count("strangers");
        let frame = Some(Box::new(FromServer::Refused { refusal: signed_out() }));
        self.push(5, Event::Frame { device, life, socket, frame });
        self.push(6, Event::Shut { device, life, socket, why: ConnectionError::Closed });
    }

    /// Gives the server's address to another installation, or back to the server; all connections end.
    pub(super) fn swap_installations(&mut self) {
        self.another = match self.another {
            Some(_) => None,
            None => Some(Box::new(self.server.another(self.rng.random_bool(0.5)))),
        };
        self.hang_up_all();
    }

    /// Simulates a device's `hello` to another installation. The driver checks the installation before, and usually
    /// detects it.
    pub(super) fn greet_another(&mut self, device: usize, life: u64, socket: u64, cursor: Cursor) {
        let learns_it = self.rng.random_bool(0.5);
        let (who, at) = (self.devices[device].person.id, self.server_time());
        let Some(another) = self.another.as_ref().filter(|_| !learns_it) else {
            return self.push(20, Event::Shut { device, life, socket, why: ConnectionError::OtherServer });
        };
        let (mut first, open) = another.hello(who, cursor, at);
        self.totals.count("other installations");
        if let FromServer::Welcome { instance, .. } = &mut first {
            self.totals.count("welcomed by another installation");
            if self.sabotage == Some(Sabotage::BelieveEveryInstallation) {
                *instance = None;
            }
        }
        self.devices[device].astray = Some(socket);
        self.push(5, Event::Frame { device, life, socket, frame: Some(Box::new(first)) });
        if !open {
            self.push(6, Event::Shut { device, life, socket, why: ConnectionError::Closed });
        }
    }

    /// Sends an event stream's pulse.
    pub(super) fn pulse(&mut self, device: usize, life: u64, socket: u64) {
        let is_it = |stream: &&super::Stream| stream.socket == socket && stream.life == life;
        let Some(stream) = self.streams[device].as_ref().filter(is_it) else { return };
        let (sent, head, server_time) = (Some(stream.sent), self.server.head(), self.server_time());
        if sent == Some(head) {
            self.send(device, life, socket, FromServer::Pulse { head, sent, server_time });
        }
        self.push(PULSE_MS, Event::Pulse { device, life, socket });
    }

    /// Simulates the validation of a token; the driver never asks a foreign host.
    pub(super) fn ask(&mut self, device: usize, life: u64, post: u64) {
        if self.devices[device].cut || self.chance(10) {
            return;
        }
        let who = self.devices[device].person.id;
        let result = match self.sabotage {
            _ if self.another.is_some() && self.sabotage != Some(Sabotage::AskEveryInstallation) => {
                Err(Fault::Away(ConnectionError::OtherServer))
            }
            Some(Sabotage::BelieveTheFirstNo | Sabotage::TakeNotActiveForSignedOut) => {
                Err(Fault::Refused(signed_out()))
            }
            _ => self.another.as_deref().unwrap_or(&self.server).token(who),
        };
        let after = self.latency();
        self.push(after, Event::Asked { device, life, post, result });
    }

    /// Simulates a proxy that rejects commands.
    pub(super) fn block(&mut self, device: usize, life: u64, post: u64) {
        if post != 0 {
            self.totals.count("blocked");
            let fault = match self.sabotage {
                Some(Sabotage::TakeBlockedForAway) => Fault::Away(ConnectionError::Stranger),
                _ => Fault::Blocked { status: 403 },
            };
            self.push(5, Event::Answer { device, life, post, result: Err(fault) });
        }
    }

    /// Applies the sabotage to a response that a device receives.
    pub(super) fn hear_answer(&mut self, result: Result<Vec<Outcome>, Fault>) -> Result<Vec<Outcome>, Fault> {
        let is_left =
            |outcome: &Outcome| outcome.refusal.as_ref().is_some_and(|refusal| refusal.code == Code::NotActive);
        let somebody_left = result.as_ref().is_ok_and(|outcomes| outcomes.iter().any(is_left));
        if somebody_left {
            self.totals.count("not active");
            if self.sabotage == Some(Sabotage::TakeNotActiveForSignedOut) {
                return Err(Fault::Refused(signed_out()));
            }
        }
        result
    }
}
