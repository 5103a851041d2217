//! A site's additions to the built-in device vocabulary: words for presses, and topics.

use serde::{Deserialize, Serialize};

use super::{ButtonKey, PressKind};
use crate::protocol::objects;

/// The message format of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// Our own firmware.
    Crewbell,
    /// The original firmware, all builds.
    Original,
    /// Tasmota, also its Zigbee bridge.
    Tasmota,
    /// Shelly, all generations, and the Bluetooth buttons behind one.
    Shelly,
    /// Zigbee behind `Zigbee2MQTT`.
    Zigbee2mqtt,
    /// `LoRaWAN` behind `ChirpStack`, versions 3 and 4.
    Chirpstack,
    /// `LoRaWAN` behind The Things Stack, version 3.
    ThingsStack,
    /// `LoRaWAN` behind Actility's `ThingPark`.
    Thingpark,
    /// Radio codes behind `OpenMQTTGateway`.
    Openmqttgateway,
    /// A word on a custom topic of the site.
    Plain,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 10] = [
        Self::Crewbell,
        Self::Original,
        Self::Tasmota,
        Self::Shelly,
        Self::Zigbee2mqtt,
        Self::Chirpstack,
        Self::ThingsStack,
        Self::Thingpark,
        Self::Openmqttgateway,
        Self::Plain,
    ];

    /// The dialect's stable name: on the wire, in metrics, in the database.
    pub fn code(self) -> &'static str {
        match self {
            Self::Crewbell => "crewbell",
            Self::Original => "original",
            Self::Tasmota => "tasmota",
            Self::Shelly => "shelly",
            Self::Zigbee2mqtt => "zigbee2mqtt",
            Self::Chirpstack => "chirpstack",
            Self::ThingsStack => "things_stack",
            Self::Thingpark => "thingpark",
            Self::Openmqttgateway => "openmqttgateway",
            Self::Plain => "plain",
        }
    }
}

/// A site's own words and topics. Empty by default: then only the built-in ones apply.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Vocabulary {
    /// Words that are presses; they take precedence over built-in ones. 500 at most.
    #[cfg_attr(feature = "openapi", schema(max_items = 500))]
    #[serde(deserialize_with = "objects")]
    pub words: Vec<DeviceWord>,
    /// Topics beside the built-in ones. 50 at most.
    #[cfg_attr(feature = "openapi", schema(max_items = 50))]
    #[serde(deserialize_with = "objects")]
    pub topics: Vec<DeviceTopic>,
}

/// A device's word, and the press that it means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceWord {
    /// The dialect.
    pub dialect: Dialect,
    /// The word, as the list of unrecognised messages shows it; case doesn't matter. 1 to 100 characters.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 100))]
    pub word: String,
    /// The device that sends it, as the topic names it; none: every device of the dialect. 1 to 64 bytes.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 64))]
    pub device: Option<String>,
    /// The key.
    pub key: ButtonKey,
    /// The kind of press.
    pub kind: PressKind,
    /// The button, if the word identifies it rather than the topic, as a radio button's code does; none: the device
    /// that sends it. 1 to 64 bytes.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 64))]
    pub button: Option<String>,
}

/// A topic on which a site's devices publish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceTopic {
    /// The dialect.
    pub dialect: Dialect,
    /// The topic, with the level `{device}` for the device's name, and `+` for an arbitrary level:
    /// `site/bells/{device}/state`. For `Zigbee2MQTT` it is the base topic and `{device}`. 1 to 200 bytes.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 200))]
    pub topic: String,
}

impl Vocabulary {
    /// Maximum number of words.
    pub const WORDS_MAX: usize = 500;
    /// Maximum number of topics.
    pub const TOPICS_MAX: usize = 50;
    /// Maximum length of a word, in characters.
    pub const WORD_MAX: usize = 100;
    /// Maximum length of a topic, in bytes.
    pub const TOPIC_MAX: usize = 200;

    /// The meaning of a device's word at this site: an entry for the device takes precedence over one for all.
    pub fn word(&self, dialect: Dialect, device: &str, word: &str) -> Option<&DeviceWord> {
        if self.words.is_empty() {
            return None;
        }
        let word = word.trim().to_lowercase();
        let said = |known: &&DeviceWord| known.dialect == dialect && known.word.trim().to_lowercase() == word;
        let mut known = self.words.iter().filter(said);
        let of_device = known.clone().find(|known| known.device.as_deref() == Some(device));
        of_device.or_else(|| known.find(|known| known.device.is_none()))
    }
}

impl DeviceTopic {
    /// The placeholder level for the device's name.
    pub const DEVICE: &'static str = "{device}";

    /// The device that publishes on a topic, if the topic matches. For `Zigbee2MQTT` the name may have several levels.
    pub fn device<'t>(&self, topic: &'t str) -> Option<&'t str> {
        let (head, tail) = self.topic.split_once(Self::DEVICE)?;
        let mut rest = topic;
        for wanted in head.split_terminator('/') {
            let (level, after) = rest.split_once('/')?;
            if wanted != "+" && wanted != level {
                return None;
            }
            rest = after;
        }
        if self.dialect == Dialect::Zigbee2mqtt {
            return (!rest.is_empty()).then_some(rest);
        }
        let (device, after) = rest.split_once('/').map_or((rest, None), |(device, after)| (device, Some(after)));
        let is_tail = match (tail.strip_prefix('/'), after) {
            (None, None) => true,
            (Some(tail), Some(after)) => {
                let (mut wanted, mut given) = (tail.split('/'), after.split('/'));
                wanted.by_ref().zip(given.by_ref()).all(|(wanted, level)| wanted == "+" || wanted == level)
                    && tail.split('/').count() == after.split('/').count()
            }
            (None, Some(_)) | (Some(_), None) => false,
        };
        (is_tail && !device.is_empty()).then_some(device)
    }

    /// The MQTT topic filter for a subscription.
    pub fn filter(&self) -> String {
        if self.dialect == Dialect::Zigbee2mqtt {
            return self.topic.replace(Self::DEVICE, "#");
        }
        self.topic.replace(Self::DEVICE, "+")
    }

    /// Whether it is well formed: `{device}` once, in a level of its own (for `Zigbee2MQTT` the last); `+` alone in its
    /// level; no `#`.
    pub fn is_well_formed(&self) -> bool {
        let levels: Vec<&str> = self.topic.split('/').collect();
        let devices = levels.iter().filter(|level| **level == Self::DEVICE).count();
        let plain = |level: &&str| {
            let is_whole = ["+", Self::DEVICE].contains(level);
            is_whole
                || (!level.is_empty() && !level.contains(['+', '#', '{', '}']) && !level.chars().any(char::is_control))
        };
        let is_last = self.dialect != Dialect::Zigbee2mqtt || levels.last() == Some(&Self::DEVICE);
        (1..=Vocabulary::TOPIC_MAX).contains(&self.topic.len()) && devices == 1 && levels.iter().all(plain) && is_last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(dialect: Dialect, topic: &str) -> DeviceTopic {
        DeviceTopic { dialect, topic: topic.to_owned() }
    }

    #[test]
    fn a_topic_names_the_device_where_the_site_says() {
        let bells = topic(Dialect::Plain, "site/+/bells/{device}/state");
        assert_eq!(bells.device("site/deck2/bells/c7/state"), Some("c7"));
        for other in
            ["site/deck2/bells/c7", "site/deck2/bells/c7/state/x", "site/deck2/bell/c7/state", "site/bells", ""]
        {
            assert_eq!(bells.device(other), None, "{other}");
        }
        assert_eq!(bells.filter(), "site/+/bells/+/state");
        assert_eq!(topic(Dialect::Plain, "bells/{device}").device("bells/c7"), Some("c7"));
        assert_eq!(topic(Dialect::Plain, "{device}/bell").device("c7/bell"), Some("c7"));
        let bridge = topic(Dialect::Zigbee2mqtt, "haus/zb/{device}");
        assert_eq!(bridge.device("haus/zb/deck 2/c7/action"), Some("deck 2/c7/action"));
        assert_eq!(bridge.filter(), "haus/zb/#");
    }

    #[test]
    fn a_topic_that_could_take_anything_is_none() {
        for wrong in [
            "",
            "bells",
            "{device}/{device}",
            "a/{device}x",
            "#/{device}",
            "a//{device}",
            "a/b+/{device}",
            "a\n/{device}",
        ] {
            assert!(!topic(Dialect::Plain, wrong).is_well_formed(), "{wrong}");
        }
        assert!(!topic(Dialect::Zigbee2mqtt, "a/{device}/b").is_well_formed());
        assert!(topic(Dialect::Plain, "a/+/{device}/b").is_well_formed());
    }

    #[test]
    fn what_was_said_of_one_device_goes_before_what_was_said_of_all() {
        let word = |device: Option<&str>, key| DeviceWord {
            dialect: Dialect::Zigbee2mqtt,
            word: "Right".to_owned(),
            device: device.map(str::to_owned),
            key,
            kind: PressKind::Single,
            button: None,
        };
        let words = vec![word(None, ButtonKey::Aux1), word(Some("c7"), ButtonKey::Aux2)];
        let vocabulary = Vocabulary { words, topics: Vec::new() };
        let key = |dialect, device, said| vocabulary.word(dialect, device, said).map(|known| known.key);
        assert_eq!(key(Dialect::Zigbee2mqtt, "c7", " right"), Some(ButtonKey::Aux2));
        assert_eq!(key(Dialect::Zigbee2mqtt, "c8", "RIGHT"), Some(ButtonKey::Aux1));
        assert_eq!(key(Dialect::Tasmota, "c7", "right"), None);
        assert_eq!(key(Dialect::Zigbee2mqtt, "c7", "left"), None);
    }

    #[test]
    fn a_dialect_crosses_a_wire_by_its_code() {
        for dialect in Dialect::ALL {
            assert_eq!(serde_json::to_value(dialect).unwrap(), dialect.code());
        }
    }
}
