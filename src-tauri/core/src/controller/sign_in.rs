//! A person signs in on this device: the server lets them in, the vault takes the token, and only then does the engine
//! know of it.

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

/// The setting that holds this device's id, made once.
const DEVICE_ID: &str = "device_id";

/// The setting that says where the token is: `keyring` or `file`.
pub(super) const TOKEN_IN: &str = "token_in";

/// Somebody whom the server let in.
#[derive(Debug)]
pub(super) struct SigningIn {
    session: Session,
    kept_in: TokenPlace,
    answer: Answer,
}

impl<S: Store + 'static> Controller<S> {
    /// Signs in, beside the loop.
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
            // Who it is comes first: from here on the device knows it, whatever answers at its address later.
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

    /// The server let somebody in, and the token is kept.
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
        // Where the token is can be told again by the next sign-in.
        let _ = self.step(Input::Set { name: TOKEN_IN.to_owned(), value: Some(place.to_owned()) }).await;
        match kept_in {
            TokenPlace::File => drop(self.step(Input::Notice(Notice::TokenInFile)).await),
            TokenPlace::Keyring => drop(self.step(Input::PutAway { notice: "token_in_file".to_owned() }).await),
        }
        // Of whoever was signed in before. Mostly the server has ended it by itself.
        self.revoke_tokens();
        let _ = answer.send(Ok(nothing()));
    }

    /// Before a token goes into the vault. A device that is killed before its store knows of the sign-in finds the token at
    /// its next start, and revokes it; where somebody is signed in, it looks in any case.
    async fn note_token_to_come(&mut self) -> Result<(), AskError> {
        if let Some(looking) = self.looking.take() {
            looking.abort();
        }
        if self.engine.image().session.is_none() {
            self.step(Input::Set { name: TO_REVOKE.to_owned(), value: Some("1".to_owned()) }).await?;
        }
        Ok(())
    }

    /// This device's id, made at the first sign-in and kept.
    async fn device_id(&mut self) -> Result<DeviceId, AskError> {
        if let Some(id) = self.engine.image().settings.get(DEVICE_ID).and_then(|text| text.parse().ok()) {
            return Ok(id);
        }
        let id: DeviceId = self.clock.id();
        self.step(Input::Set { name: DEVICE_ID.to_owned(), value: Some(id.to_string()) }).await?;
        Ok(id)
    }
}

/// What a fault means for something that can't be done without the server.
pub(super) fn needs_server(fault: Fault) -> AskError {
    match fault {
        Fault::Away(why) => AskError::Offline { why },
        Fault::Refused(refusal) => AskError::Refused { refusal },
        Fault::Blocked { .. } => AskError::Offline { why: fault.into() },
    }
}
