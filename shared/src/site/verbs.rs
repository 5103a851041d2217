//! The site's verb and its rule: the settings.

use std::ops::RangeInclusive;

use super::{Site, SiteSettings};
use crate::Refusal;
use crate::button::{DeviceTopic, DeviceWord, Vocabulary};
use crate::person::Right;
use crate::protocol::{VerbMeta, VerbSet, object, verbs};
use crate::rules::{Change, Decision, DecisionContext, name};

verbs! {
    /// The operations on the site.
    pub enum SiteVerb {
        /// Changes the site's settings.
        SaveSettings = "save_settings" {
            /// All settings.
            #[serde(deserialize_with = "object")]
            settings: SiteSettings,
        }
    }
}

impl VerbSet for SiteVerb {
    fn meta(&self) -> VerbMeta {
        match self {
            Self::SaveSettings { .. } => VerbMeta::default().by(Right::EditSite),
        }
    }

    fn decide(&self, ctx: &DecisionContext<'_>) -> Decision {
        match self {
            Self::SaveSettings { settings } => ctx.save_settings(settings),
        }
    }
}

impl DecisionContext<'_> {
    /// Changes the site's settings.
    pub fn save_settings(&self, settings: &SiteSettings) -> Decision {
        within("press_window_s", settings.press_window_s, &SiteSettings::PRESS_WINDOW_S, "seconds")?;
        within("retention_days", settings.retention_days, &SiteSettings::RETENTION_DAYS, "days")?;
        within("ring_time_s", settings.ring_time_s, &SiteSettings::RING_TIME_S, "seconds")?;
        within("session_days", settings.session_days, &SiteSettings::SESSION_DAYS, "days")?;
        within("closed_days", settings.closed_days, &SiteSettings::CLOSED_DAYS, "days")?;
        if !is_zone_name(&settings.time_zone) {
            return Err(Refusal::invalid("time_zone", "A time zone has a name such as Europe/Zagreb."));
        }
        for (place, service) in settings.services.iter().enumerate() {
            name("services", &service.code)?;
            if settings.services[..place].iter().any(|other| other.key == service.key) {
                return Err(Refusal::invalid("services", "A key has one service."));
            }
        }
        vocabulary(&settings.vocabulary)?;
        let before = self.view.site();
        let site = Site { settings: settings.clone(), ..before.clone() };
        Ok(if site == *before { Vec::new() } else { vec![Change::new(site, "settings_changed")] })
    }
}

/// Checks the vocabulary: words and topics are short, few and unique.
fn vocabulary(vocabulary: &Vocabulary) -> Result<(), Refusal> {
    let too_many = |most: usize| Refusal::invalid("vocabulary", format!("At most {most}.")).with("limit", &most);
    if vocabulary.words.len() > Vocabulary::WORDS_MAX {
        return Err(too_many(Vocabulary::WORDS_MAX));
    }
    if vocabulary.topics.len() > Vocabulary::TOPICS_MAX {
        return Err(too_many(Vocabulary::TOPICS_MAX));
    }
    let is_device =
        |name: &Option<String>| name.as_ref().is_none_or(|name| matches!(name.len(), 1..=64) && is_plain(name));
    for (place, known) in vocabulary.words.iter().enumerate() {
        let fits = !known.word.trim().is_empty() && known.word.chars().count() <= Vocabulary::WORD_MAX;
        if !fits || !is_plain(&known.word) || !is_device(&known.device) || !is_device(&known.button) {
            return Err(Refusal::invalid("vocabulary", "A word has 1 to 100 characters, a device 1 to 64 bytes."));
        }
        let is_same = |other: &DeviceWord| {
            let same_word = other.word.trim().to_lowercase() == known.word.trim().to_lowercase();
            same_word && other.dialect == known.dialect && other.device == known.device
        };
        if vocabulary.words[..place].iter().any(is_same) {
            return Err(Refusal::invalid("vocabulary", "A word has one meaning."));
        }
    }
    if !vocabulary.topics.iter().all(DeviceTopic::is_well_formed) {
        return Err(Refusal::invalid(
            "vocabulary",
            "A topic has one level {device}, at Zigbee2MQTT the last, and no #.",
        ));
    }
    Ok(())
}

fn is_plain(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

fn within(field: &str, number: u32, range: &RangeInclusive<u32>, unit: &str) -> Result<(), Refusal> {
    if range.contains(&number) {
        return Ok(());
    }
    let (least, most) = (range.start(), range.end());
    Err(Refusal::invalid(field, format!("{least} to {most} {unit}.")).with("limit", most))
}

/// Whether a text has the form of a time zone name (the tz database's rules for names). Whether the zone exists is
/// checked by the server, which has the database.
fn is_zone_name(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+'))
    };
    text.len() <= 64 && text.split('/').all(part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Yacht, alex, at, by};

    fn save(settings: &SiteSettings) -> Decision {
        DecisionContext { view: &Yacht::default(), actor: &by(&alex()), at: at(60) }.save_settings(settings)
    }

    #[test]
    fn settings_that_are_so_already_change_nothing() {
        assert_eq!(save(&SiteSettings::default()), Ok(Vec::new()));
        let changes = save(&SiteSettings {
            press_window_s: 600,
            retention_days: 3650,
            ring_time_s: 300,
            session_days: 3650,
            closed_days: 90,
            time_zone: "America/Argentina/Buenos_Aires".into(),
            services: Vec::new(),
            vocabulary: Vocabulary::default(),
        })
        .unwrap();
        assert_eq!(changes.iter().map(|change| change.kind).collect::<Vec<_>>(), ["settings_changed"]);
    }

    #[test]
    fn settings_have_their_limits() {
        let field = |settings: &SiteSettings| save(settings).unwrap_err().details["field"].clone();
        let usual = SiteSettings::default();
        assert_eq!(field(&SiteSettings { press_window_s: 601, ..usual.clone() }), "press_window_s");
        assert_eq!(field(&SiteSettings { retention_days: 3651, ..usual.clone() }), "retention_days");
        for ring_time_s in [9, 301] {
            assert_eq!(field(&SiteSettings { ring_time_s, ..usual.clone() }), "ring_time_s");
        }
        assert_eq!(field(&SiteSettings { session_days: 3651, ..usual.clone() }), "session_days");
        for closed_days in [0, 91] {
            assert_eq!(field(&SiteSettings { closed_days, ..usual.clone() }), "closed_days");
        }
        for time_zone in ["", "Europe/", "../etc/passwd", "Europe/Zagreb\0", "ship's time"] {
            assert_eq!(field(&SiteSettings { time_zone: time_zone.into(), ..usual.clone() }), "time_zone");
        }
        let twice = [usual.services.clone(), usual.services.clone()].concat();
        assert_eq!(field(&SiteSettings { services: twice, ..usual.clone() }), "services");
        let mut unnamed = usual;
        unnamed.services[0].code = " ".into();
        assert_eq!(field(&unnamed), "services");
    }
    #[test]
    fn a_vocabulary_says_each_word_once_and_takes_no_topic_for_all() {
        use crate::button::{ButtonKey, Dialect, PressKind};
        let word = |word: &str, device: Option<&str>| DeviceWord {
            dialect: Dialect::Tasmota,
            word: word.to_owned(),
            device: device.map(str::to_owned),
            key: ButtonKey::Aux1,
            kind: PressKind::Single,
            button: None,
        };
        let save = |words: Vec<DeviceWord>, topics: Vec<DeviceTopic>| {
            save(&SiteSettings { vocabulary: Vocabulary { words, topics }, ..SiteSettings::default() })
                .map(|changes| changes.len())
        };
        assert_eq!(save(vec![word("Switch1", None), word("Switch1", Some("c7"))], Vec::new()), Ok(1));
        let topic = |topic: &str| vec![DeviceTopic { dialect: Dialect::Plain, topic: topic.to_owned() }];
        assert_eq!(save(Vec::new(), topic("bells/{device}")), Ok(1));
        let long = "x".repeat(101);
        for words in [
            vec![word("a", None), word(" A", None)],
            vec![word(" ", None)],
            vec![word(&long, None)],
            vec![word("a\0", None)],
            vec![word("a", Some(""))],
            (0..501).map(|n| word(&n.to_string(), None)).collect(),
        ] {
            assert_eq!(save(words, Vec::new()).unwrap_err().details["field"], "vocabulary");
        }
        for wrong in ["#", "bells", "bells/{device}/#"] {
            assert_eq!(save(Vec::new(), topic(wrong)).unwrap_err().details["field"], "vocabulary");
        }
    }
}
