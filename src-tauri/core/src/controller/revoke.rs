//! Telling a server that a sign-in is over, when it can be told: a person who signs out on a device that is offline has
//! signed out all the same, and the token is kept until its server has ended it.

use std::time::Duration;

use super::keys::{Keys, ToRevoke};
use super::perform::post;
use super::run::{Controller, Post, server_of};
use crate::engine::{Fault, Input, LAST_SESSION, TO_REVOKE};
use crate::net::Http;
use crate::store::{Session, Store};

/// The first wait after a try that failed, doubled each time, drawn by lot; and the longest.
const FIRST_WAIT_MS: u64 = 1_000;
const LONGEST_WAIT_MS: u64 = 60_000;

impl<S: Store + 'static> Controller<S> {
    /// At a start: what an earlier run of the app didn't come to. Where nobody is signed in, a keyring is asked only if there
    /// is something to find in it.
    pub(super) fn revoke_what_is_left(&mut self) {
        let image = self.engine.image();
        if image.session.is_none() {
            if !image.settings.contains_key(TO_REVOKE) {
                return;
            }
            // Killed just after a sign-out, or just before the end of a sign-in: its token stands where it stood.
            let last = image.settings.get(LAST_SESSION).and_then(|text| serde_json::from_str::<Session>(text).ok());
            self.keys.retire(last.as_ref().map(server_of).unwrap_or_default());
        }
        self.revoke_tokens();
    }

    /// Looks, beside the loop, whether the token is of the person who is signed in. A device that was killed in the middle of
    /// a sign-in may have the one's session and the other's token: then nobody is signed in.
    pub(super) fn look_whose_token_it_is(&mut self) {
        let Some(me) = self.engine.image().person_id() else { return };
        let (keys, posts, sign_in) = (self.keys.clone(), self.posts.clone(), self.sign_in);
        self.looking = Some(tokio::spawn(async move {
            while posts.upgrade().is_some() {
                match keys.whose().await {
                    Ok(Some(whose)) if whose != me => {
                        return post(&posts, Post::Net { sign_in, input: Input::AnothersToken }).await;
                    }
                    Ok(_) => return,
                    // Until it can be read it gives out no token either.
                    Err(_) => tokio::time::sleep(Duration::from_millis(LONGEST_WAIT_MS)).await,
                }
            }
        }));
    }

    /// Nothing is left to be revoked.
    pub(super) async fn revoked_all(&mut self) {
        if self.engine.image().settings.contains_key(TO_REVOKE) {
            // Where it isn't written, the next start looks once more.
            let _ = self.step(Input::Set { name: TO_REVOKE.to_owned(), value: None }).await;
        }
    }

    /// Revokes what is to be revoked, beside the loop, until nothing is left of it. One at a time.
    pub(super) fn revoke_tokens(&mut self) {
        if self.revoking.as_ref().is_some_and(|task| !task.is_finished()) {
            self.revoke_more.notify_one();
            return;
        }
        let (http, keys, posts) = (self.http.clone(), self.keys.clone(), self.posts.clone());
        let more = std::sync::Arc::clone(&self.revoke_more);
        self.revoking = Some(tokio::spawn(async move {
            let mut failures = 0_u32;
            while !try_all(&http, &keys).await {
                let bound = (FIRST_WAIT_MS << failures.min(10)).min(LONGEST_WAIT_MS);
                failures = failures.saturating_add(1);
                let wait = Duration::from_millis(bound / 10 + rand::random::<u64>() % bound);
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    () = more.notified() => {}
                }
                if posts.upgrade().is_none() {
                    return;
                }
            }
            post(&posts, Post::Revoked).await;
        }));
    }
}

/// Whether nothing is left to be revoked.
async fn try_all(http: &Http, keys: &Keys) -> bool {
    let Ok(all) = keys.to_revoke().await else { return false };
    // One that is out of reach, perhaps for good, keeps no other waiting.
    for old in all {
        match revoke(http, &old).await {
            Ok(()) => keys.revoked(old.token),
            Err(error) => tracing::info!(%error, "A server couldn't be told that a sign-in is over."),
        }
    }
    keys.to_revoke().await.is_ok_and(|left| left.is_empty())
}

async fn revoke(http: &Http, old: &ToRevoke) -> Result<(), Fault> {
    let server = &old.server;
    http.confirm(&server.base, server.instance, true).await?;
    match http.door(&server.base, std::sync::Arc::clone(&old.token)).logout().await {
        // It ended it by itself.
        Err(Fault::Refused(refusal)) if refusal.code == crewbell_shared::Code::NotSignedIn => Ok(()),
        done => done,
    }
}
