//! Whether the sign-in has ended: what wipes a device is said twice, by the server that it signed in to.
//!
//! A "not signed in" may come from somebody else: another Crewbell at the same address, a proxy, a server that is
//! being restored. The first one ends the connection and nothing else. The device then asks, by itself and on another
//! way, whether its token is worth anything; the driver sends the token only to the installation that the device signed
//! in to. What becomes of a command is never an answer to that: "no longer active" may be said of anybody.

use crewbell_shared::{Code, Refusal};

use super::live::Socket;
use super::{Engine, Fault, Now, Output, Step};
use crate::screen::Trouble;

/// Whether a refusal of a whole request, or of a socket, says that the token is worth nothing any more.
pub(super) fn is_dead_token(code: Code) -> bool {
    code == Code::NotSignedIn
}

impl Engine {
    /// Somebody says that the token is worth nothing any more, for the first time.
    pub(super) fn doubt_token(&self, step: &mut Step, refusal: &Refusal, now: Now) {
        if self.image.session.is_none() {
            return;
        }
        if step.live.socket != Socket::Closed {
            self.hear_last(step, now);
            step.outputs.push(Output::Disconnect);
        }
        step.live.fail(Trouble::Refused { refusal: refusal.clone() }, now);
        step.live.doubted = true;
    }

    /// What the server says of the token, asked by itself.
    pub(super) fn token(&self, step: &mut Step, result: Result<(), Fault>, now: Now) {
        if !std::mem::take(&mut step.live.asking_token) || self.image.session.is_none() {
            return;
        }
        match result {
            // Whoever said no wasn't the server, or it knows better by now.
            Ok(()) => step.live.doubted = false,
            Err(Fault::Refused(refusal)) if is_dead_token(refusal.code) => self.revoke(step),
            Err(fault) => step.live.fail(fault, now),
        }
    }
}
