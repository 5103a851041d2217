//! Banners for conditions that a person must know about: a device without sound or storage, and notices.
//!
//! On a phone a banner takes a line or two with its action beside, so that the first screen still shows the page; the
//! rest of its text unfolds on a tap.

use crewbell_core::screen::{Ask, AudioOutputStatus, Notice, StorageState};
use leptos::prelude::*;

use crate::components::{Button, ButtonStyle, Icon, IconName, Tone};
use crate::locales::{fill, time, words};
use crate::state::{AppState, state};

/// A condition that a banner shows.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// The device can't play sounds.
    Deaf { why: String },
    /// The device can't store data.
    Failing { why: String, full: bool },
    /// A notice of the core.
    Notice(Notice),
}

impl News {
    /// The identity of the condition, regardless of its details.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Deaf { .. } => "deaf",
            Self::Failing { .. } => "failing",
            Self::Notice(notice) => name(notice),
        }
    }
}

/// All current conditions, the worst first.
pub fn news(state: AppState) -> Vec<News> {
    state.status.with(|status| {
        let deaf = match &status.ears {
            AudioOutputStatus::Unable { why } => Some(News::Deaf { why: why.clone() }),
            AudioOutputStatus::Unknown | AudioOutputStatus::Able => None,
        };
        let failing = match &status.storage {
            StorageState::Failing { why, full } => Some(News::Failing { why: why.clone(), full: *full }),
            StorageState::Good => None,
        };
        let notices = status.notices.iter().cloned().map(News::Notice);
        deaf.into_iter().chain(failing).chain(notices).collect()
    })
}

/// Renders a banner for each condition.
#[component]
pub fn Banners(
    /// The conditions.
    news: Memo<Vec<News>>,
    /// Called when one is dismissed.
    #[prop(into)]
    on_put_away: Callback<()>,
) -> impl IntoView {
    let w = &words().frame;
    let unsent = unsent();
    let one = move |news| match news {
        News::Deaf { why } => view! {
            <Banner tone=Tone::Alarm icon=IconName::SoundOff title=w.deaf text=fill(w.deaf_why, &[("why", &why)])/>
        }
        .into_any(),
        News::Failing { full: true, .. } => view! {
            <Banner tone=Tone::Alarm icon=IconName::Alarm title=w.storage_full text=w.storage_full_why/>
        }
        .into_any(),
        News::Failing { why, full: false } => view! {
            <Banner tone=Tone::Alarm icon=IconName::Alarm title=w.storage_failing
                text=fill(w.storage_why, &[("why", &why)])/>
        }
        .into_any(),
        News::Notice(notice) => view! { <OneNotice notice unsent=unsent.get() on_put_away/> }.into_any(),
    };
    move || news.get().into_iter().map(one).collect_view()
}

/// The notices alone, for the sign-in page: a person whose session was revoked gets the explanation there.
#[component]
pub fn Notices() -> impl IntoView {
    let state = state();
    let notices = Memo::new(move |_| state.status.with(|status| status.notices.clone()));
    let unsent = unsent();
    move || {
        let unsent = unsent.get();
        let one = |notice| view! { <OneNotice notice unsent on_put_away=|| ()/> };
        notices.get().into_iter().map(one).collect_view()
    }
}

/// The number of items in the outbox.
fn unsent() -> Memo<usize> {
    let state = state();
    Memo::new(move |_| state.outbox.with(Vec::len))
}

/// A banner: the condition, and what to do about it.
#[component]
fn Banner(
    tone: Tone,
    icon: IconName,
    #[prop(into)] title: String,
    #[prop(into)] text: String,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let unfolded = RwSignal::new(false);
    let folds = folds(&title, &text);
    view! {
        <section class=format!("banner {}", tone.class()) class:unfolded=unfolded role="alert">
            <Icon of=icon/>
            <div><b>{title}</b><p>{text}</p></div>
            {folds.then(|| view! {
                <button type="button" class="button icon-only unfold" title=words().common.show_more
                    aria-label=words().common.show_more aria-expanded=move || unfolded.get().to_string()
                    on:click=move |_| unfolded.update(|unfolded| *unfolded = !*unfolded)>
                    <Icon of=IconName::Down/>
                </button>
            })}
            {children.map(|children| view! { <div class="acts">{children()}</div> })}
        </section>
    }
}

/// The minimum number of characters of a title that fit into two lines on a phone.
const TWO_LINES: usize = 40;

/// Whether a banner has more text than a phone shows at first.
fn folds(title: &str, text: &str) -> bool {
    !text.is_empty() || title.chars().count() > TWO_LINES
}

#[component]
fn OneNotice(notice: Notice, unsent: usize, #[prop(into)] on_put_away: Callback<()>) -> impl IntoView {
    let state = state();
    let saved = RwSignal::new(None::<String>);
    let name = name(&notice).to_owned();
    let (title, text) = said(&notice, unsent);
    let offers_file = match notice {
        Notice::Revoked => unsent > 0,
        Notice::Unreadable { .. } => true,
        Notice::Restored { .. }
        | Notice::Rebuilt { .. }
        | Notice::UpdateNeeded
        | Notice::ClockWrong { .. }
        | Notice::TokenInFile
        | Notice::WrongPins { .. }
        | Notice::NoCalls
        | Notice::PlainWindow => false,
    };
    let save = move || {
        state.ask_and(Ask::SaveOutbox, move |path: String| {
            saved.try_set(Some(fill(words().frame.saved_as, &[("path", &path)])));
        });
    };
    let put_away = move || {
        on_put_away.run(());
        state.ask(Ask::PutAway { notice: name.clone() });
    };
    view! {
        <Banner tone=Tone::Info icon=IconName::Note title text>
            <p role="status">{saved}</p>
            <Show when=move || offers_file>
                <Button label=words().frame.save_as_file icon=IconName::Download on_press=save/>
            </Show>
            <Button label=words().common.put_away look=ButtonStyle::Quiet on_press=put_away/>
        </Banner>
    }
}

/// The name of a notice for [`Ask::PutAway`].
fn name(notice: &Notice) -> &'static str {
    match notice {
        Notice::Restored { .. } => "restored",
        Notice::Rebuilt { .. } => "rebuilt",
        Notice::Unreadable { .. } => "unreadable",
        Notice::Revoked => "revoked",
        Notice::UpdateNeeded => "update_needed",
        Notice::ClockWrong { .. } => "clock_wrong",
        Notice::TokenInFile => "token_in_file",
        Notice::WrongPins { .. } => "wrong_pins",
        Notice::NoCalls => "no_calls",
        Notice::PlainWindow => "plain_window",
    }
}

/// A notice in words: what happened, and the consequences for the person.
fn said(notice: &Notice, unsent: usize) -> (String, String) {
    let w = &words().frame;
    let more = |count: u32, plural: crate::locales::Plural| if count > 0 { plural.say(count) } else { String::new() };
    match notice {
        Notice::Restored { resent } => (w.restored.to_owned(), more(*resent, w.resent)),
        Notice::Rebuilt { saved } => (w.rebuilt.to_owned(), more(*saved, w.rebuilt_saved)),
        Notice::Unreadable { count } => (w.unreadable.say(*count), w.unreadable_why.to_owned()),
        Notice::Revoked => (w.revoked.to_owned(), more(u32::try_from(unsent).unwrap_or(u32::MAX), w.revoked_unsent)),
        Notice::UpdateNeeded => (w.update_needed.to_owned(), String::new()),
        Notice::ClockWrong { by_s } => (fill(w.clock_wrong, &[("span", &time::span(*by_s))]), String::new()),
        Notice::TokenInFile => (w.token_in_file.to_owned(), w.token_in_file_why.to_owned()),
        Notice::WrongPins { who, times } => {
            let title = who.as_ref().map_or(w.wrong_pins_site.to_owned(), |who| fill(w.wrong_pins, &[("who", who)]));
            (title, fill(w.wrong_pins_why, &[("n", &times.to_string())]))
        }
        Notice::NoCalls => (w.no_calls.to_owned(), w.no_calls_why.to_owned()),
        Notice::PlainWindow => (w.plain_window.to_owned(), w.plain_window_why.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_put_away_by_the_name_that_it_has_on_the_wire() {
        let notices = [
            Notice::Restored { resent: 1 },
            Notice::Rebuilt { saved: 1 },
            Notice::Unreadable { count: 1 },
            Notice::Revoked,
            Notice::UpdateNeeded,
            Notice::ClockWrong { by_s: -7200 },
            Notice::TokenInFile,
            Notice::WrongPins { who: None, times: 5 },
            Notice::NoCalls,
            Notice::PlainWindow,
        ];
        for notice in notices {
            let wire = serde_json::to_value(&notice).unwrap();
            let variant = wire.as_object().and_then(|notice| notice.keys().next().map(String::as_str));
            assert_eq!(wire.as_str().or(variant), Some(name(&notice)));
        }
    }

    #[test]
    fn what_cant_be_read_is_counted_and_said_to_be_kept() {
        let (title, text) = said(&Notice::Unreadable { count: 2 }, 0);
        assert!(title.starts_with("2 changes") && text.contains("file"), "{title} {text}");
    }

    #[test]
    fn what_two_lines_have_no_room_for_is_behind_a_tap() {
        assert!(!folds("The server is newer", ""));
        assert!(folds("The server is newer", "Update the app."));
        assert!(folds(&"x".repeat(TWO_LINES + 1), ""));
    }

    #[test]
    fn who_was_signed_out_is_told_what_is_unsent() {
        assert!(said(&Notice::Revoked, 2).1.starts_with("2 unsent changes"));
        assert!(said(&Notice::Revoked, 0).1.is_empty());
    }
}
