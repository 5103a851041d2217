//! The sheet of a button: its health in full, and its actions: assign, move, retire, bring back.

use crewbell_shared::button::ButtonVerb;
use crewbell_shared::button::{Button as Device, ButtonState};
use crewbell_shared::ids::{ButtonId, PlaceId};
use crewbell_shared::person::Right;
use crewbell_shared::protocol::Verb;
use leptos::prelude::*;

use super::health::{self, Care};
use super::row::{SignalBars, seen, title};
use crate::bridge::ids::new_id;
use crate::components::{Button, ButtonStyle, Chip, Confirm, Field, IconName, PlacePicker, Sheet, Tone};
use crate::locales::{Text, fill, names, refusals, time, words};
use crate::state::{AppState, state};

/// The step that the sheet shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Health,
    Assign,
    Retire,
}

/// The sheet of a button: its health and its actions.
#[component]
pub fn ButtonSheet(
    /// The button.
    id: ButtonId,
    /// Called when the sheet closes.
    #[prop(into)]
    on_close: Callback<()>,
) -> impl IntoView {
    let state = state();
    let button = Memo::new(move |_| state.buttons.get(id).map(|item| item.entity));
    let may = Memo::new(move |_| state.may(Right::AssignButtons));
    let waits = untrack(|| button.with(|button| button.as_ref().is_some_and(|one| health::care(one) == Care::Place)));
    let step = RwSignal::new(if waits && may.get_untracked() { Step::Assign } else { Step::Health });
    let called =
        Memo::new(move |_| button.with(|button| button.as_ref().map(|one| title(state, one)).unwrap_or_default()));
    let retire = move || {
        state.act(Verb::Button(ButtonVerb::Retire { button_id: id }));
        on_close.run(());
    };
    let contents = move || match step.get() {
        Step::Assign => view! { <Assign id on_close/> }.into_any(),
        Step::Health => view! {
            <Sheet title=called on_close>
                <Show when=move || button.with(Option::is_none)><p>{words().codes.not_found}</p></Show>
                {move || button.get().map(|button| facts(state, &button))}
                <Show when=move || may.get()><Acts button on_step=move |next| step.set(next)/></Show>
            </Sheet>
        }
        .into_any(),
        Step::Retire => view! {
            <Confirm title=fill(words().buttons.retire_ask, &[("what", &called.get_untracked())])
                text=words().buttons.retire_text label=words().buttons.retire on_yes=retire
                on_no=move || step.set(Step::Health)/>
        }
        .into_any(),
    };
    view! { {contents} }
}

/// All known facts about a button.
fn facts(state: AppState, button: &Device) -> impl IntoView + use<> {
    let w = &words().buttons;
    let unknown = || w.unknown.to_owned();
    let health = &button.health;
    let battery = health::battery(health).map_or_else(unknown, |(text, _)| text);
    let signal = health::signal(button).map(|signal| view! { <SignalBars signal/> });
    let dbm = health.rssi_dbm.map_or_else(unknown, |dbm| format!("{dbm} dBm"));
    let place = button.place_id.map_or_else(|| w.no_place.to_owned(), |id| state.place_name(id));
    let heard = health.last_seen_at.map(|at| format!(" · {}", time::moment(at, state.now.get_untracked())));
    let heard = format!("{}{}", seen(state, button), heard.unwrap_or_default());
    let lost = health::trouble(health).filter(|_| button.state == ButtonState::Assigned);
    let connected = health.online == Some(true);
    let credentials = if button.has_credentials { w.credentials_own } else { w.credentials_shared };
    let fact = |name: Text, value: String| view! { <div><dt>{name}</dt><dd>{value}</dd></div> };
    view! {
        {lost.map(|text| view! {
            <p class="device-lost"><Chip text tone=Tone::Alarm icon=IconName::Alarm/><span>{w.lost_hint}</span></p>
        })}
        <dl class="facts">
            {fact(w.state, if connected { w.connected } else { names::button_state(button.state) }.to_owned())}
            {fact(w.place, place)}
            {fact(w.battery, battery)}
            <div><dt>{w.signal}</dt><dd>{signal}<small>{dbm}</small></dd></div>
            {fact(w.last_seen, heard)}
            {fact(w.firmware, health.firmware.clone().unwrap_or_else(unknown))}
            {fact(w.device, button.device.clone())}
            {fact(w.credentials, credentials.to_owned())}
        </dl>
    }
}

/// The actions for a button.
#[component]
fn Acts(
    /// The button.
    button: Memo<Option<Device>>,
    /// Called with the step that an action opens.
    #[prop(into)]
    on_step: Callback<Step>,
) -> impl IntoView {
    let how = Memo::new(move |_| button.with(|button| button.as_ref().map(|button| button.state)));
    let acts = move || {
        let w = &words().buttons;
        let (label, retires) = match how.get()? {
            ButtonState::New => (w.assign, true),
            ButtonState::Assigned => (w.relocate, true),
            ButtonState::Retired => (w.bring_back, false),
        };
        let assign = move || on_step.run(Step::Assign);
        let retire = move || on_step.run(Step::Retire);
        Some(view! {
            <div class="acts">
                <Button label look=ButtonStyle::Go icon=IconName::Place on_press=assign/>
                {retires.then(|| view! { <Button label=w.retire on_press=retire/> })}
            </div>
        })
    };
    view! { {acts} }
}

/// The form that sets the place and the name of a button.
#[component]
fn Assign(
    /// The button.
    id: ButtonId,
    /// Called when the form closes.
    #[prop(into)]
    on_close: Callback<()>,
) -> impl IntoView {
    let state = state();
    let button = state.buttons.peek(id).map(|item| item.entity);
    let what = button.as_ref().map(|button| button.device.clone()).unwrap_or_default();
    let place = RwSignal::new(button.as_ref().and_then(|button| button.place_id));
    let name = RwSignal::new(button.and_then(|button| button.name).unwrap_or_default());
    let wrong = RwSignal::new(None::<String>);
    let assign = move |place_id: PlaceId| {
        let verb = Verb::Button(ButtonVerb::Assign { button_id: id, place_id, name: given(name) });
        act(state, verb, wrong, on_close);
    };
    view! {
        <Sheet title=fill(words().buttons.assign_title, &[("what", &what)]) on_close>
            <PlacePicker value=place/>
            <Field label=words().buttons.name value=name hint=words().buttons.name_hint wrong/>
            <AssignAct place on_assign=assign/>
        </Sheet>
    }
}

/// The sheet that registers a button by its number, before its first press.
#[component]
pub fn AddSheet(
    /// Called when the sheet closes.
    #[prop(into)]
    on_close: Callback<()>,
) -> impl IntoView {
    let state = state();
    let device = RwSignal::new(String::new());
    let place = RwSignal::new(None);
    let name = RwSignal::new(String::new());
    let wrong = RwSignal::new(None::<String>);
    let add = move |place_id: PlaceId| {
        let device = device.with_untracked(|device| device.trim().to_owned());
        let taken = untrack(|| state.buttons.find(|item| (item.entity.device == device).then_some(()))).is_some();
        if device.is_empty() || device.len() > 64 {
            wrong.set(Some(words().buttons.device_missing.to_owned()));
        } else if taken {
            wrong.set(Some(words().buttons.device_taken.to_owned()));
        } else {
            let verb = Verb::Button(ButtonVerb::Create { button_id: new_id(), device, place_id, name: given(name) });
            act(state, verb, wrong, on_close);
        }
    };
    view! {
        <Sheet title=words().buttons.add_title on_close>
            <Field label=words().buttons.device value=device hint=words().buttons.device_hint wrong/>
            <PlacePicker value=place/>
            <Field label=words().buttons.name value=name hint=words().buttons.name_hint/>
            <AssignAct place on_assign=add/>
        </Sheet>
    }
}

/// The submit button at the end of the form, always visible; its label names the chosen place.
#[component]
fn AssignAct(
    /// The chosen place.
    place: RwSignal<Option<PlaceId>>,
    /// Called when it is pressed.
    #[prop(into)]
    on_assign: Callback<PlaceId>,
) -> impl IntoView {
    let state = state();
    let label = Signal::derive(move || match place.get() {
        Some(id) => fill(words().buttons.assign_to, &[("place", &state.place_name(id))]),
        None => words().buttons.assign.to_owned(),
    });
    let disabled = Signal::derive(move || place.get().is_none());
    let press = move || {
        if let Some(id) = place.get_untracked() {
            on_assign.run(id);
        }
    };
    view! {
        <div class="acts sheet-foot"><Button label look=ButtonStyle::Go icon=IconName::Check disabled on_press=press/></div>
    }
}

fn given(name: RwSignal<String>) -> Option<String> {
    Some(name.with_untracked(|name| name.trim().to_owned())).filter(|name| !name.is_empty())
}

/// Executes a command and closes the sheet, or shows the error.
fn act(state: AppState, verb: Verb, wrong: RwSignal<Option<String>>, on_close: Callback<()>) {
    state.act_or(verb, move |answer| match answer {
        Ok(()) => on_close.run(()),
        Err(error) => drop(wrong.try_set(Some(refusals::ask_error(&error)))),
    });
}
