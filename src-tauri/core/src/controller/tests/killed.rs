//! Tests with a tablet that is killed while one person signs in after another, and the resulting session and token.

use crewbell_shared::request::RequestVerb;
use std::sync::Arc;

use crewbell_shared::ids::{InstanceId, NoteId, PersonId};
use crewbell_shared::person::Person;
use crewbell_shared::protocol::Verb;
use crewbell_shared::testing::{at, id, open_request, sam, siri};
use tokio::sync::mpsc;

use super::super::keys::{Keys, Server, Whose};
use super::super::run::{Controller, Post, Work};
use super::{Device, Drawer, image, parts};
use crate::engine::Input;
use crate::net::{Http, trust};
use crate::screen::Notice;
use crate::store::{Image, Memory, Session};

/// The parts of a tablet that outlive its app.
struct Tablet {
    stored: Image,
    vault: Arc<Drawer>,
    folder: tempfile::TempDir,
}

/// One run of the app.
struct Run {
    app: Controller<Memory>,
    posted: mpsc::Receiver<Post>,
    _posts: mpsc::Sender<Post>,
}

fn server_of(person: &Person) -> Server {
    let instance = InstanceId(uuid::Uuid::from_u128(if person.id == sam().id { 2 } else { 1 }));
    Server { base: "http://127.0.0.1:9".into(), instance: Some(instance) }
}

fn session_of(person: &Person) -> Session {
    let Server { base: server, instance } = server_of(person);
    Session { server, site: "serenity".into(), person: person.as_ref(), device_id: id(1), instance }
}

impl Tablet {
    /// Returns Siri's tablet, with a waiting note.
    async fn of_siri() -> Self {
        let stored = image(vec![open_request(at(0)).into()]);
        let tablet = Self { stored, vault: Arc::default(), folder: tempfile::tempdir().unwrap() };
        tablet.keep("siri's", &siri(), Server::default()).await;
        let mut run = tablet.starts().await;
        let (request_id, note_id) = (open_request(at(0)).id, NoteId(uuid::Uuid::from_u128(5)));
        let verb = Verb::Request(RequestVerb::Note { request_id, note_id, text: "Two towels".into() });
        run.app.step(Input::Act { id: id(7), verb }).await.unwrap();
        run.killed(tablet).await
    }

    /// Stores a token in the vault, as a sign-in does.
    async fn keep(&self, token: &str, of: &Person, before: Server) {
        let keys = Keys::new(Arc::<Drawer>::clone(&self.vault));
        let whose = Whose { person_id: of.id, server: server_of(of) };
        keys.replace(token.into(), whose, before).await.unwrap();
    }

    /// Starts the app, which checks the token's owner.
    async fn starts(&self) -> Run {
        let mut parts = parts(Memory::new(self.stored.clone()), &Arc::<Device>::default(), self.folder.path());
        parts.vault = Arc::<Drawer>::clone(&self.vault);
        let (posts, posted) = mpsc::channel(256);
        let http = Http::new(trust(self.folder.path()).unwrap()).unwrap();
        let mut app = Controller::new(parts, http, posts.downgrade()).await.unwrap();
        app.begin().await;
        let mut run = Run { app, posted, _posts: posts };
        if let Some(looking) = run.app.looking.take() {
            looking.await.unwrap();
        }
        while let Ok(post) = run.posted.try_recv() {
            run.app.guarded(Work::Post(post)).await;
        }
        run
    }
}

impl Run {
    /// Ends the app; its stored data remains.
    async fn killed(mut self, tablet: Tablet) -> Tablet {
        Tablet { stored: self.app.disk.load().await.unwrap(), ..tablet }
    }

    fn signed_in(&self) -> Option<PersonId> {
        self.app.engine.image().person_id()
    }

    /// Returns the token used for the person who is signed in.
    async fn token(&self) -> Option<String> {
        self.app.keys.token(self.signed_in()).await.unwrap().map(|token| token.to_string())
    }

    /// Returns the tokens to revoke, with their installation.
    async fn to_revoke(&self) -> Vec<(String, Option<InstanceId>)> {
        let left = self.app.keys.to_revoke().await.unwrap();
        left.into_iter().map(|old| (old.token.to_string(), old.server.instance)).collect()
    }

    fn waiting(&self) -> usize {
        self.app.engine.image().outbox.len()
    }
}

#[tokio::test]
async fn killed_before_the_vault_or_after_the_store_a_tablet_has_the_one_or_the_other() {
    let tablet = Tablet::of_siri().await;
    let mut run = tablet.starts().await;
    assert_eq!((run.signed_in(), run.token().await.as_deref()), (Some(siri().id), Some("siri's")));
    let whose = Whose { person_id: sam().id, server: server_of(&sam()) };
    run.app.keys.replace("sam's".into(), whose, server_of(&siri())).await.unwrap();
    run.app.step(Input::SignedIn(session_of(&sam()))).await.unwrap();
    let run = run.killed(tablet).await.starts().await;
    assert_eq!((run.signed_in(), run.token().await.as_deref()), (Some(sam().id), Some("sam's")));
    assert_eq!(run.waiting(), 1, "Siri's stays for Siri");
}

#[tokio::test]
async fn killed_between_the_vault_and_the_store_nobody_is_signed_in_and_nothing_is_lost() {
    let tablet = Tablet::of_siri().await;
    tablet.keep("sam's", &sam(), server_of(&siri())).await;
    let run = tablet.starts().await;
    assert_eq!((run.signed_in(), run.token().await), (None, None), "Siri's session never goes with Sam's token");
    assert_eq!(run.waiting(), 1, "what Siri did waits for Siri");
    let notices = run.app.engine.picture(run.app.clock.now()).status.notices;
    assert!(notices.contains(&Notice::Revoked), "and they are told: {notices:?}");
    let both = |person: &Person, token: &str| (token.to_owned(), server_of(person).instance);
    let to_revoke = [both(&siri(), "siri's"), both(&sam(), "sam's")];
    assert_eq!(run.to_revoke().await, to_revoke);
    // The same holds if it is killed again before a server is reached.
    let run = run.killed(tablet).await.starts().await;
    assert_eq!((run.signed_in(), run.waiting(), run.to_revoke().await), (None, 1, to_revoke.to_vec()));
}

#[tokio::test]
async fn killed_again_while_it_signs_out_for_that_a_tablet_still_revokes_the_token() {
    let tablet = Tablet::of_siri().await;
    tablet.keep("sam's", &sam(), Server::default()).await;
    let mut stored = tablet.stored.clone();
    let step =
        crate::engine::Engine::new(stored.clone()).decide(Input::AnothersToken, super::super::Clock::default().now());
    stored.apply(&step.writes);
    let run = Tablet { stored, ..tablet }.starts().await;
    assert_eq!((run.signed_in(), run.token().await, run.waiting()), (None, None, 1));
    assert_eq!(run.to_revoke().await.last().unwrap(), &("sam's".to_owned(), server_of(&sam()).instance));
}

#[tokio::test]
async fn killed_in_the_middle_of_the_first_sign_in_a_tablet_revokes_the_token_that_came_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let tablet = Tablet { stored: Image::default(), vault: Arc::default(), folder };
    let mut run = tablet.starts().await;
    // The server doesn't answer; the setting is written before the request.
    let (answer, answered) = tokio::sync::oneshot::channel();
    let (site, name) = ("serenity".to_owned(), "Sam".to_owned());
    run.app.sign_in("http://127.0.0.1:9", site, name, "1234".into(), answer).await;
    assert!(answered.await.unwrap().is_err());
    let tablet = run.killed(tablet).await;
    tablet.keep("sam's", &sam(), Server::default()).await;
    let run = tablet.starts().await;
    assert_eq!((run.signed_in(), run.token().await), (None, None));
    assert_eq!(run.to_revoke().await, [("sam's".to_owned(), server_of(&sam()).instance)]);
}

#[tokio::test]
async fn while_a_sign_in_goes_on_nothing_is_sent_in_another_s_name() {
    let tablet = Tablet::of_siri().await;
    let run = tablet.starts().await;
    let whose = Whose { person_id: sam().id, server: server_of(&sam()) };
    run.app.keys.replace("sam's".into(), whose, server_of(&siri())).await.unwrap();
    assert_eq!((run.signed_in(), run.token().await), (Some(siri().id), None));
}
