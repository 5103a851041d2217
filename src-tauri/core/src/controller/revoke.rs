//! Revokes tokens of ended sessions at their servers, with retries: a person who signs out offline is signed out on the
//! device at once, and the token is stored until its server has revoked it.

use std::time::Duration;

use super::keys::{Keys, ToRevoke};
use super::perform::post;
use super::run::{Controller, Post, server_of};
use crate::engine::{Fault, Input, LAST_SESSION, TO_REVOKE};
use crate::net::Http;
use crate::store::{Session, Store};

/// Initial and maximum retry delay, in milliseconds; doubled each time, with jitter.
const FIRST_WAIT_MS: u64 = 1_000;
const LONGEST_WAIT_MS: u64 = 60_000;

impl<S: Store + 'static> Controller<S> {
    /// Resumes unfinished revocations of an earlier run of the app. If no person is signed in, the keyring is accessed
    /// only if it may hold a token.
    pub(super) fn revoke_what_is_left(&mut self) {
        let image = self.engine.image();
        if image.session.is_none() {
            if !image.settings.contains_key(TO_REVOKE) {
                return;
            }
            // The app was killed just after a sign-out, or just before the end of a sign-in: the token is still in its
            // original place.
            let last = image.settings.get(LAST_SESSION).and_then(|text| serde_json::from_str::<Session>(text).ok());
            self.keys.retire(last.as_ref().map(server_of).unwrap_or_default());
        }
        self.revoke_tokens();
    }

    /// Checks in a separate task whether the token belongs to the person who is signed in. A device that was killed
    /// during a sign-in may have one person's session and another's token; then the session ends.
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
                    // An unreadable vault returns no token either.
                    Err(_) => tokio::time::sleep(Duration::from_millis(LONGEST_WAIT_MS)).await,
                }
            }
        }));
    }

    /// Clears the setting once all tokens are revoked.
    pub(super) async fn revoked_all(&mut self) {
        if self.engine.image().settings.contains_key(TO_REVOKE) {
            // If the write fails, the next start checks once more.
            let _ = self.step(Input::Set { name: TO_REVOKE.to_owned(), value: None }).await;
        }
    }

    /// Revokes all pending tokens in a separate task, until none is left. Only one such task runs at a time.
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

/// Tries to revoke each pending token, and returns whether none is left.
async fn try_all(http: &Http, keys: &Keys) -> bool {
    let Ok(all) = keys.to_revoke().await else { return false };
    // An unreachable server doesn't delay the others.
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
    match http.api_client(&server.base, std::sync::Arc::clone(&old.token)).logout().await {
        // The server has ended the session by itself.
        Err(Fault::Refused(refusal)) if refusal.code == crewbell_shared::Code::NotSignedIn => Ok(()),
        done => done,
    }
}
