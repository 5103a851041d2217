//! Signing in and out, starting, notices and silencing.

use crewbell_shared::Code;
use crewbell_shared::protocol::Entity;
use crewbell_shared::protocol::live::FromClient;
use jiff::{SignedDuration, Timestamp};

use super::log::{KNOWN_ENTITIES, known_entities};
use super::volatile_state::Socket;
use super::{Engine, Now, Output, Step};
use crate::screen::{AudioOutputStatus, ConnectionError, CoreEvent, Notice};
use crate::store::{CommandStatus, Session, Write};

/// The setting that holds the previous session, for the sign-in page.
pub const LAST_SESSION: &str = "last_session";

/// The setting that says that a signed-out token may still have to be revoked.
pub const TO_REVOKE: &str = "to_revoke";

/// The setting that holds the number of unreadable commands that the person has been notified of.
const UNREADABLE_SEEN: &str = "unreadable_seen";

/// Milliseconds between two clean-ups of closed entities.
const FORGET_MS: u64 = 3_600_000;

/// Duration of silencing, in milliseconds.
const SILENCE_MS: u64 = 60_000;

impl Engine {
    /// Handles a start of the device.
    pub(super) fn start(&self, step: &mut Step, now: Now) {
        step.live.started_at = Some(now.tick);
        if self.image.session.is_none() {
            if !self.image.entities.is_empty() {
                // The device was killed during a sign-out.
                step.writes.push(Write::Wipe);
            }
            // A voluntary sign-out discards waiting commands, so these belong to a person whose session was ended.
            if self.image.outbox.iter().any(|waiting| !matches!(waiting.doing, CommandStatus::Done { .. })) {
                step.live.note(Notice::Revoked);
            }
            return;
        }
        if self.image.cursor.is_some() && self.image.settings.get(KNOWN_ENTITIES) != Some(&known_entities()) {
            step.live.stale_cursor = true;
        }
    }

    /// Removes entities that have been closed for long enough, at a start and periodically: a wall tablet is never
    /// restarted.
    pub(super) fn forget_closed(&self, step: &mut Step, now: Now) {
        if now.tick < step.live.forget_at || self.image.session.is_none() {
            return;
        }
        step.live.forget_at = now.tick + FORGET_MS;
        let at = self.image.heard_at.unwrap_or(now.wall);
        // The retention time equals that of a snapshot.
        let Some(kept_for) = self.image.site().map(|site| site.settings.keeps_closed_for()) else { return };
        let old = self.image.entities.iter().filter(|(_, kept)| is_over(&kept.entity, kept_for, at));
        step.writes.extend(old.map(|(key, _)| Write::DeleteEntity(*key)));
    }

    /// Starts a new session.
    pub(super) fn signed_in(step: &mut Step, session: Session) {
        step.live = super::volatile_state::VolatileState {
            started_at: step.live.started_at,
            sockets: step.live.sockets,
            storage: step.live.storage.clone(),
            ears: step.live.ears.clone(),
            notices: std::mem::take(&mut step.live.notices),
            ..super::volatile_state::VolatileState::default()
        };
        step.live.put_away("revoked");
        step.outputs.push(Output::Disconnect);
        step.writes.push(Write::Wipe);
        let last = serde_json::to_string(&session).ok();
        step.writes.push(Write::Set(LAST_SESSION.to_owned(), last));
        step.writes.push(Write::SignIn(session));
        step.emit(CoreEvent::Reload);
    }

    /// Signs the person out. Waiting commands are discarded only on request.
    pub(super) fn sign_out(&self, step: &mut Step, discard: bool) {
        let me = self.image.person_id();
        let own: Vec<_> = self.image.outbox.iter().filter(|waiting| Some(waiting.by.id) == me).collect();
        let wait = own.iter().filter(|waiting| !matches!(waiting.doing, CommandStatus::Done { .. })).count();
        if wait > 0 && !discard {
            // Commands can't be sent while the token is unreadable, so they stay until the next sign-in.
            if let Some(ConnectionError::Vault { .. }) = self.live.trouble {
                return self.revoke(step);
            }
            let message = format!("{wait} changes are not with the server yet.");
            return step.refuse(crewbell_shared::Refusal::new(Code::InUse, message).with("waiting", &wait));
        }
        step.writes.extend(own.into_iter().map(|waiting| Write::DeleteCommand(waiting.command.id)));
        self.give_up_token(step);
    }

    /// Ends the session because the stored token belongs to another person: the intended one is unknown. Waiting
    /// commands stay, as for any ended session.
    pub(super) fn anothers_token(&self, step: &mut Step) {
        if self.image.session.is_some() {
            step.live.note(Notice::Revoked);
            self.give_up_token(step);
        }
    }

    fn give_up_token(&self, step: &mut Step) {
        // If the device is killed at this point, it revokes the token at its next start.
        step.writes.push(Write::Set(TO_REVOKE.to_owned(), Some("1".to_owned())));
        step.outputs.push(Output::ForgetToken { sign_out: true });
        self.leave(step);
    }

    /// Ends the session because the server says that the token is invalid. The site's data is wiped; unsent commands
    /// stay, to be sent after signing in again, or to be saved.
    pub(super) fn revoke(&self, step: &mut Step) {
        if self.image.session.is_none() {
            return;
        }
        step.live.note(Notice::Revoked);
        step.outputs.push(Output::ForgetToken { sign_out: false });
        self.leave(step);
    }

    fn leave(&self, step: &mut Step) {
        step.writes.push(Write::Wipe);
        if step.live.socket != Socket::Closed || self.live.socket != Socket::Closed {
            step.outputs.push(Output::Disconnect);
        }
        step.live.socket = Socket::Closed;
        step.live.fetching = false;
        (step.live.doubted, step.live.asking_token) = (false, false);
        step.live.suspect = None;
        step.live.suspected = None;
        step.live.sending = None;
        step.live.present.clear();
        step.live.silenced.clear();
        step.live.line = super::phone::Line::default();
        step.emit(CoreEvent::Reload);
    }

    /// Notifies the person of unreadable commands, until the notice is dismissed, and again when their number grows.
    pub(super) fn unreadable(&self, step: &mut Step, count: u32) {
        let seen = self.image.settings.get(UNREADABLE_SEEN).and_then(|text| text.parse().ok()).unwrap_or(0);
        if count > seen {
            step.live.note(Notice::Unreadable { count });
        } else if count < seen {
            // Some commands are readable again.
            step.writes.push(Write::Set(UNREADABLE_SEEN.to_owned(), Some(count.to_string())));
        }
    }

    /// Dismisses a notice.
    pub(super) fn put_away(step: &mut Step, name: &str) {
        for notice in step.live.put_away(name) {
            if let Notice::Unreadable { count } = notice {
                step.writes.push(Write::Set(UNREADABLE_SEEN.to_owned(), Some(count.to_string())));
            }
        }
    }

    /// Silences the ringing alerts of this device for a minute; new alerts ring.
    pub(super) fn silence(&self, step: &mut Step, now: Now) {
        let until = now.tick + SILENCE_MS;
        step.live.silenced.extend(self.open.iter().map(|id| (*id, until)));
    }

    /// Records whether the device can play sounds, and reports it to the server.
    pub(super) fn ears(step: &mut Step, ears: AudioOutputStatus) {
        if let Socket::Up { .. } = step.live.socket {
            step.outputs.extend(Self::say_ears(&ears));
        }
        step.live.ears = ears;
    }

    pub(super) fn say_ears(ears: &AudioOutputStatus) -> Option<Output> {
        match ears {
            AudioOutputStatus::Unknown => None,
            AudioOutputStatus::Able => Some(Output::Say(FromClient::Sound { able: true, why: None })),
            AudioOutputStatus::Unable { why } => {
                Some(Output::Say(FromClient::Sound { able: false, why: Some(why.clone()) }))
            }
        }
    }

    /// Reports a sounding alert to the server, once.
    pub(super) fn sounded(step: &mut Step, request_id: crewbell_shared::ids::RequestId, now: Now) {
        if matches!(step.live.socket, Socket::Up { .. }) && step.live.sounded.insert(request_id) {
            let at = step.live.server_time(now);
            step.outputs.push(Output::Say(FromClient::Sounded { request_id, at }));
        }
    }
}

/// Returns whether an entity has been closed for longer than the retention time.
fn is_over(entity: &Entity, kept_for: SignedDuration, now: Timestamp) -> bool {
    let Some(closed_at) = entity.closed_at() else { return false };
    closed_at.saturating_add(kept_for).is_ok_and(|until| until < now)
}
