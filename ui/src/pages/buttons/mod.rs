//! The buttons page: their health, and their places.
//!
//! - `health` the attention that each needs, and its health in words; `heard` the button that sends at this moment
//! - `row` one button; `sheet` its health in full, and its actions
//! - `unrecognised` unrecognised messages; `teach` the meaning of a word or a topic at this site

mod health;
mod heard;
mod row;
mod sheet;
mod teach;
mod unrecognised;

use crewbell_shared::button::Button as Device;
use crewbell_shared::ids::ButtonId;
use crewbell_shared::person::Right;
use leptos::prelude::*;

use crate::components::{Button, ButtonStyle, Calm, Empty, Icon, IconName, ListHeader, Search};
use crate::locales::{fill, words};
use crate::pages::Info;
use crate::route::{Page, Route, go, leave};
use crate::state::{AppState, state};

pub use health::trouble;
use health::{Care, care};
use heard::Heard;
use row::{ButtonRow, title};
use sheet::{AddSheet, ButtonSheet};
use unrecognised::Unrecognised;

/// The page's [`Info`].
pub const INFO: Info = Info { title: |words| words.buttons.title, icon: IconName::Button, right: None };

/// The number of rows of each group that are shown at first.
const SHOWN: usize = 100;
/// Number of buttons up to which no search field is shown.
const GLANCE: usize = 12;

/// The buttons page; buttons that need attention come first.
#[component]
pub fn Buttons() -> impl IntoView {
    let state = state();
    let calm = Calm::new();
    let heard = Heard::follow(state);
    let looked_for = RwSignal::new(String::new());
    let adds = RwSignal::new(false);
    let all = calm.keep(Memo::new(move |_| looked_for.with(|words| sorted(state, words))));
    let none = Memo::new(move |_| state.buttons.list(|_| Some(())).is_empty());
    let many = Memo::new(move |_| state.buttons.list(|_| Some(())).len() > GLANCE);
    let nothing = Memo::new(move |_| !none.get() && all.with(Vec::is_empty));
    let part = move |wanted: fn(Care) -> bool| {
        Memo::new(move |_| {
            all.with(|all| all.iter().filter(|(is, _)| wanted(*is)).map(|(_, id)| *id).collect::<Vec<_>>())
        })
    };
    let new = part(|care| care == Care::Place);
    let attention = part(|care| matches!(care, Care::Search | Care::Charge));
    let fine = part(|care| care == Care::Nothing);
    let retired = part(|care| care == Care::Retired);
    let open = Memo::new(move |_| {
        let at = state.route.get();
        at.id.filter(|_| at.page == Page::Buttons).map(ButtonId)
    });
    let on_open = move |id: ButtonId| go(Route::about(Page::Buttons, id.0));
    let close = move || leave(Page::Buttons);
    view! {
        <Show when=move || none.get()>
            <Empty icon=IconName::Button title=words().buttons.empty text=words().buttons.empty_hint/>
        </Show>
        <Show when=move || !none.get()><InHand heard/></Show>
        <div class="device-bar">
            <Show when=move || many.get()><Search value=looked_for name=words().buttons.search/></Show>
            <Show when=move || state.may(Right::AssignButtons)>
                <Button label=words().buttons.add icon=IconName::Plus on_press=move || adds.set(true)/>
            </Show>
        </div>
        <Show when=move || nothing.get()><Empty icon=IconName::Search title=words().common.nothing_found/></Show>
        <div class="device-lists" on:pointerdown=move |_| calm.pressed()>
            <Part title=words().buttons.new hint=words().buttons.new_hint ids=new heard on_open/>
            <Part title=words().buttons.attention ids=attention heard on_open/>
            <Part title=words().buttons.fine ids=fine heard on_open/>
            <Part title=words().buttons.retired ids=retired heard on_open/>
            <Unrecognised/>
        </div>
        {move || open.get().map(|id| view! { <ButtonSheet id on_close=close/> })}
        <Show when=move || adds.get()><AddSheet on_close=move || adds.set(false)/></Show>
    }
}

/// The buttons whose name, number or place contains the words: those that need attention first, then by name.
fn sorted(state: AppState, words: &str) -> Vec<(Care, ButtonId)> {
    let words = words.trim().to_lowercase();
    let all = state.buttons.list(|item| Some(item.entity.clone()));
    let titled = all.into_iter().map(|button| (title(state, &button), button));
    by_care(titled.filter(|(title, button)| has(title, button, &words)).collect())
}

fn has(title: &str, button: &Device, words: &str) -> bool {
    title.to_lowercase().contains(words) || button.device.to_lowercase().contains(words)
}

fn by_care(mut titled: Vec<(String, Device)>) -> Vec<(Care, ButtonId)> {
    titled.sort_by_cached_key(|(title, button)| (care(button), natural(title), button.device.clone()));
    titled.iter().map(|(_, button)| (care(button), button.id)).collect()
}

/// A sort key with natural order, so that "Cabin 2" comes before "Cabin 10".
fn natural(name: &str) -> Vec<(u64, String)> {
    let part = |word: &str| match word.parse::<u64>() {
        Ok(number) => (number, String::new()),
        Err(_) => (0, word.to_lowercase()),
    };
    name.split_whitespace().map(part).collect()
}

/// A hint to press a button, replaced by the button that was pressed. It changes in place and moves nothing.
#[component]
fn InHand(heard: Heard) -> impl IntoView {
    let state = state();
    let last = Memo::new(move |_| heard.last.get().and_then(|id| state.buttons.get(id)).map(|item| item.entity));
    let text = move || match last.get() {
        Some(button) => {
            let what = format!("{} · {}", title(state, &button), button.device);
            fill(words().buttons.just_heard, &[("what", &what)])
        }
        None => words().buttons.in_hand.to_owned(),
    };
    let show = move || {
        if let Some(id) = heard.last.get_untracked() {
            go(Route::about(Page::Buttons, id.0));
        }
    };
    view! {
        <div class="in-hand" class:lit=move || heard.last.get().is_some_and(|id| heard.is_lit(id)) role="status">
            <Icon of=IconName::Hand/>
            <span>{text}</span>
            <Show when=move || last.with(Option::is_some)>
                <Button label=words().buttons.show look=ButtonStyle::Quiet on_press=show/>
            </Show>
        </div>
    }
}

/// A group of buttons; renders nothing if it is empty.
#[component]
fn Part(
    /// The title.
    title: &'static str,
    /// An explanation of the title.
    #[prop(optional)]
    hint: Option<&'static str>,
    /// The buttons.
    ids: Memo<Vec<ButtonId>>,
    /// The buttons that have just sent.
    heard: Heard,
    /// Called when a row is pressed on the screen.
    #[prop(into)]
    on_open: Callback<ButtonId>,
) -> impl IntoView {
    let shown = RwSignal::new(SHOWN);
    let count = Memo::new(move |_| ids.with(Vec::len).to_string());
    let first = Memo::new(move |_| ids.with(|ids| ids.iter().take(shown.get()).copied().collect::<Vec<_>>()));
    let more = Memo::new(move |_| ids.with(Vec::len) > shown.get());
    view! {
        <Show when=move || ids.with(|ids| !ids.is_empty())>
            <section>
                <ListHeader title count/>
                {hint.map(|hint| view! { <p class="help">{hint}</p> })}
                <ul class="rows">
                    <For each=move || first.get() key=|id| *id let:id><ButtonRow id heard on_open/></For>
                </ul>
                <Show when=move || more.get()>
                    <Button label=words().common.show_more on_press=move || shown.update(|shown| *shown += SHOWN)/>
                </Show>
            </section>
        </Show>
    }
}

#[cfg(test)]
mod tests {
    use crewbell_shared::button::{ButtonState, Health};
    use crewbell_shared::testing::{button, id};

    use super::*;

    fn titled(title: &str, number: u128, button: Device) -> (String, Device) {
        (title.to_owned(), Device { id: id(number), ..button })
    }

    #[test]
    fn what_needs_attention_comes_first_and_the_rest_as_people_count() {
        let lost = Device { health: Health { online: Some(false), ..Health::default() }, ..button() };
        let new = Device { state: ButtonState::New, place_id: None, ..button() };
        let all = vec![
            titled("Cabin 10", 1, button()),
            titled("Cabin 2", 2, button()),
            titled("Saloon", 3, lost),
            titled("a-new-one", 4, new),
        ];
        let order: Vec<ButtonId> = by_care(all).into_iter().map(|(_, id)| id).collect();
        assert_eq!(order, [4, 3, 2, 1].map(id));
    }

    #[test]
    fn a_button_is_found_by_its_place_and_by_its_number() {
        assert!(has("Saloon · bar", &button(), "bar") && has("Saloon", &button(), "cabin-5"));
        assert!(!has("Saloon", &button(), "pool"));
    }
}
