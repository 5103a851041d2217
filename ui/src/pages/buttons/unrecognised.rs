//! Unrecognised messages: the device, the reason, the remedy; and the site's vocabulary of words and topics.

use crewbell_core::screen::{Ask, AskError};
use crewbell_shared::button::{UnrecognisedMessage, Vocabulary};
use crewbell_shared::person::Right;
use leptos::prelude::*;

use super::teach::{Lesson, TeachSheet, dialect_name, save, sentence};
use super::title;
use crate::components::{Button, ButtonStyle, Chip, IconName, ListHeader, Tone};
use crate::locales::{Text, fill, names, refusals, time, words};
use crate::state::{AppState, state};

/// The number of messages that are shown at first.
const SHOWN: usize = 20;

/// The list of unrecognised messages, for people with the right to act on them.
#[component]
pub fn Unrecognised() -> impl IntoView {
    let state = state();
    let may = Memo::new(move |_| state.may(Right::AssignButtons));
    view! { <Show when=move || may.get()><List/></Show> }
}

#[component]
fn List() -> impl IntoView {
    let state = state();
    let messages = RwSignal::new(Vec::<UnrecognisedMessage>::new());
    let failed = RwSignal::new(None::<AskError>);
    let shown = RwSignal::new(SHOWN);
    let lesson = RwSignal::new(None::<Lesson>);
    let look = move || {
        state.ask_or(Ask::Unrecognised, move |answer| match answer {
            Ok(found) => {
                messages.try_set(found);
                failed.try_set(None);
            }
            Err(error) => drop(failed.try_set(Some(error))),
        });
    };
    // Loads the messages once, and again whenever the vocabulary changes: they may be recognised then.
    let vocabulary = Memo::new(move |_| vocabulary(state));
    Effect::new(move || {
        vocabulary.track();
        look();
    });
    let count = Memo::new(move |_| messages.with(Vec::len).to_string());
    let more = Memo::new(move |_| messages.with(Vec::len) > shown.get());
    let teach = Callback::new(move |of| lesson.set(Some(of)));
    let rows = move || {
        let shown = shown.get();
        messages.with(|all| all.iter().take(shown).map(|message| row(state, message, teach)).collect_view())
    };
    view! {
        <section class="unrecognised">
            <ListHeader title=words().buttons.unrecognised count/>
            <p class="help">{words().buttons.unrecognised_hint}</p>
            {move || failed.get().map(|error| view! { <p class="wrong-text">{refusals::ask_error(&error)}</p> })}
            <ul class="rows">{rows}</ul>
            <div class="acts">
                <Show when=move || more.get()>
                    <Button label=words().common.show_more on_press=move || shown.update(|shown| *shown += SHOWN)/>
                </Show>
                <Button label=words().settings.refresh look=ButtonStyle::Quiet on_press=look/>
            </div>
            <Known vocabulary/>
        </section>
        {move || lesson.get().map(|of| view! { <TeachSheet of on_close=move || lesson.set(None)/> })}
    }
}

/// The current vocabulary of the site.
fn vocabulary(state: AppState) -> Vocabulary {
    state.sites.find(|site| Some(site.entity.settings.vocabulary.clone())).unwrap_or_default()
}

/// Renders one kind of message: its device, the reason, and the possible action.
fn row(state: AppState, message: &UnrecognisedMessage, teach: Callback<Lesson>) -> impl IntoView + use<> {
    let w = &words().buttons;
    let known = state.buttons.find(|item| (item.entity.device == message.device).then(|| title(state, &item.entity)));
    let who = known.unwrap_or_else(|| message.device.clone());
    let ago = time::ago(message.last_at, state.now.get_untracked());
    let times = fill(w.unrecognised_times, &[("times", &message.times.to_string()), ("ago", &ago)]);
    let sort = message.dialect.map(|dialect| format!(" · {}", dialect_name(dialect))).unwrap_or_default();
    let lesson = Lesson::of(message).filter(|_| state.may(Right::EditSite) && !message.is_known_now);
    let label = match &lesson {
        Some(Lesson::Topic { .. }) => w.teach_topic,
        Some(Lesson::Word { .. }) | None => w.teach_word,
    };
    view! {
        <li class="row unrecognised-row">
            <div class="row-text">
                <b>{who}</b>
                <small>{format!("{}{sort}", message.topic)}</small>
                <span>{why(&message.reason)}</span>
                {message.detail.clone().map(|detail| view! { <small lang="en">{detail}</small> })}
                <code>{message.sample.clone()}</code>
                <small>{times}</small>
                {message.is_known_now.then(|| view! { <Chip text=w.known_now tone=Tone::Mine icon=IconName::Check/> })}
            </div>
            {lesson.map(|lesson| view! {
                <Button label look=ButtonStyle::Go icon=IconName::Button on_press=move || teach.run(lesson.clone())/>
            })}
        </li>
    }
}

/// The words and topics that the site has taught, each with a button that removes it.
#[component]
fn Known(
    /// The vocabulary of the site.
    vocabulary: Memo<Vocabulary>,
) -> impl IntoView {
    let state = state();
    let may = Memo::new(move |_| state.may(Right::EditSite));
    let wrong = RwSignal::new(None::<String>);
    let forget = move |after: Vocabulary| save(state, after, wrong, Callback::new(|()| {}));
    let line = move |text: String, after: Vocabulary| {
        let after = StoredValue::new(after);
        view! {
            <li class="row">
                <span class="row-text">{text}</span>
                <Show when=move || may.get()>
                    <Button label=words().buttons.forget look=ButtonStyle::Quiet on_press=move || forget(after.get_value())/>
                </Show>
            </li>
        }
    };
    let lines = move || {
        vocabulary.with(|all| {
            let words = (0..all.words.len()).map(|place| {
                let mut after = all.clone();
                line(sentence(&after.words.remove(place)), after)
            });
            let topics = (0..all.topics.len()).map(|place| {
                let mut after = all.clone();
                let topic = after.topics.remove(place);
                line(format!("{} · {}", topic.topic, dialect_name(topic.dialect)), after)
            });
            words.chain(topics).collect_view()
        })
    };
    view! {
        <h3>{words().buttons.vocabulary}</h3>
        <p class="help">{words().buttons.vocabulary_hint}</p>
        <ul class="rows">{lines}</ul>
        <p class="wrong" role="alert">{wrong}</p>
    }
}

/// The reason why a message is unrecognised, and the remedy, in words.
fn why(reason: &str) -> String {
    let w = &words().buttons;
    let text: Text = match reason {
        "retained" => w.why_retained,
        "empty_action" => w.why_empty_action,
        "heartbeat" => w.why_heartbeat,
        "not_a_press" => w.why_not_a_press,
        "unknown_topic" => w.why_unknown_topic,
        "unknown_word" => w.why_unknown_word,
        "unknown_shape" => w.why_unknown_shape,
        "damaged" => w.why_damaged,
        "not_utf8" => w.why_not_utf8,
        "not_json" => w.why_not_json,
        "too_large" => w.why_too_large,
        "not_its_own" => w.why_not_its_own,
        "too_many_new" => w.why_too_many_new,
        "wrong_password" => w.why_wrong_password,
        "has_no_password" => w.why_has_no_password,
        "wrong_join_code" => w.why_wrong_join_code,
        "unknown_user_name" => w.why_unknown_user_name,
        "shared_client_id" => w.why_shared_client_id,
        "flood" => w.why_flood,
        "too_many_sorts" => w.why_too_many_sorts,
        "repeats_press_ids" => w.why_repeats_press_ids,
        other => return fill(w.why_other, &[("why", &names::as_words(other))]),
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_said_in_words_with_what_to_do() {
        let listed = [
            "retained",
            "empty_action",
            "heartbeat",
            "not_a_press",
            "unknown_topic",
            "unknown_word",
            "unknown_shape",
            "damaged",
            "not_utf8",
            "not_json",
            "too_large",
            "not_its_own",
            "too_many_new",
            "wrong_password",
            "has_no_password",
            "wrong_join_code",
            "unknown_user_name",
            "shared_client_id",
            "flood",
            "too_many_sorts",
            "repeats_press_ids",
        ];
        let without = |reason| fill(words().buttons.why_other, &[("why", &names::as_words(reason))]);
        for reason in listed {
            assert_ne!(why(reason), without(reason), "{reason} has no sentence");
        }
        assert_eq!(why("of_tomorrow"), without("of_tomorrow"));
    }
}
