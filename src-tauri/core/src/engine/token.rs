//! Validation of the session token: a device is wiped only after the installation that it signed in to has rejected the
//! token twice.
//!
//! A `not_signed_in` refusal may come from elsewhere: another Crewbell at the same address, a proxy, a server that is
//! being restored. The first rejection only ends the connection. The device then validates the token with a separate
//! request; the driver sends the token only to the installation that the device signed in to. Outcomes of commands
//! never count, as "no longer active" may concern any person.

use crewbell_shared::{Code, Refusal};

use super::volatile_state::Socket;
use super::{Engine, Fault, Now, Output, Step};
use crate::screen::ConnectionError;

/// Returns whether the refusal of a whole request, or of a socket, means that the token is invalid.
pub(super) fn is_dead_token(code: Code) -> bool {
    code == Code::NotSignedIn
}

impl Engine {
    /// Handles the first rejection of the token.
    pub(super) fn doubt_token(&self, step: &mut Step, refusal: &Refusal, now: Now) {
        if self.image.session.is_none() {
            return;
        }
        if step.live.socket != Socket::Closed {
            self.hear_last(step, now);
            step.outputs.push(Output::Disconnect);
        }
        step.live.fail(ConnectionError::Refused { refusal: refusal.clone() }, now);
        step.live.doubted = true;
    }

    /// Handles the result of validating the token.
    pub(super) fn token(&self, step: &mut Step, result: Result<(), Fault>, now: Now) {
        if !std::mem::take(&mut step.live.asking_token) || self.image.session.is_none() {
            return;
        }
        match result {
            // The rejection came from another host, or the server has changed its answer.
            Ok(()) => step.live.doubted = false,
            Err(Fault::Refused(refusal)) if is_dead_token(refusal.code) => self.revoke(step),
            Err(fault) => step.live.fail(fault, now),
        }
    }
}
