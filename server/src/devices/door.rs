//! The door that every device's message goes through: decode, judge who may speak, call the action.

use std::sync::Arc;
use std::time::Duration;

use crewbell_shared::button::Delivery;
use crewbell_shared::ids::SiteId;
use crewbell_shared::person::Actor;
use crewbell_shared::protocol::Source;
use crewbell_shared::{Code, Refusal};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::delivery::Message;
use super::dialects::{Decoded, Dialects, Ignored, Said, VoiceChunk};
use super::listener::{Taken, Why};
use super::refusals;
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
}

/// The door.
#[derive(Clone, Debug)]
pub struct Door {
    dialects: Arc<Dialects>,
    clock: Clock,
    unheard: Unheard,
    /// Which warnings stood in the log lately: site, device, reason.
    warned: Arc<Seldom<(SiteId, String, &'static str)>>,
}

impl Door {
    /// A door for these dialects.
    pub fn new(dialects: Dialects, clock: Clock) -> Self {
        let unheard = Unheard::start(clock.clone());
        let warned = Arc::new(Seldom::new(Duration::from_mins(1), 64));
        Self { dialects: Arc::new(dialects), clock, unheard, warned }
    }

    /// The dialects that it understands.
    pub fn dialects(&self) -> &Dialects {
        &self.dialects
    }

    /// Takes a message; resolves when what it says is durable, or it was judged worthless.
    pub async fn take(&self, speaker: Speaker, message: Message) -> Taken {
        let Decoded { device, dialect, said } = self.dialects.decode(&message.topic, &message.payload, message.retain);
        let Some(device) = device else {
            return self.ignore(&speaker, "", &message, &ignored_of(said));
        };
        if let Some(own) = speaker.device.as_deref().filter(|own| **own != device) {
            return self.refuse(&speaker, own, &message, "not_its_own");
        }
        let own = speaker.device.is_some() || speaker.for_all;
        let delivery = self.delivery(&speaker, &message);
        let dialect = dialect.map_or("unknown", super::dialects::Dialect::code);
        let (what, action): (_, Box<dyn Action>) = match said {
            Said::Press(press) => ("press", Box::new(RaiseRequest { device: device.clone(), own, press, delivery })),
            Said::Health(vitals) => ("health", Box::new(HearButton { device: device.clone(), own, vitals })),
            Said::Voice(chunk) => ("voice", Box::new(recording(device.clone(), own, chunk, delivery))),
            Said::Nothing(why) => return self.ignore(&speaker, &device, &message, &why),
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
            Err(NotDone::Refused(refusal)) => self.refused(&speaker, &device, &message, &refusal),
            // No acknowledgement: the device resends, and what it can't resend it hasn't been promised.
            Err(NotDone::Unavailable | NotDone::Internal) => Taken::NotNow,
        }
    }

    /// Keeps something about a device for the administrator to read, which no message of it was.
    pub fn tell(&self, site: &Arc<OpenSite>, device: &str, reason: &'static str, words: &str) {
        self.unheard.count(site, device, reason, "", words.as_bytes());
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
        refusals::taken(refusal.code, speaker.for_all)
    }

    /// What may not be said is counted and kept as well.
    fn refuse(&self, speaker: &Speaker, device: &str, message: &Message, why: &'static str) -> Taken {
        metrics::counter!("mqtt_refused_total", "why" => why).increment(1);
        self.unheard.count(&speaker.site, device, why, &message.topic, &message.payload);
        if let Some(left_out) = self.warned.say((speaker.site.id, device.to_owned(), why), Instant::now()) {
            tracing::warn!(site = %speaker.site.slug, device, why, left_out, "A device's message was refused.");
        }
        Taken::Refused(Why::NotAuthorized)
    }

    fn delivery(&self, speaker: &Speaker, message: &Message) -> Delivery {
        // The hash is kept in the database, so it must be the same in every version of the server.
        let digest = Sha256::digest(&message.payload);
        let payload_hash = digest.iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte));
        Delivery {
            connection: speaker.connection,
            clean_start: speaker.clean_start,
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
        self.unheard.count(&speaker.site, device, why.code(), &message.topic, &message.payload);
        match why {
            Ignored::UnknownTopic => Taken::Refused(Why::TopicInvalid),
            Ignored::Retained | Ignored::EmptyAction | Ignored::Heartbeat => Taken::Done,
            Ignored::NotAPress | Ignored::UnknownShape(_) | Ignored::NotUtf8 | Ignored::NotJson | Ignored::TooLarge => {
                Taken::Refused(Why::PayloadInvalid)
            }
        }
    }
}

fn ignored_of(said: Said) -> Ignored {
    match said {
        Said::Nothing(why) => why,
        Said::Press(_) | Said::Health(_) | Said::Voice(_) => Ignored::UnknownTopic,
    }
}

fn recording(device: String, own: bool, chunk: VoiceChunk, delivery: Delivery) -> KeepRecording {
    let VoiceChunk { key, duration_ms, format, bytes, audio_url, transcript } = chunk;
    KeepRecording { device, own, key, format, duration_ms, bytes, audio_url, transcript, delivery }
}
