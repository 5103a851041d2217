//! The door that every device's message goes through: decode, judge who may speak, call the action.

use std::sync::Arc;
use std::time::Duration;

use crewbell_shared::button::{Delivery, SeenPress};
use crewbell_shared::ids::SiteId;
use crewbell_shared::person::Actor;
use crewbell_shared::protocol::Source;
use crewbell_shared::{Code, Refusal};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::connections::Connections;
use super::delivery::Message;
use super::dialects::{Decoded, Dialect, Dialects, Heard, Ignored, Said, VoiceChunk};
use super::flood::Floods;
use super::listener::{Taken, Why};
use super::refusals;
use super::spellings::Spellings;
use super::unheard::Unheard;
use crate::actions::{Action, Answer, HearButton, KeepRecording, NotDone, RaiseRequest};
use crate::clock::Clock;
use crate::house::OpenSite;
use crate::limits::Seldom;

/// Who speaks, as far as the connection tells.
#[derive(Clone, Debug)]
pub struct Speaker {
    /// The site that it signed in to.
    pub site: Arc<OpenSite>,
    /// The one button that it may speak for, when it signed in as one; otherwise it may speak for every button that
    /// has no credentials of its own (a new button, a gateway, an external broker).
    pub device: Option<Arc<str>>,
    /// Whether it may speak also for buttons that have credentials of their own: an external broker, which let them in
    /// and asked them for theirs.
    pub for_all: bool,
    /// Which connection; changes with each.
    pub connection: u64,
    /// The device's client id, where it is known.
    pub client_id: Option<String>,
    /// Whether the connection began clean.
    pub clean_start: bool,
    /// Where it comes from: the address and the client id; none behind an external broker.
    pub via: Option<String>,
}

/// The door.
#[derive(Clone, Debug)]
pub struct Door {
    dialects: Arc<Dialects>,
    clock: Clock,
    unheard: Unheard,
    floods: Arc<Floods>,
    pub(super) connections: Connections,
    pub(super) spellings: Spellings,
    /// What connections are numbered from, so that no number is one of an earlier run of the server.
    first_connection: u64,
    /// Which warnings stood in the log lately: site, device, reason.
    warned: Arc<Seldom<(SiteId, String, &'static str)>>,
}

impl Door {
    /// A door for these dialects.
    pub fn new(dialects: Dialects, clock: Clock) -> Self {
        let unheard = Unheard::start(clock.clone());
        let first_connection = u64::try_from(clock.now().as_microsecond()).unwrap_or_default();
        Self {
            dialects: Arc::new(dialects),
            clock,
            unheard,
            floods: Arc::default(),
            connections: Connections::default(),
            spellings: Spellings::default(),
            first_connection,
            warned: Arc::new(Seldom::new(Duration::from_mins(1), 64)),
        }
    }

    /// The dialects that it understands.
    pub fn dialects(&self) -> &Arc<Dialects> {
        &self.dialects
    }

    /// How devices spell their ids.
    pub fn spellings(&self) -> Spellings {
        self.spellings.clone()
    }

    /// Takes a message; resolves when what it says is durable, or it was judged worthless.
    pub async fn take(&self, speaker: Speaker, message: Message) -> Taken {
        let site = speaker.site.id;
        let settings = Arc::clone(&speaker.site.settings.borrow());
        let decoded = self.dialects.decode(&settings.vocabulary, &message.topic, &message.payload, message.retain);
        let Decoded { device, dialect, heard, damage } = decoded;
        if let Some(what) = damage {
            metrics::counter!("mqtt_damaged_total", "what" => what).increment(1);
        }
        let Some(device) = device.map(|spelled| self.spellings.known_by(site, &spelled)) else {
            let why = heard.into_iter().next().map_or(Ignored::UnknownTopic, |heard| ignored_of(heard.said));
            return self.ignore(&speaker, speaker.device.as_deref().unwrap_or_default(), &message, &why);
        };
        if let Some(own) = speaker.device.as_deref().filter(|own| *own != device) {
            return self.refuse(&speaker, own, &message, "not_its_own");
        }
        if self.is_of_the_past(site, &device, &speaker, &message) {
            return Taken::Done;
        }
        // Side by side, so that all keys of a message are in one commit; in its order.
        let taking = heard.into_iter().map(|heard| self.hear(&speaker, &message, &device, dialect, heard));
        together(futures_util::future::join_all(taking).await)
    }

    /// Takes what a message says of one button.
    async fn hear(
        &self,
        speaker: &Speaker,
        message: &Message,
        topic_device: &str,
        dialect: Option<Dialect>,
        heard: Heard,
    ) -> Taken {
        let Heard { device, said, repeats } = heard;
        let spelled = device.map(|spelled| self.spellings.known_by(speaker.site.id, &spelled));
        let device = spelled.unwrap_or_else(|| topic_device.to_owned());
        // Who signed in as a gateway did so as itself, and not as the buttons behind it.
        let own = (speaker.device.is_some() && device == topic_device) || speaker.for_all;
        if let Some(client_id) = &speaker.client_id {
            self.connections.spoke_for(speaker.site.id, client_id, &device);
        }
        let delivery = self.delivery(speaker, message, repeats.as_deref());
        let dialect = dialect.map_or("unknown", Dialect::code);
        let (what, action): (_, Box<dyn Action>) = match said {
            Said::Press(press) => {
                self.pace(speaker, &device, &press, message).await;
                let via = speaker.via.clone();
                ("press", Box::new(RaiseRequest { device: device.clone(), own, press, delivery, via }))
            }
            Said::Health(vitals) => {
                ("health", Box::new(HearButton { device: device.clone(), own, vitals, greets: false }))
            }
            Said::Voice(chunk) => {
                let via = speaker.via.clone();
                ("voice", Box::new(recording(device.clone(), own, chunk, delivery, via)))
            }
            Said::Nothing(why) => return self.ignore(speaker, &device, message, &why),
        };
        metrics::counter!("mqtt_messages_total", "said" => what, "dialect" => dialect).increment(1);
        let done = speaker.site.act(action, Actor::Button { name: device.clone() }, Source::Device).await;
        match done {
            Ok(done) => {
                if let Answer::Pressed(request) = done.answer {
                    tracing::info!(site = %speaker.site.slug, device, seq = done.seq, ?request, "A press is recorded.");
                }
                Taken::Done
            }
            Err(NotDone::Refused(refusal)) => self.refused(speaker, &device, message, &refusal),
            // No acknowledgement: the device resends, and what it can't resend it hasn't been promised.
            Err(NotDone::Unavailable | NotDone::Internal) => Taken::NotNow,
        }
    }

    /// Keeps something about a device for the administrator to read, which no message of it was.
    pub fn tell(&self, site: &Arc<OpenSite>, device: &str, reason: &'static str, words: &str) {
        self.unheard.count(site, None, device, reason, "", words.as_bytes());
    }

    /// The same, and says it in the log too.
    pub fn warn(&self, site: &Arc<OpenSite>, device: &str, reason: &'static str, words: &str) {
        self.tell(site, device, reason, words);
        if let Some(left_out) = self.warned.say((site.id, device.to_owned(), reason), Instant::now()) {
            tracing::warn!(site = %site.slug, device, reason, left_out, "{words}");
        }
    }

    fn refused(&self, speaker: &Speaker, device: &str, message: &Message, refusal: &Refusal) -> Taken {
        if refusal.code == Code::NotAllowed {
            return self.refuse(speaker, device, message, "not_its_own");
        }
        let why = if refusal.code == Code::TooMany { "too_many_new" } else { refusal.code.as_str() };
        self.refuse(speaker, device, message, why);
        let can_come_again = match &speaker.client_id {
            // New buttons find room when those that wait have been assigned.
            Some(client_id) if refusal.code == Code::TooMany => {
                message.qos > 0 && self.connections.may_be_sent_away(speaker.site.id, client_id)
            }
            Some(_) => true,
            // Behind a broker a message that isn't acknowledged would hold back everything behind it.
            None => false,
        };
        refusals::taken(refusal.code, can_come_again)
    }

    /// What may not be said is counted and kept as well.
    fn refuse(&self, speaker: &Speaker, device: &str, message: &Message, why: &'static str) -> Taken {
        metrics::counter!("mqtt_refused_total", "why" => why).increment(1);
        self.note(speaker, device, message, why);
        if let Some(left_out) = self.warned.say((speaker.site.id, device.to_owned(), why), Instant::now()) {
            tracing::warn!(site = %speaker.site.slug, device, why, left_out, "A device's message was refused.");
        }
        Taken::Refused(Why::NotAuthorized)
    }

    /// Whether a message is the last will of a connection that its device has left behind: it came in again since.
    fn is_of_the_past(&self, site: SiteId, device: &str, speaker: &Speaker, message: &Message) -> bool {
        if message.will {
            return self.connections.is_superseded(site, device, speaker.connection);
        }
        // Behind a broker the connection is the broker's.
        if speaker.client_id.is_some() {
            self.connections.spoke(site, device, speaker.connection);
        }
        false
    }

    /// Holds back a device that presses faster than any finger, and says so.
    async fn pace(&self, speaker: &Speaker, device: &str, press: &SeenPress, message: &Message) {
        let client_id = speaker.client_id.as_ref();
        let alone = client_id.is_some_and(|client_id| self.connections.is_alone(speaker.site.id, client_id));
        if self.floods.pace(speaker.site.id, device, (press.kind, press.key), alone).await {
            metrics::counter!("mqtt_held_back_total").increment(1);
            self.note(speaker, device, message, "flood");
            if let Some(left_out) = self.warned.say((speaker.site.id, device.to_owned(), "flood"), Instant::now()) {
                let site = &speaker.site.slug;
                tracing::warn!(%site, device, left_out, "A device presses faster than any finger, and is held back.");
            }
        }
    }

    /// How it was delivered; `repeats` stands for the bytes where a repetition has others.
    fn delivery(&self, speaker: &Speaker, message: &Message, repeats: Option<&str>) -> Delivery {
        // The hash is kept in the database, so it must be the same in every version of the server.
        let digest = Sha256::digest(repeats.map_or(&message.payload[..], str::as_bytes));
        let payload_hash = digest.iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte));
        let of_ever = |connection: u64| self.first_connection.saturating_add(connection);
        let before = |client_id: &String| {
            self.connections.said_goodbye(speaker.site.id, client_id, speaker.connection).map(of_ever)
        };
        Delivery {
            connection: of_ever(speaker.connection),
            clean_start: speaker.clean_start,
            said_goodbye: speaker.client_id.as_ref().and_then(before),
            dup: message.dup,
            packet_id: message.packet_id,
            client_id: speaker.client_id.clone(),
            payload_hash,
            received_at: self.clock.now(),
        }
    }

    /// What is no press is counted and kept for the administrator to see; it never rings, and is acknowledged at once,
    /// because resending it would change nothing.
    fn ignore(&self, speaker: &Speaker, device: &str, message: &Message, why: &Ignored) -> Taken {
        metrics::counter!("mqtt_ignored_total", "why" => why.code()).increment(1);
        self.note(speaker, device, message, why.code());
        match why {
            Ignored::UnknownTopic => Taken::Refused(Why::TopicInvalid),
            Ignored::Retained | Ignored::EmptyAction | Ignored::Heartbeat => Taken::Done,
            Ignored::NotAPress
            | Ignored::UnknownWord(_)
            | Ignored::UnknownShape(_)
            | Ignored::Damaged(_)
            | Ignored::NotUtf8
            | Ignored::NotJson
            | Ignored::TooLarge => Taken::Refused(Why::PayloadInvalid),
        }
    }

    /// Keeps a message for the administrator, under the device that it came from.
    fn note(&self, speaker: &Speaker, device: &str, message: &Message, why: &'static str) {
        let via = speaker.via.as_deref();
        self.unheard.count(&speaker.site, via, device, why, &message.topic, &message.payload);
    }
}

/// What is to be said of a message that spoke for several: what couldn't be recorded comes again, whole.
fn together(taken: Vec<Taken>) -> Taken {
    let or_done = |all: Taken, one: Taken| match (all, one) {
        (Taken::NotNow, _) | (_, Taken::NotNow) => Taken::NotNow,
        (Taken::Done, _) | (_, Taken::Done) => Taken::Done,
        (first @ Taken::Refused(_), Taken::Refused(_)) => first,
    };
    taken.into_iter().reduce(or_done).unwrap_or(Taken::Done)
}

fn ignored_of(said: Said) -> Ignored {
    match said {
        Said::Nothing(why) => why,
        Said::Press(_) | Said::Health(_) | Said::Voice(_) => Ignored::UnknownTopic,
    }
}

fn recording(device: String, own: bool, chunk: VoiceChunk, delivery: Delivery, via: Option<String>) -> KeepRecording {
    let VoiceChunk { key, duration_ms, format, bytes, audio_url, transcript } = chunk;
    KeepRecording { device, own, key, format, duration_ms, bytes, audio_url, transcript, delivery, via }
}
