//! Words of the devices for kinds of press and for keys, common to all dialects.
//!
//! Three presses or more are an emergency: a guest in distress hammers, and no service is bound to them. An unknown
//! word alone is not a press.

use crewbell_shared::button::{ButtonKey, PressKind};

/// The meaning of a word for a kind of press.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WordMeaning {
    /// A press of this kind.
    Press(PressKind),
    /// A state, a release or another word that is certainly not a press.
    NoPress,
    /// A word for a heartbeat.
    Heartbeat,
    /// An unknown word.
    Unknown,
}

/// Looks up a word for a kind of press; case, spaces, `-` and `_` don't matter.
pub(super) fn way(word: &str) -> WordMeaning {
    // The parts of a damaged word are not joined.
    if word.trim().contains(char::is_control) {
        return WordMeaning::Unknown;
    }
    let word = plain(word);
    match word.as_str() {
        "single" | "singlepress" | "singlepush" | "click" | "clicked" | "singleclick" | "press" | "pressed"
        | "push" | "tap" | "short" | "shortpress" | "button" | "buttonpress" | "call" => {
            WordMeaning::Press(PressKind::Single)
        }
        "double" | "doublepress" | "doublepush" | "doubleclick" | "doubletap" | "twice" | "presstwice"
        | "clicktwice" | "longdoublepress" | "urgent" => WordMeaning::Press(PressKind::Double),
        "long" | "longpress" | "longpush" | "longclick" | "hold" | "held" | "holdpress" | "voice" => {
            WordMeaning::Press(PressKind::Long)
        }
        "shake" | "shaken" => WordMeaning::Press(PressKind::Shake),
        "triple" | "triplepress" | "triplepush" | "tripleclick" | "quad" | "quadruple" | "penta" | "quintuple"
        | "longtriplepress" | "many" => WordMeaning::Press(PressKind::Emergency),
        "heartbeat" | "ping" | "keepalive" | "alive" => WordMeaning::Heartbeat,
        "" | "none" | "null" | "idle" | "clear" | "release" | "released" | "up" | "status" | "state" | "online"
        | "offline" | "boot" | "connected" | "disconnected" | "battery" | "telemetry" | "register" | "wakeup"
        | "sleep" => WordMeaning::NoPress,
        _ if is_alarm(&word) => WordMeaning::Press(PressKind::Emergency),
        _ => WordMeaning::Unknown,
    }
}

/// Whether a word contains an emergency word (`sos_press`, `emergency_call`).
pub(super) fn is_alarm(word: &str) -> bool {
    let word = plain(word);
    ["emergency", "panic", "alarm", "mayday"].iter().any(|cry| word.contains(cry)) || word.starts_with("sos")
}

/// Looks up the name of a key.
pub(super) fn key(word: &str) -> Option<ButtonKey> {
    match plain(word).as_str() {
        "main" | "0" => Some(ButtonKey::Main),
        "aux1" | "1" => Some(ButtonKey::Aux1),
        "aux2" | "2" => Some(ButtonKey::Aux2),
        "aux3" | "3" => Some(ButtonKey::Aux3),
        "aux4" | "4" => Some(ButtonKey::Aux4),
        _ => None,
    }
}

/// The key with a number counted from 0, as Shelly and (less one) Tasmota number them: the first is the main key.
/// Beyond the fifth no service exists, so the press counts as one of the main key and calls.
pub(super) fn key_at(index: u64) -> ButtonKey {
    match index {
        1 => ButtonKey::Aux1,
        2 => ButtonKey::Aux2,
        3 => ButtonKey::Aux3,
        4 => ButtonKey::Aux4,
        _ => ButtonKey::Main,
    }
}

/// The rank of a kind by urgency, for a message that holds several.
pub(super) fn urgency(kind: PressKind) -> u8 {
    match kind {
        PressKind::Single => 0,
        PressKind::Long => 1,
        PressKind::Double => 2,
        PressKind::Shake => 3,
        PressKind::Emergency => 4,
    }
}

fn plain(word: &str) -> String {
    word.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}
