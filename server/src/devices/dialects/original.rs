//! The original firmware in all its builds, and the status, telemetry and voice messages that our firmware shares.
//!
//! These ring on the press topic: a known `pressType`; an unknown one if `button` is a known key, as a single press; a
//! known `button` alone; the older documented shape (`priority`, `hasVoice`, `cabinId`, …). A known `pressType` on an
//! unknown `button` rings as the main key. Heartbeats and states never ring, whatever other fields they have, and nor
//! does a message with health alone.
//!
//! Damaged fields count as absent. Fields missing from a truncated message say nothing: it rings only if its press type
//! is complete. A damaged press type with a known key is treated as an unknown one.
//!
//! A `sequenceNumber` is read as a counter, even where a simulator puts Unix milliseconds there. As a press id it would
//! be compared for ever, and a stopped clock would swallow presses. As a counter that happens to survive reboots, an
//! equal value is a repetition only within the resend window of `judge`. A `timestamp` alone doesn't identify a press,
//! for the same reason.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use crewbell_shared::button::{ButtonKey, Evidence, PressKind, SeenPress, Telemetry};

use super::super::reading::Value;
use super::Message;
use super::decoded::{Ignored, Said, VoiceChunk};
use super::fields::{Fields, online, says_something, seconds_to_ms};
use super::vocabulary::{self, WordMeaning};

/// Maximum plausible duration of a recording, in milliseconds; devices stop after 20 s.
const VOICE_MAX_MS: u64 = 10 * 60 * 1000;

/// Standard base64, with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

pub(super) fn decode_press(message: &Message<'_>) -> Result<Said, Ignored> {
    let fields = message.fields()?;
    let vitals = vitals(fields);
    if is_heartbeat(fields) {
        return no_press(vitals, Ignored::Heartbeat);
    }
    let said = Words::of(message, fields);
    let Words { named_key, known_key: key, .. } = said;
    let kind = match fields.get(&PRESS_TYPE) {
        Some(Value::Text(word)) if word.trim().is_empty() => return Err(Ignored::EmptyAction),
        Some(_) if said.taught_kind.is_some() => said.taught_kind.unwrap_or(PressKind::Single),
        Some(value) => match value.as_text().map_or(WordMeaning::Unknown, vocabulary::way) {
            WordMeaning::Press(kind) => kind,
            WordMeaning::Heartbeat => return no_press(vitals, Ignored::Heartbeat),
            WordMeaning::NoPress => return no_press(vitals, Ignored::NotAPress),
            WordMeaning::Unknown if key.is_some() => PressKind::Single,
            WordMeaning::Unknown => {
                return Err(fields.text(&PRESS_TYPE).map_or(NO_PRESS_TYPE, |word| Ignored::UnknownWord(word.into())));
            }
        },
        None if !fields.is_whole() => return Err(Ignored::Damaged("it ends before it says how it was pressed")),
        None if fields.is_damaged(&PRESS_TYPE) && key.is_some() => PressKind::Single,
        None if fields.is_damaged(&PRESS_TYPE) => return Err(Ignored::Damaged("how it was pressed can't be read")),
        None if says_no_press(fields) => return no_press(vitals, Ignored::NotAPress),
        None if key.is_some() || is_alarm(fields) => said.taught_kind.unwrap_or_else(|| implied_kind(fields)),
        None if named_key.is_none() && is_older_shape(fields, &vitals) => implied_kind(fields),
        None if named_key.is_none() && says_something(&vitals) => return Ok(Said::Health(vitals)),
        None => return Err(fields.text(&["button"]).map_or(NO_PRESS_TYPE, |word| Ignored::UnknownWord(word.into()))),
    };
    let sequence = fields.whole(&["sequenceNumber", "sequence_number"]);
    Ok(Said::Press(SeenPress {
        kind: if is_alarm(fields) { PressKind::Emergency } else { kind },
        key: key.unwrap_or(ButtonKey::Main),
        evidence: sequence
            .map_or(Evidence::Nothing, |counter| Evidence::Counted { counter, uptime_ms: vitals.uptime_ms }),
        device_press_id: sequence.map(|counter| counter.to_string()),
        device_time: fields.date(&["timestamp"]),
        vitals,
        transcript: fields.text(&["voiceTranscript"]),
        audio_url: fields.text(&["audioUrl"]),
    }))
}

/// The names of the press type field.
const PRESS_TYPE: [&str; 2] = ["pressType", "press_type"];
const NO_PRESS_TYPE: Ignored = Ignored::UnknownShape("no press type and no known key");

/// The key and kind words of a press, by the common and the site's vocabulary.
struct Words<'r> {
    named_key: Option<&'r Value>,
    known_key: Option<ButtonKey>,
    taught_kind: Option<PressKind>,
}

impl<'r> Words<'r> {
    fn of(message: &Message<'_>, fields: Fields<'r>) -> Self {
        let named_key = fields.get(&["button"]);
        let of_key = fields.text(&["button"]).and_then(|word| message.taught(&word));
        let of_kind = fields.text(&PRESS_TYPE).and_then(|word| message.taught(&word));
        let known_key = of_key.map(|word| word.key).or_else(|| named_key.and_then(key));
        Self {
            named_key,
            known_key: known_key.or(of_kind.map(|word| word.key)),
            taught_kind: of_kind.map(|word| word.kind).or_else(|| {
                let says_kind = fields.has(&PRESS_TYPE);
                of_key.filter(|_| !says_kind).map(|word| word.kind)
            }),
        }
    }
}

/// Decodes a status, last will, registration, heartbeat or telemetry message.
pub(super) fn decode_status(fields: Fields<'_>) -> Result<Said, Ignored> {
    let reason = fields.text(&["reason"]).unwrap_or_default().to_ascii_lowercase();
    let booted = ["boot", "power", "restart", "brownout", "watchdog"];
    // Connections are reset too.
    let is_reset =
        reason.contains("reset") && !["connection", "socket", "peer", "mqtt"].iter().any(|of| reason.contains(of));
    let vitals = Telemetry {
        online: fields.text(&["status", "state"]).as_deref().and_then(online),
        booted: is_reset || booted.iter().any(|word| reason.contains(word)),
        ..vitals(fields)
    };
    no_press(vitals, Ignored::Heartbeat)
}

/// Decodes a status of a single word, as some last wills are.
pub(super) fn only_online(online: bool) -> Said {
    Said::Health(Telemetry { online: Some(online), ..Telemetry::default() })
}

pub(super) fn decode_voice(fields: Fields<'_>) -> Result<Said, Ignored> {
    let bytes = match fields.get(&["data"]).map(Value::as_text) {
        Some(Some(text)) => {
            BASE64.decode(text.trim()).map_err(|_| Ignored::UnknownShape("speech that is not base64"))?
        }
        Some(None) => return Err(Ignored::UnknownShape("speech that is not text")),
        None => Vec::new(),
    };
    let audio_url = fields.text(&["audioUrl", "audio_url"]);
    let transcript = fields.text(&["voiceTranscript", "transcript"]);
    if bytes.is_empty() && audio_url.is_none() && transcript.is_none() {
        return Err(Ignored::UnknownShape("speech without sound, address or words"));
    }
    let duration_ms = fields.number(&["duration"]).and_then(seconds_to_ms).filter(|&ms| ms <= VOICE_MAX_MS);
    Ok(Said::Voice(VoiceChunk {
        key: fields.get(&["button", "key"]).and_then(key).unwrap_or(ButtonKey::Main),
        duration_ms: duration_ms.and_then(|ms| u32::try_from(ms).ok()),
        format: fields.text(&["format"]).map_or_else(|| "adpcm".to_owned(), |f| f.chars().take(32).collect()),
        bytes,
        audio_url,
        transcript,
    }))
}

/// Whether any of the fields for it names the message a heartbeat.
pub(super) fn is_heartbeat(fields: Fields<'_>) -> bool {
    let fields_of_words = ["type", "event", "messageType", "message_type", "eventType", "action", "status"];
    let by_word = fields_of_words
        .iter()
        .any(|name| fields.text(&[name]).is_some_and(|word| vocabulary::way(&word) == WordMeaning::Heartbeat));
    by_word || fields.yes(&["heartbeat"])
}

/// Returns the health data if there are any, otherwise the reason for ignoring the message.
pub(super) fn no_press(vitals: Telemetry, ignored: Ignored) -> Result<Said, Ignored> {
    if says_something(&vitals) { Ok(Said::Health(vitals)) } else { Err(ignored) }
}

fn vitals(fields: Fields<'_>) -> Telemetry {
    // The unit of `uptime` is not documented. Read as seconds, it never makes an uptime seem to go back.
    let uptime = || fields.number(&["uptime"]).and_then(seconds_to_ms);
    Telemetry {
        battery_percent: fields.battery(&["battery", "batteryLevel"]),
        rssi_dbm: fields.rssi(&["rssi", "signal"]),
        firmware: fields.text(&["firmwareVersion", "firmware_version", "firmware"]),
        uptime_ms: fields
            .whole(&["uptime_ms", "uptimeMs"])
            .or_else(|| fields.since_boot_ms(&["timestamp"]))
            .or_else(uptime),
        ..Telemetry::default()
    }
}

/// Whether a message without a press type names itself something other than a press.
fn says_no_press(fields: Fields<'_>) -> bool {
    ["type", "event", "messageType", "message_type", "eventType", "action", "status"]
        .iter()
        .any(|name| fields.text(&[name]).is_some_and(|word| vocabulary::way(&word) == WordMeaning::NoPress))
}

/// Whether a message has the older documented shape. A location alone, beside health, may be a heartbeat's.
fn is_older_shape(fields: Fields<'_>, vitals: &Telemetry) -> bool {
    fields.has(&["priority", "hasVoice", "cabinId", "guestId"])
        || (fields.has(&["locationId", "audioUrl"]) && !says_something(vitals))
}

/// The kind of a press without a press type.
fn implied_kind(fields: Fields<'_>) -> PressKind {
    let priority = fields.text(&["priority"]).unwrap_or_default().to_ascii_lowercase();
    if matches!(priority.as_str(), "urgent" | "high") {
        PressKind::Double
    } else if fields.yes(&["hasVoice"]) || fields.text(&["audioUrl"]).is_some() {
        PressKind::Long
    } else {
        PressKind::Single
    }
}

/// Whether any word of the press means an emergency, which overrides all other words.
fn is_alarm(fields: Fields<'_>) -> bool {
    ["pressType", "press_type", "button", "priority"]
        .iter()
        .any(|name| fields.text(&[name]).is_some_and(|w| vocabulary::is_alarm(&w) || plain_critical(&w)))
}

fn plain_critical(word: &str) -> bool {
    word.eq_ignore_ascii_case("critical")
}

fn key(value: &Value) -> Option<ButtonKey> {
    match value {
        Value::Text(word) => vocabulary::key(word),
        Value::Number(number) => vocabulary::key(&number.to_string()),
        Value::Unknown | Value::Null | Value::Bool(_) | Value::List(_) | Value::Object(_) => None,
    }
}
