//! Signing in and out, starting, and what this device's person turns off.

use crewbell_shared::Code;
use crewbell_shared::call::{self, Call};
use crewbell_shared::guest::Stay;
use crewbell_shared::protocol::Entity;
use crewbell_shared::protocol::live::FromClient;
use crewbell_shared::request::{Request, State};
use jiff::{SignedDuration, Timestamp};

use super::live::Socket;
use super::log::{KNOWN_NOUNS, known_nouns};
use super::{Engine, Now, Output, Step};
use crate::screen::{Ears, Notice, Told, Trouble};
use crate::store::{Doing, Session, Write};

/// The setting that holds who was signed in last, for the sign-in page.
pub const LAST_SESSION: &str = "last_session";

/// The setting that says that somebody signed out whose token may not have been revoked yet.
pub const TO_REVOKE: &str = "to_revoke";

/// The setting that says of how many commands that can't be read the person knows.
const UNREADABLE_SEEN: &str = "unreadable_seen";

/// Milliseconds between two looks for what is to be forgotten.
const FORGET_MS: u64 = 3_600_000;

/// Milliseconds for which "silence" silences.
const SILENCE_MS: u64 = 60_000;

impl Engine {
    /// The device started.
    pub(super) fn start(&self, step: &mut Step, now: Now) {
        step.live.started_at = Some(now.tick);
        if self.image.session.is_none() {
            if !self.image.nouns.is_empty() {
                // It was killed in the middle of a sign-out.
                step.writes.push(Write::Wipe);
            }
            // Whoever left of their own accord gave up what waited: this is of somebody whose sign-in was ended.
            if self.image.outbox.iter().any(|waiting| !matches!(waiting.doing, Doing::Done { .. })) {
                step.live.note(Notice::Revoked);
            }
            return;
        }
        if self.image.cursor.is_some() && self.image.settings.get(KNOWN_NOUNS) != Some(&known_nouns()) {
            step.live.stale_cursor = true;
        }
    }

    /// What has been closed for long enough is forgotten, at a start and while the device runs: a tablet on a wall is
    /// never started.
    pub(super) fn forget_closed(&self, step: &mut Step, now: Now) {
        if now.tick < step.live.forget_at || self.image.session.is_none() {
            return;
        }
        step.live.forget_at = now.tick + FORGET_MS;
        let at = self.image.heard_at.unwrap_or(now.wall);
        // As long as a snapshot would bring it.
        let Some(kept_for) = self.image.site().map(|site| site.settings.keeps_closed_for()) else { return };
        let old = self.image.nouns.iter().filter(|(_, kept)| is_over(&kept.noun, kept_for, at));
        step.writes.extend(old.map(|(key, _)| Write::Forget(*key)));
    }

    /// Somebody signed in.
    pub(super) fn signed_in(step: &mut Step, session: Session) {
        step.live = super::live::Live {
            started_at: step.live.started_at,
            sockets: step.live.sockets,
            storage: step.live.storage.clone(),
            ears: step.live.ears.clone(),
            notices: std::mem::take(&mut step.live.notices),
            ..super::live::Live::default()
        };
        step.live.put_away("revoked");
        step.outputs.push(Output::Disconnect);
        step.writes.push(Write::Wipe);
        let last = serde_json::to_string(&session).ok();
        step.writes.push(Write::Set(LAST_SESSION.to_owned(), last));
        step.writes.push(Write::SignIn(session));
        step.tell(Told::Reload);
    }

    /// The person signs out. What waits is given up only when they say so.
    pub(super) fn sign_out(&self, step: &mut Step, discard: bool) {
        let me = self.image.person_id();
        let own: Vec<_> = self.image.outbox.iter().filter(|waiting| Some(waiting.by.id) == me).collect();
        let wait = own.iter().filter(|waiting| !matches!(waiting.doing, Doing::Done { .. })).count();
        if wait > 0 && !discard {
            // Nothing can be sent with a sign-in that can't be read: what waits stays, for after the next one.
            if let Some(Trouble::Vault { .. }) = self.live.trouble {
                return self.revoke(step);
            }
            let message = format!("{wait} changes are not with the server yet.");
            return step.refuse(crewbell_shared::Refusal::new(Code::InUse, message).with("waiting", &wait));
        }
        step.writes.extend(own.into_iter().map(|waiting| Write::Drop(waiting.command.id)));
        self.give_up_token(step);
    }

    /// The token that is kept is another's: who of the two was to be signed in isn't known, and nobody is. What waits stays,
    /// as for anybody whose sign-in was ended.
    pub(super) fn anothers_token(&self, step: &mut Step) {
        if self.image.session.is_some() {
            step.live.note(Notice::Revoked);
            self.give_up_token(step);
        }
    }

    fn give_up_token(&self, step: &mut Step) {
        // A device that is killed now revokes the token at its next start.
        step.writes.push(Write::Set(TO_REVOKE.to_owned(), Some("1".to_owned())));
        step.outputs.push(Output::ForgetToken { sign_out: true });
        self.leave(step);
    }

    /// The server says that the token is worth nothing any more. The site is wiped from the device; what the person did
    /// and wasn't sent stays, for them to send after signing in again, or to save.
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
        step.tell(Told::Reload);
    }

    /// Commands can't be read: it is told until the person has put it away, and again when there are more.
    pub(super) fn unreadable(&self, step: &mut Step, count: u32) {
        let seen = self.image.settings.get(UNREADABLE_SEEN).and_then(|text| text.parse().ok()).unwrap_or(0);
        if count > seen {
            step.live.note(Notice::Unreadable { count });
        } else if count < seen {
            // Some can be read again.
            step.writes.push(Write::Set(UNREADABLE_SEEN.to_owned(), Some(count.to_string())));
        }
    }

    /// The person has read a notice.
    pub(super) fn put_away(step: &mut Step, name: &str) {
        for notice in step.live.put_away(name) {
            if let Notice::Unreadable { count } = notice {
                step.writes.push(Write::Set(UNREADABLE_SEEN.to_owned(), Some(count.to_string())));
            }
        }
    }

    /// What rings here is silenced for a minute; what comes after rings.
    pub(super) fn silence(&self, step: &mut Step, now: Now) {
        let until = now.tick + SILENCE_MS;
        step.live.silenced.extend(self.open.iter().map(|id| (*id, until)));
    }

    /// Whether the device can make a sound, and the server is told.
    pub(super) fn ears(step: &mut Step, ears: Ears) {
        if let Socket::Up { .. } = step.live.socket {
            step.outputs.extend(Self::say_ears(&ears));
        }
        step.live.ears = ears;
    }

    pub(super) fn say_ears(ears: &Ears) -> Option<Output> {
        match ears {
            Ears::Unknown => None,
            Ears::Able => Some(Output::Say(FromClient::Sound { able: true, why: None })),
            Ears::Unable { why } => Some(Output::Say(FromClient::Sound { able: false, why: Some(why.clone()) })),
        }
    }

    /// An alert began to sound: the server is told once.
    pub(super) fn sounded(step: &mut Step, request_id: crewbell_shared::ids::RequestId, now: Now) {
        if matches!(step.live.socket, Socket::Up { .. }) && step.live.sounded.insert(request_id) {
            let at = step.live.server_time(now);
            step.outputs.push(Output::Say(FromClient::Sounded { request_id, at }));
        }
    }
}

/// Whether a noun has been closed for so long that no list shows it.
fn is_over(noun: &Entity, kept_for: SignedDuration, now: Timestamp) -> bool {
    let closed_at = match noun {
        Entity::Request(Request {
            state: State::Completed { completed_at: at, .. } | State::Cancelled { cancelled_at: at, .. },
            ..
        })
        | Entity::Stay(Stay { checked_out_at: Some(at), .. })
        | Entity::Call(Call { state: call::State::Ended { ended_at: at, .. }, .. }) => *at,
        Entity::Request(Request { state: State::Open | State::Accepted(_), .. })
        | Entity::Stay(Stay { checked_out_at: None, .. })
        | Entity::Site(_)
        | Entity::Person(_)
        | Entity::Place(_)
        | Entity::Guest(_)
        | Entity::Button(_)
        | Entity::Call(_) => return false,
    };
    closed_at.saturating_add(kept_for).is_ok_and(|until| until < now)
}
