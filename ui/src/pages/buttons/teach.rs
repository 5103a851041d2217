//! Teaching the meaning of a device's word or topic: one sheet adds it to the site's vocabulary.

use crewbell_shared::button::{
    ButtonKey, DeviceTopic, DeviceWord, Dialect, PressKind, UnrecognisedMessage, Vocabulary,
};
use crewbell_shared::protocol::Verb;
use crewbell_shared::site::SiteSettings;
use crewbell_shared::site::SiteVerb;
use leptos::prelude::*;

use crate::components::{Button, ButtonStyle, Field, IconName, Select, Sheet};
use crate::locales::{Text, fill, names, refusals, words};
use crate::state::{AppState, state};

/// The option value for every device, where one device may be chosen.
const EVERY: &str = "every";

/// The missing meaning of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lesson {
    /// The press that a word stands for.
    Word {
        /// The dialect of the device.
        dialect: Dialect,
        /// The device that sent it.
        device: String,
        /// The word.
        word: String,
    },
    /// The dialect of a topic, and the topic level that names the device.
    Topic {
        /// The topic, as received.
        topic: String,
    },
}

impl Lesson {
    /// The meaning that a message lacks, if nothing else is missing.
    pub fn of(message: &UnrecognisedMessage) -> Option<Self> {
        let UnrecognisedMessage { dialect, word, device, topic, reason, .. } = message;
        match (dialect, word) {
            (Some(dialect), Some(word)) => {
                Some(Self::Word { dialect: *dialect, device: device.clone(), word: word.clone() })
            }
            (None, _) if reason == "unknown_topic" && !topic.is_empty() => Some(Self::Topic { topic: topic.clone() }),
            (None | Some(_), _) => None,
        }
    }
}

/// The sheet that asks for the meaning of a word or a topic.
#[component]
pub fn TeachSheet(
    /// The missing meaning.
    of: Lesson,
    /// Called when the sheet closes.
    #[prop(into)]
    on_close: Callback<()>,
) -> impl IntoView {
    match of {
        Lesson::Word { dialect, device, word } => view! { <WordSheet dialect device word on_close/> }.into_any(),
        Lesson::Topic { topic } => view! { <TopicSheet topic on_close/> }.into_any(),
    }
}

#[component]
fn WordSheet(dialect: Dialect, device: String, word: String, on_close: Callback<()>) -> impl IntoView {
    let state = state();
    let w = &words().buttons;
    // A radio button's code identifies the button: the receiver of the code says nothing about its place.
    let is_code = dialect == Dialect::Openmqttgateway;
    let key = RwSignal::new(ButtonKey::Main.as_str().to_owned());
    let kind = RwSignal::new(PressKind::Single.as_str().to_owned());
    let scope = RwSignal::new(if is_code { EVERY.to_owned() } else { String::new() });
    let button = RwSignal::new(String::new());
    let wrong = RwSignal::new(None::<String>);
    let keys: Vec<_> = ButtonKey::ALL.map(|key| (key.as_str().to_owned(), names::key(key))).to_vec();
    let kinds: Vec<_> = PressKind::ALL.map(|kind| (kind.as_str().to_owned(), kind_name(kind).to_owned())).to_vec();
    let scopes = vec![
        (String::new(), fill(w.teach_only, &[("device", &device)])),
        (EVERY.to_owned(), fill(w.teach_every, &[("sort", dialect_name(dialect))])),
    ];
    let heading = fill(w.teach_title, &[("word", &word)]);
    let teach = move || {
        let chosen_key = key.with_untracked(|name| ButtonKey::ALL.into_iter().find(|key| key.as_str() == name));
        let chosen_kind = kind.with_untracked(|name| PressKind::ALL.into_iter().find(|kind| kind.as_str() == name));
        let button = button.with_untracked(|name| name.trim().to_owned());
        let taught = DeviceWord {
            dialect,
            word: word.clone(),
            device: scope.with_untracked(|scope| scope != EVERY).then(|| device.clone()),
            key: chosen_key.unwrap_or(ButtonKey::Main),
            kind: chosen_kind.unwrap_or(PressKind::Single),
            button: (!button.is_empty()).then_some(button),
        };
        save(state, with_word(settings(state).vocabulary, taught), wrong, on_close);
    };
    view! {
        <Sheet title=heading on_close>
            <Select label=w.teach_key value=key options=keys/>
            <Select label=w.teach_kind value=kind options=kinds/>
            {if is_code {
                view! { <Field label=w.teach_button value=button hint=w.teach_button_hint/> }.into_any()
            } else {
                view! { <Select label=w.teach_scope value=scope options=scopes/> }.into_any()
            }}
            <p class="wrong" role="alert">{wrong}</p>
            <div class="acts sheet-foot">
                <Button label=w.teach_save look=ButtonStyle::Go icon=IconName::Check on_press=teach/>
            </div>
        </Sheet>
    }
}

#[component]
fn TopicSheet(topic: String, on_close: Callback<()>) -> impl IntoView {
    let state = state();
    let w = &words().buttons;
    let typed = RwSignal::new(topic);
    let sort = RwSignal::new(Dialect::Plain.code().to_owned());
    let wrong = RwSignal::new(None::<String>);
    let sorts: Vec<_> =
        Dialect::ALL.map(|dialect| (dialect.code().to_owned(), dialect_name(dialect).to_owned())).to_vec();
    let teach = move || {
        let dialect = sort.with_untracked(|code| Dialect::ALL.into_iter().find(|dialect| dialect.code() == code));
        let topic = typed.with_untracked(|topic| topic.trim().to_owned());
        let taught = DeviceTopic { dialect: dialect.unwrap_or(Dialect::Plain), topic };
        if taught.is_well_formed() {
            let mut vocabulary = settings(state).vocabulary;
            vocabulary.topics.retain(|known| *known != taught);
            vocabulary.topics.push(taught);
            save(state, vocabulary, wrong, on_close);
        } else {
            wrong.set(Some(words().buttons.topic_wrong.to_owned()));
        }
    };
    view! {
        <Sheet title=w.topic_title.to_owned() on_close>
            <Field label=w.topic_field value=typed hint=w.topic_hint wrong/>
            <Select label=w.topic_sort value=sort options=sorts/>
            <div class="acts sheet-foot">
                <Button label=w.teach_save look=ButtonStyle::Go icon=IconName::Check on_press=teach/>
            </div>
        </Sheet>
    }
}

fn settings(state: AppState) -> SiteSettings {
    untrack(|| state.sites.find(|site| Some(site.entity.settings.clone()))).unwrap_or_default()
}

/// Saves the site's settings with another vocabulary, or shows the error.
pub fn save(state: AppState, vocabulary: Vocabulary, wrong: RwSignal<Option<String>>, on_done: Callback<()>) {
    let settings = SiteSettings { vocabulary, ..settings(state) };
    state.act_or(Verb::Site(SiteVerb::SaveSettings { settings }), move |answer| match answer {
        Ok(()) => on_done.run(()),
        Err(error) => drop(wrong.try_set(Some(refusals::ask_error(&error)))),
    });
}

/// Adds a word and removes its previous meaning, as a word has only one.
fn with_word(before: Vocabulary, taught: DeviceWord) -> Vocabulary {
    let is_same = |known: &DeviceWord| {
        let same_word = known.word.trim().to_lowercase() == taught.word.trim().to_lowercase();
        same_word && known.dialect == taught.dialect && known.device == taught.device
    };
    let mut words: Vec<_> = before.words.into_iter().filter(|known| !is_same(known)).collect();
    words.push(taught);
    Vocabulary { words, ..before }
}

/// The meaning of a word as a sentence.
pub fn sentence(word: &DeviceWord) -> String {
    let w = &words().buttons;
    let who = match (&word.button, &word.device) {
        (Some(button), _) => button.as_str(),
        (None, Some(device)) => device.as_str(),
        (None, None) => dialect_name(word.dialect),
    };
    let (key, kind) = (names::key(word.key), kind_name(word.kind));
    fill(w.word_is, &[("word", &word.word), ("who", who), ("key", &key), ("kind", kind)])
}

fn kind_name(kind: PressKind) -> Text {
    let w = &words().buttons;
    match kind {
        PressKind::Single => w.kind_single,
        PressKind::Double => w.kind_double,
        PressKind::Long => w.kind_long,
        PressKind::Shake => w.kind_shake,
        PressKind::Emergency => w.kind_emergency,
    }
}

/// The name of a dialect.
pub fn dialect_name(dialect: Dialect) -> Text {
    match dialect {
        Dialect::Crewbell => "Crewbell",
        Dialect::Original => "Obedio",
        Dialect::Tasmota => "Tasmota",
        Dialect::Shelly => "Shelly",
        Dialect::Zigbee2mqtt => "Zigbee2MQTT",
        Dialect::Chirpstack => "ChirpStack",
        Dialect::ThingsStack => "The Things Stack",
        Dialect::Thingpark => "ThingPark",
        Dialect::Openmqttgateway => "OpenMQTTGateway",
        Dialect::Plain => words().buttons.sort_plain,
    }
}

#[cfg(test)]
mod tests {
    use crewbell_shared::testing::at;

    use super::*;

    fn message(reason: &str, dialect: Option<Dialect>, word: Option<&str>) -> UnrecognisedMessage {
        UnrecognisedMessage {
            device: "cabin-7".into(),
            reason: reason.into(),
            detail: None,
            remedy: String::new(),
            dialect,
            word: word.map(str::to_owned),
            is_known_now: false,
            topic: "zigbee2mqtt/cabin-7".into(),
            sample: String::new(),
            times: 1,
            last_at: at(0),
        }
    }

    #[test]
    fn only_a_word_or_a_topic_that_is_missing_can_be_taught() {
        let word = message("unknown_word", Some(Dialect::Zigbee2mqtt), Some("open"));
        let expected = Lesson::Word { dialect: Dialect::Zigbee2mqtt, device: "cabin-7".into(), word: "open".into() };
        assert_eq!(Lesson::of(&word), Some(expected));
        let topic = Lesson::Topic { topic: "zigbee2mqtt/cabin-7".into() };
        assert_eq!(Lesson::of(&message("unknown_topic", None, None)), Some(topic));
        for reason in ["damaged", "retained", "not_json"] {
            assert_eq!(Lesson::of(&message(reason, Some(Dialect::Original), None)), None);
        }
    }

    #[test]
    fn a_word_that_is_taught_again_means_the_new_thing() {
        let word = |word: &str, key| DeviceWord {
            dialect: Dialect::Tasmota,
            word: word.into(),
            device: None,
            key,
            kind: PressKind::Single,
            button: None,
        };
        let once = with_word(Vocabulary::default(), word("Switch1", ButtonKey::Main));
        let other = with_word(once, word("Switch2", ButtonKey::Main));
        let again = with_word(other, word(" switch1", ButtonKey::Aux1));
        assert_eq!(again.words.iter().map(|word| word.key).collect::<Vec<_>>(), [ButtonKey::Main, ButtonKey::Aux1]);
        assert_eq!(sentence(&again.words[0]), "“Switch2” of Tasmota: Large key, once");
    }
}
