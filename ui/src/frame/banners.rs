//! What a person must know before anything else on the page: a device that is deaf or can't store, and notices.

use crewbell_core::screen::{Ask, Ears, Notice, StorageState};
use leptos::prelude::*;

use crate::components::{Button, Icon, Look, Picture, Tone};
use crate::locales::{fill, time, words};
use crate::state::state;

/// Everything that is out of the ordinary.
#[component]
pub fn Banners() -> impl IntoView {
    view! {
        <Device/>
        <Notices/>
    }
}

/// A device that can't sound, or can't store.
#[component]
fn Device() -> impl IntoView {
    let state = state();
    let ears = Memo::new(move |_| state.status.with(|status| status.ears.clone()));
    let storage = Memo::new(move |_| state.status.with(|status| status.storage.clone()));
    let w = &words().frame;
    let deaf = move || match ears.get() {
        Ears::Unable { why } => Some(view! {
            <Banner tone=Tone::Alarm icon=Picture::SoundOff title=w.deaf text=fill(w.deaf_why, &[("why", &why)])/>
        }),
        Ears::Unknown | Ears::Able => None,
    };
    let failing = move || match storage.get() {
        StorageState::Failing { full: true, .. } => Some(view! {
            <Banner tone=Tone::Alarm icon=Picture::Alarm title=w.storage_full text=w.storage_full_why/>
        }),
        StorageState::Failing { why, .. } => Some(view! {
            <Banner tone=Tone::Alarm icon=Picture::Alarm title=w.storage_failing
                text=fill(w.storage_why, &[("why", &why)])/>
        }),
        StorageState::Good => None,
    };
    view! {
        {deaf}
        {failing}
    }
}

/// A banner: what is the case, and what to do about it.
#[component]
fn Banner(
    tone: Tone,
    icon: Picture,
    #[prop(into)] title: String,
    #[prop(into)] text: String,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    view! {
        <section class=format!("banner {}", tone.class()) role="alert">
            <Icon of=icon/>
            <div><b>{title}</b><p>{text}</p></div>
            {children.map(|children| view! { <div class="acts">{children()}</div> })}
        </section>
    }
}

/// The notices, each to be put away. Also on the sign-in page: who was signed out by somebody else is told there.
#[component]
pub fn Notices() -> impl IntoView {
    let state = state();
    let notices = Memo::new(move |_| state.status.with(|status| status.notices.clone()));
    let unsent = Memo::new(move |_| state.outbox.with(Vec::len));
    move || {
        let unsent = unsent.get();
        notices.get().into_iter().map(|notice| view! { <OneNotice notice unsent/> }).collect_view()
    }
}

#[component]
fn OneNotice(notice: Notice, unsent: usize) -> impl IntoView {
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
        | Notice::TokenInFile => false,
    };
    let save = move || {
        state.ask_and(Ask::SaveOutbox, move |path: String| {
            saved.try_set(Some(fill(words().frame.saved_as, &[("path", &path)])));
        });
    };
    let put_away = move || state.ask(Ask::PutAway { notice: name.clone() });
    view! {
        <Banner tone=Tone::Info icon=Picture::Note title text>
            <p role="status">{saved}</p>
            <Show when=move || offers_file>
                <Button label=words().frame.save_as_file icon=Picture::Download on_press=save/>
            </Show>
            <Button label=words().common.put_away look=Look::Quiet on_press=put_away/>
        </Banner>
    }
}

/// The notice's name, as [`Ask::PutAway`] wants it.
fn name(notice: &Notice) -> &'static str {
    match notice {
        Notice::Restored { .. } => "restored",
        Notice::Rebuilt { .. } => "rebuilt",
        Notice::Unreadable { .. } => "unreadable",
        Notice::Revoked => "revoked",
        Notice::UpdateNeeded => "update_needed",
        Notice::ClockWrong { .. } => "clock_wrong",
        Notice::TokenInFile => "token_in_file",
    }
}

/// A notice in words: what happened, and what of it concerns the person.
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
        Notice::TokenInFile => (w.token_in_file.to_owned(), String::new()),
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
    fn who_was_signed_out_is_told_what_is_unsent() {
        assert!(said(&Notice::Revoked, 2).1.starts_with("2 unsent changes"));
        assert!(said(&Notice::Revoked, 0).1.is_empty());
    }
}
