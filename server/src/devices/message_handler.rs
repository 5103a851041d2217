//! Message handler for all devices: decodes a message, checks whether its sender may speak for the button, calls the
//! action.

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
use super::unrecognised::UnrecognisedMessages;
use crate::actions::{Action, ActionError, Answer, HearButton, KeepRecording, RaiseRequest};
use crate::clock::Clock;
use crate::limits::Seldom;
use crate::site_registry::OpenSite;

/// The sender of a message, as far as the connection identifies it.
#[derive(Clone, Debug)]
pub struct Speaker {
    /// The site that the connection authenticated for.
    pub site: Arc<OpenSite>,
    /// The only button that it may speak for, if it authenticated as one. Otherwise it may speak for every button
    /// without credentials of its own (a new button, a gateway, an external broker).
    pub device: Option<Arc<str>>,
    /// Whether it may also speak for buttons with credentials of their own: true for an external broker, which has
    /// checked those credentials.
    pub for_all: bool,
    /// The connection number, unique per connection.
    pub connection: u64,
    /// The device's client id, if known.
    pub client_id: Option<String>,
    /// Whether the connection began with Clean Start (Clean Session in MQTT 3.1.1).
    pub clean_start: bool,
    /// The source: address and client id. None behind an external broker.
    pub via: Option<String>,
}

/// The message handler.
#[derive(Clone, Debug)]
pub struct MessageHandler {
    dialects: Arc<Dialects>,
    clock: Clock,
    unrecognised: UnrecognisedMessages,
    floods: Arc<Floods>,
    pub(super) connections: Connections,
    pub(super) spellings: Spellings,
    /// Base of the connection numbers, so that none repeats from an earlier run of the server.
    first_connection: u64,
    /// Throttle for log warnings, by site, device and reason.
    warned: Arc<Seldom<(SiteId, String, &'static str)>>,
}

impl MessageHandler {
    /// Creates a handler for these dialects.
    pub fn new(dialects: Dialects, clock: Clock) -> Self {
        let unrecognised = UnrecognisedMessages::start(clock.clone());
        let first_connection = u64::try_from(clock.now().as_microsecond()).unwrap_or_default();
        Self {
            dialects: Arc::new(dialects),
            clock,
            unrecognised,
            floods: Arc::default(),
            connections: Connections::default(),
            spellings: Spellings::default(),
            first_connection,
            warned: Arc::new(Seldom::new(Duration::from_mins(1), 64)),
        }
    }

    /// The supported dialects.
    pub fn dialects(&self) -> &Arc<Dialects> {
        &self.dialects
    }

    /// The spellings of device ids in use.
    pub fn spellings(&self) -> Spellings {
        self.spellings.clone()
    }

    /// Processes a message. Resolves when its content is durable, or when it was ignored or refused.
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
        // Concurrently, so that all keys of a message are in one commit; in the order of the message.
        let taking = heard.into_iter().map(|heard| self.hear(&speaker, &message, &device, dialect, heard));
        together(futures_util::future::join_all(taking).await)
    }

    /// Processes the part of a message that concerns one button.
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
        // A gateway authenticates as itself, not as the buttons behind it.
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
            Err(ActionError::Refused(refusal)) => self.refused(speaker, &device, message, &refusal),
            // No acknowledgement: the device resends. If it can't resend (`QoS` 0), it had no delivery guarantee.
            Err(ActionError::Unavailable | ActionError::Internal) => Taken::NotNow,
        }
    }

    /// Adds an entry about a device to the administrator's list, without a message from it.
    pub fn tell(&self, site: &Arc<OpenSite>, device: &str, reason: &'static str, words: &str) {
        self.unrecognised.count(site, None, device, reason, "", words.as_bytes());
    }

    /// Does the same as [`Self::tell`], and logs a warning (throttled).
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
            // There is capacity for new buttons again when the waiting ones have been assigned.
            Some(client_id) if refusal.code == Code::TooMany => {
                message.qos > 0 && self.connections.may_be_sent_away(speaker.site.id, client_id)
            }
            Some(_) => true,
            // Behind a broker, an unacknowledged message would hold back all later ones.
            None => false,
        };
        refusals::taken(refusal.code, can_come_again)
    }

    /// Refuses a message: counts it, lists it for the administrator, and logs it (throttled).
    fn refuse(&self, speaker: &Speaker, device: &str, message: &Message, why: &'static str) -> Taken {
        metrics::counter!("mqtt_refused_total", "why" => why).increment(1);
        self.note(speaker, device, message, why);
        if let Some(left_out) = self.warned.say((speaker.site.id, device.to_owned(), why), Instant::now()) {
            tracing::warn!(site = %speaker.site.slug, device, why, left_out, "A device's message was refused.");
        }
        Taken::Refused(Why::NotAuthorized)
    }

    /// Whether a message is the last will of a superseded connection, that is, the device has connected again since.
    fn is_of_the_past(&self, site: SiteId, device: &str, speaker: &Speaker, message: &Message) -> bool {
        if message.will {
            return self.connections.is_superseded(site, device, speaker.connection);
        }
        // Behind a broker, the connection is the broker's.
        if speaker.client_id.is_some() {
            self.connections.spoke(site, device, speaker.connection);
        }
        false
    }

    /// Delays a press of a device that exceeds the rate limit, and reports it.
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

    /// The delivery metadata of a message. `repeats` replaces the bytes for duplicate detection, where a repetition has
    /// different bytes.
    fn delivery(&self, speaker: &Speaker, message: &Message, repeats: Option<&str>) -> Delivery {
        // The hash is stored in the database, so it must be the same in every version of the server.
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

    /// Counts a message that is not a press and lists it for the administrator. It never rings, and is acknowledged at
    /// once, because resending it would change nothing.
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

    /// Adds a message to the administrator's list, under the device that it came from.
    fn note(&self, speaker: &Speaker, device: &str, message: &Message, why: &'static str) {
        let via = speaker.via.as_deref();
        self.unrecognised.count(&speaker.site, via, device, why, &message.topic, &message.payload);
    }
}

/// Combines the results of a message's parts. If one part couldn't be recorded, the whole message is resent.
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
