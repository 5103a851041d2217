//! Signing in on this device: the server accepts the person, the vault stores the token, and only then does the engine
//! receive the session.

use crewbell_shared::ids::DeviceId;
use crewbell_shared::person::PersonRef;

use super::ask::nothing;
use super::keys::{Server, Whose};
use super::perform::post;
use super::run::{Answer, Controller, Post, server_of};
use crate::engine::{Fault, Input, TO_REVOKE};
use crate::net::{Login, address};
use crate::screen::{AskError, Notice};
use crate::shell::TokenPlace;
use crate::store::{Session, Store};

/// The setting that holds this device's id, generated once.
const DEVICE_ID: &str = "device_id";

/// The setting that holds the place of the token: `keyring` or `file`.
pub(super) const TOKEN_IN: &str = "token_in";

/// A sign-in that the server accepted.
#[derive(Debug)]
pub(super) struct SigningIn {
    session: Session,
    kept_in: TokenPlace,
    answer: Answer,
}

impl<S: Store + 'static> Controller<S> {
    /// Signs in, in a separate task.
    pub(super) async fn sign_in(&mut self, server: &str, site: String, name: String, secret: String, answer: Answer) {
        let base = address::read(server).map(|found| found.bases.into_iter().next().unwrap_or_default());
        let base = match base {
            Ok(base) => base,
            Err(why) => return drop(answer.send(Err(AskError::Unreadable { why }))),
        };
        let device_id = match self.device_id().await {
            Ok(device_id) => device_id,
            Err(error) => return drop(answer.send(Err(error))),
        };
        if let Err(error) = self.note_token_to_come().await {
            return drop(answer.send(Err(error)));
        }
        let login = Login { site, name, secret, device_id, device_name: self.device.name.clone() };
        let (http, keys, posts) = (self.http.clone(), self.keys.clone(), self.posts.clone());
        let before = self.server.clone();
        tokio::spawn(async move {
            // The installation id is fetched first, so that the device can verify it from here on.
            let asking = async { Ok((http.server(&base).await?.instance, http.login(&base, &login).await?)) };
            let (instance, signed_in) = match asking.await {
                Ok(answers) => answers,
                Err(fault) => return drop(answer.send(Err(needs_server(fault)))),
            };
            let server = Server { base: base.clone(), instance };
            let whose = Whose { person_id: signed_in.person.id, server };
            let kept_in = match keys.replace(signed_in.token, whose, before).await {
                Ok(kept_in) => kept_in,
                Err(error) => {
                    let error = AskError::NotKept { why: error.to_string(), full: false };
                    return drop(answer.send(Err(error)));
                }
            };
            let person = PersonRef { id: signed_in.person.id, name: signed_in.person.name };
            let session = Session { server: base, site: signed_in.site, person, device_id, instance };
            post(&posts, Post::SignedIn(Box::new(SigningIn { session, kept_in, answer }))).await;
        });
    }

    /// Starts the session, after the server has accepted the person and the token is stored.
    pub(super) async fn signed_in(&mut self, signing_in: SigningIn) {
        let SigningIn { session, kept_in, answer } = signing_in;
        let new = server_of(&session);
        let server = std::mem::replace(&mut self.server, new.clone());
        self.sign_in += 1;
        if let Err(error) = self.step(Input::SignedIn(session)).await {
            self.server = server;
            self.keys.take_back(new);
            self.revoke_tokens();
            return drop(answer.send(Err(error)));
        }
        self.voice.clear().await;
        let place = if kept_in == TokenPlace::File { "file" } else { "keyring" };
        // The place of the token isn't critical; the next sign-in stores it again.
        let _ = self.step(Input::Set { name: TOKEN_IN.to_owned(), value: Some(place.to_owned()) }).await;
        match kept_in {
            TokenPlace::File => drop(self.step(Input::Notice(Notice::TokenInFile)).await),
            TokenPlace::Keyring => drop(self.step(Input::PutAway { notice: "token_in_file".to_owned() }).await),
        }
        // The previous session's token; the server has usually revoked it by itself.
        self.revoke_tokens();
        let _ = answer.send(Ok(nothing()));
    }

    /// Prepares for a new token in the vault. A device that is killed before its store has the session finds the token
    /// at its next start, and revokes it; if a person is signed in, the start checks the token's owner in any case.
    async fn note_token_to_come(&mut self) -> Result<(), AskError> {
        if let Some(looking) = self.looking.take() {
            looking.abort();
        }
        if self.engine.image().session.is_none() {
            self.step(Input::Set { name: TO_REVOKE.to_owned(), value: Some("1".to_owned()) }).await?;
        }
        Ok(())
    }

    /// Returns this device's id, generated at the first sign-in and stored.
    async fn device_id(&mut self) -> Result<DeviceId, AskError> {
        if let Some(id) = self.engine.image().settings.get(DEVICE_ID).and_then(|text| text.parse().ok()) {
            return Ok(id);
        }
        let id: DeviceId = self.clock.id();
        self.step(Input::Set { name: DEVICE_ID.to_owned(), value: Some(id.to_string()) }).await?;
        Ok(id)
    }
}

/// Converts a fault for a request that needs the server.
pub(super) fn needs_server(fault: Fault) -> AskError {
    match fault {
        Fault::Away(why) => AskError::Offline { why },
        Fault::Refused(refusal) => AskError::Refused { refusal },
        Fault::Blocked { .. } => AskError::Offline { why: fault.into() },
    }
}
