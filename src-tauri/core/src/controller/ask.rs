//! Answers requests from the UI. Those that need the server run in separate tasks, so that the loop never waits for it.

use std::path::PathBuf;

use crewbell_shared::Code;
use crewbell_shared::ids::RequestId;
use crewbell_shared::person::{Actor, Right};
use crewbell_shared::protocol::{Entity, EntityType};
use futures_util::future::join_all;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use uuid::Uuid;

use super::names::Names;
use super::run::{Answer, Controller};
use super::sign_in::{TOKEN_IN, needs_server};
use super::{activity, code, files};
use crate::engine::{Fault, Input, line_of};
use crate::net::{ApiClient, Http, VoiceCache, address};
use crate::screen::{
    ActivityQuery, Ask, AskError, ConnectionError, CoreEvent, ServerInfo, Storage, ViewState, settings,
};
use crate::shell::Recording;
use crate::store::{EntityKey, Image, Line, Session, Store};

/// An answer as JSON text, so that a view state of thousands of entities is serialised once and passed on unchanged.
pub(super) type Answered = Result<Box<RawValue>, AskError>;

impl<S: Store + 'static> Controller<S> {
    /// Answers a request, immediately or once the server has answered.
    pub(super) async fn answer(&mut self, ask: Ask, answer: Answer) {
        let answered = match ask {
            Ask::Look => {
                // The view state contains all earlier events; `Looked` marks the start of later ones for the window.
                self.looks += 1;
                self.emit(CoreEvent::Looked { look: self.looks });
                as_json(&ViewState { look: self.looks, ..self.engine.picture(self.clock.now()) })
            }
            Ask::FindServer { address } => {
                let http = self.http.clone();
                return beside(answer, async move { as_json(&find_server(&http, &address).await?) });
            }
            Ask::ReadCode { picture } => {
                return beside(answer, async move {
                    let reading = tokio::task::spawn_blocking(move || code::read(&picture)).await;
                    let read = reading.unwrap_or_else(|_| Err("the picture can't be read".to_owned()));
                    as_json(&read.map_err(|why| AskError::Unreadable { why })?)
                });
            }
            Ask::SignIn { server, site, name, secret } => {
                return self.sign_in(&server, site, name, secret, answer).await;
            }
            Ask::SignOut { discard } => self.nothing(Input::SignOut { discard }).await,
            Ask::Do { verb } => {
                let act = Input::Act { id: self.clock.id(), verb };
                self.step(act).await.and_then(|id| as_json(&id))
            }
            Ask::Retry { command_id: id } => {
                let new_id = self.clock.id();
                self.nothing(Input::Retry { id, new_id }).await
            }
            Ask::Discard { command_id: id } => self.nothing(Input::Discard { id }).await,
            Ask::SaveOutbox => return self.save_outbox(answer),
            Ask::Silence => self.nothing(Input::Silence).await,
            Ask::Call { person_id, about } => self.call(person_id, about).await,
            Ask::Answer { call_id } => self.pick_up(call_id).await,
            Ask::HangUp { call_id } => self.hang_up(call_id).await,
            Ask::Mute { on } => {
                self.handset.mute(on);
                Ok(nothing())
            }
            Ask::Talk { held } => {
                self.handset.talk(held);
                Ok(nothing())
            }
            Ask::AudioDevices => return self.audio_devices(answer),
            Ask::TestSound { priority } => self.shell.test_sound(priority).map(|()| nothing()),
            Ask::Set { name, value } if !settings::may_set(&name, value.as_deref()) => {
                Err(AskError::refused(Code::NotAllowed, format!("{name} can't be set so.")))
            }
            Ask::Set { name, value } => {
                let set = self.nothing(Input::Set { name: name.clone(), value: value.clone() }).await;
                if set.is_ok() {
                    self.shielded("setting", |this| this.shell.setting(&name, value.as_deref()));
                }
                set
            }
            Ask::PutAway { notice } => self.nothing(Input::PutAway { notice }).await,
            Ask::Timeline { request_id } => {
                let key = EntityKey::new(EntityType::Request, request_id.0);
                let (door, kept) = (self.api_client(false), activity::story(self.engine.image(), key));
                return beside(answer, async move {
                    let story = async { door.await?.timeline(request_id).await };
                    let served = story.await.map(|entries| entries.iter().map(line_of).collect::<Vec<Line>>());
                    as_json(&or_kept(served, kept)?)
                });
            }
            Ask::Activity { query } => return self.activity(query, answer),
            Ask::ExportActivity { query } => return self.export_activity(query, answer),
            Ask::PlayVoice { request_id } => {
                let (door, voice, shell) =
                    (self.api_client(false), self.voice.clone(), std::sync::Arc::clone(&self.shell));
                let edition = edition(self.engine.image(), request_id);
                return beside(answer, async move {
                    let wav = heard(request_id, edition, &voice, door).await?;
                    shell.play(Some(Recording { request_id, wav })).map(|()| nothing())
                });
            }
            Ask::StopVoice => self.shell.play(None).map(|()| nothing()),
            Ask::SetSecret { person_id, secret, current } => {
                let door = self.api_client(false);
                return beside(answer, async move {
                    let set = async { door.await?.set_secret(person_id, &secret, current.as_deref()).await };
                    set.await.map_err(needs_server).map(|()| nothing())
                });
            }
            Ask::Unrecognised => return self.unrecognised(answer),
            Ask::JoinCode => self.session().and_then(|session| {
                let unfit = |why| AskError::Unreadable { why };
                let link = address::join_link(&session.server, &session.site).map_err(unfit)?;
                let svg = code::draw(&link).map_err(unfit)?;
                as_json(&[link, svg])
            }),
            Ask::Storage => return self.storage(answer),
            Ask::Connect => {
                self.keys.retry_now();
                self.nothing(Input::Network { there: true }).await
            }
        };
        // The caller may have gone.
        let _ = answer.send(answered);
    }

    pub(super) async fn nothing(&mut self, input: Input) -> Answered {
        self.step(input).await.map(|_| nothing())
    }

    fn session(&self) -> Result<&Session, AskError> {
        let nobody = || AskError::refused(Code::NotSignedIn, "Nobody is signed in.");
        self.engine.image().session.as_ref().ok_or_else(nobody)
    }

    fn unrecognised(&self, answer: Answer) {
        let door = self.api_client(false);
        beside(answer, async move {
            let asked = async { door.await?.unrecognised().await };
            as_json(&asked.await.map_err(needs_server)?)
        });
    }

    fn activity(&self, query: ActivityQuery, answer: Answer) {
        if let Err(error) = self.may_read_activity() {
            return drop(answer.send(Err(error)));
        }
        let image = self.engine.image();
        let names = Names::of(image);
        let kept = activity::kept(image, &names, &query);
        let door = self.api_client(false);
        beside(answer, async move {
            let page = async { door.await?.activity(&query).await };
            let served = page.await.map(|page| activity::served(&page, &names));
            as_json(&or_kept(served, kept)?)
        });
    }

    fn export_activity(&self, query: ActivityQuery, answer: Answer) {
        if let Err(error) = self.may_read_activity() {
            return drop(answer.send(Err(error)));
        }
        let image = self.engine.image();
        let kept = files::csv(activity::matching(image, &Names::of(image), &query));
        let site = image.session.as_ref().map_or("crewbell", |session| session.site.as_str());
        let name = format!("{site}-activity-{}", files::stamp(self.clock.now().wall));
        let (door, folder) = (self.api_client(false), self.shell.downloads());
        beside(answer, async move {
            let table = async { door.await?.activity_csv(&query).await };
            let served = table.await.map(|csv| (name.clone(), csv));
            let (name, csv) = or_kept(served, (format!("{name}-partial"), kept))?;
            as_json(&files::save(&folder, &name, "csv", &csv).await?)
        });
    }

    /// The device's own data is refused as well if the server would refuse the person.
    fn may_read_activity(&self) -> Result<(), AskError> {
        let person = self.session()?.person.id;
        let key = EntityKey::new(EntityType::Person, person.0);
        match self.engine.image().entities.get(&key).map(|kept| kept.entity.as_ref()) {
            Some(Entity::Person(person)) => Ok(Actor::Person(person.clone()).need(Right::ReadActivity)?),
            // The site is still being fetched.
            Some(_) | None => Ok(()),
        }
    }

    fn save_outbox(&self, answer: Answer) {
        let now = self.clock.now();
        let (image, picture) = (self.engine.image(), self.engine.picture(now));
        let session = picture.session.as_ref().or(picture.last.as_ref());
        let bytes = files::outbox(&image.outbox, &self.unreadable, session, &Names::of(image), now.wall);
        let folder: PathBuf = self.shell.downloads();
        beside(answer, async move {
            let bytes = bytes.map_err(|error| AskError::Unreadable { why: error.to_string() })?;
            let name = format!("crewbell-unsent-{}", files::stamp(now.wall));
            as_json(&files::save(&folder, &name, "json", &bytes).await?)
        });
    }

    fn storage(&self, answer: Answer) {
        let image = self.engine.image();
        let entities = u32::try_from(image.entities.len()).unwrap_or(u32::MAX);
        let token_in = image.settings.get(TOKEN_IN).cloned().unwrap_or_default();
        let (folder, version) = (self.device.data.clone(), self.device.version.clone());
        beside(answer, async move {
            let shown = folder.display().to_string();
            let bytes = tokio::task::spawn_blocking(move || size_of(&folder)).await.unwrap_or_default();
            as_json(&Storage { bytes, entities, folder: shown, version, token_in })
        });
    }
}

/// Runs a future in a separate task and sends its answer. If it panics, the sender is dropped, which the caller
/// receives as an error.
pub(super) fn beside(answer: Answer, what: impl Future<Output = Answered> + Send + 'static) {
    tokio::spawn(async move {
        let _ = answer.send(what.await);
    });
}

pub(super) fn as_json(answer: &impl Serialize) -> Answered {
    to_raw_value(answer).map_err(|error| AskError::Unreadable { why: error.to_string() })
}

/// The answer `null` of a request without a result.
pub(super) fn nothing() -> Box<RawValue> {
    RawValue::NULL.to_owned()
}

/// Returns the cache key of a request's recording: the newest recording's id, so that a further message invalidates it.
fn edition(image: &Image, id: RequestId) -> Uuid {
    let kept = image.entities.get(&EntityKey::new(EntityType::Request, id.0)).map(|kept| kept.entity.as_ref());
    let newest = match kept {
        Some(Entity::Request(request)) => request.voice.as_ref().and_then(|voice| voice.recording_id),
        Some(_) | None => None,
    };
    newest.map_or(id.0, |newest| newest.0)
}

/// Returns a guest's recording from the cache or from the server. `edition` changes when the guest has added a message.
async fn heard(
    id: RequestId,
    edition: Uuid,
    voice: &VoiceCache,
    door: impl Future<Output = Result<ApiClient, Fault>>,
) -> Result<Vec<u8>, AskError> {
    if let Some(wav) = voice.get(edition).await {
        return Ok(wav);
    }
    let asked = async { door.await?.voice(id).await };
    let wav = asked.await.map_err(needs_server)?;
    if !wav.starts_with(b"RIFF") {
        return Err(AskError::Unreadable { why: "the recording is of a sort that can't be played".to_owned() });
    }
    voice.put(edition, &wav).await;
    Ok(wav)
}

/// Returns the server's data, or the device's own if the server can't be reached.
fn or_kept<T>(served: Result<T, Fault>, kept: T) -> Result<T, AskError> {
    match served {
        Ok(served) => Ok(served),
        Err(fault) if fault.is_transient() => Ok(kept),
        Err(fault) => Err(needs_server(fault)),
    }
}

/// Queries all candidate addresses concurrently and returns the first Crewbell server, in order of preference.
async fn find_server(http: &Http, text: &str) -> Result<ServerInfo, AskError> {
    let address::Candidates { bases, site } = address::read(text).map_err(|why| AskError::Unreadable { why })?;
    let answers = join_all(bases.iter().map(|base| http.server(base))).await;
    let mut trouble = None;
    for (address, answer) in bases.into_iter().zip(answers) {
        match answer {
            Ok(found) => return Ok(ServerInfo { address, version: found.version, sites: found.sites, site }),
            Err(fault) => trouble = Some(fault),
        }
    }
    Err(AskError::NotCrewbell { why: trouble.map_or(ConnectionError::NoAnswer, ConnectionError::from) })
}

/// Returns the size of a folder with its subfolders, in bytes.
fn size_of(folder: &std::path::Path) -> u64 {
    let Ok(files) = std::fs::read_dir(folder) else { return 0 };
    let size = |file: std::fs::DirEntry| match file.metadata() {
        Ok(about) if about.is_dir() => size_of(&file.path()),
        Ok(about) => about.len(),
        Err(_) => 0,
    };
    files.flatten().map(size).sum()
}
