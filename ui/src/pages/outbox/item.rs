//! A command in the outbox: "Accept: Cabin 5 · 14:02 · waiting".

use crewbell_core::screen::{Ask, OutboxItem};
use crewbell_core::store::CommandStatus;
use crewbell_shared::Refusal;
use crewbell_shared::ids::CommandId;
use leptos::prelude::*;

use super::case;
use super::sorted::{OutboxGroup, needed_by};
use crate::components::{Button, ButtonStyle, Calm, Chip, Confirm, Icon, IconName, Said, Tone};
use crate::locales::{Sentence, Text, command_text, fill, refusals, time, words};
use crate::state::{AppState, state};

/// The list key of an item: its id and its stage, so that a change of stage renders it again.
pub fn key(item: &OutboxItem) -> (CommandId, u8) {
    let stage = match item.doing {
        CommandStatus::Waiting => 0,
        CommandStatus::Done { .. } => 1,
        CommandStatus::Refused { .. } => 2,
    };
    (item.command_id, stage)
}

/// An item. Decisions of the person take effect on the screen at once.
#[component]
pub fn Item(item: OutboxItem, calm: Calm) -> impl IntoView {
    let state = state();
    let w = &words().outbox;
    let place = OutboxGroup::of(&item, untrack(|| state.my_id()));
    let refusal = refusal(&item);
    let (state_word, tone) = how_far(&item.doing);
    let (id, verb, at, needs) = (item.command_id, item.verb, item.at, item.depends_on);
    let what = Memo::new({
        let verb = verb.clone();
        move |_| command_text::doing(state, &verb)
    });
    let by = Sentence::fill(w.by, &[("who", &(&item.by).into())]);
    let when = Memo::new(move |_| format!("{} · ", time::moment(at, state.now.get())));
    let reason = refusal.as_ref().map(refusals::refusal);
    let now = Memo::new(move |_| refusal.as_ref().and_then(|refusal| case::now(state, &verb, refusal)));
    let asks = RwSignal::new(false);
    let said = what.get_untracked();
    let name = move |text| fill(text, &[("what", &said)]);
    let (retry_name, discard_name) = (name.clone()(w.retry_name), name(w.discard_name));
    let can_retry = place == OutboxGroup::Refused;
    let can_discard = place != OutboxGroup::Done;
    let by_name = item.by.name;
    view! {
        <li class="card outbox-item" class:pending=place == OutboxGroup::Waiting class:refused=place == OutboxGroup::Refused>
            <div class="outbox-what">
                <b>{what}</b>
                <Chip text=state_word tone=tone/>
            </div>
            <small>{when}<Said of=by/></small>
            {needs.map(|needs| view! { <Needs needs/> })}
            {reason.map(|reason| view! { <p class="reason"><Icon of=IconName::Alarm/><span>{reason}</span></p> })}
            <Show when=move || now.with(Option::is_some)>
                <p class="now"><b>{w.now}</b>" "{now}</p>
            </Show>
            <div class="acts">
                <Show when=move || can_retry>
                    <Button label=words().common.retry name=retry_name.clone()
                        on_press=move || {
                            calm.let_go();
                            state.ask(Ask::Retry { command_id: id });
                        }/>
                </Show>
                <Show when=move || can_discard>
                    <Button label=words().common.discard look=ButtonStyle::Quiet name=discard_name.clone()
                        on_press=move || asks.set(true)/>
                </Show>
            </div>
            <Show when=move || asks.get()>
                <Confirm title=w.discard_title text=consequences(state, id, place, &what.get_untracked(), &by_name)
                    label=words().common.discard on_no=move || asks.set(false)
                    on_yes=move || {
                        asks.set(false);
                        calm.let_go();
                        state.ask(Ask::Discard { command_id: id });
                    }/>
            </Show>
        </li>
    }
}

fn refusal(item: &OutboxItem) -> Option<Refusal> {
    match &item.doing {
        CommandStatus::Refused { refusal, .. } => Some(refusal.clone()),
        CommandStatus::Waiting | CommandStatus::Done { .. } => None,
    }
}

fn how_far(doing: &CommandStatus) -> (Text, Tone) {
    let w = &words().outbox;
    match doing {
        CommandStatus::Waiting => (w.state_waiting, Tone::Wait),
        CommandStatus::Done { .. } => (w.state_done, Tone::Mine),
        CommandStatus::Refused { .. } => (w.state_refused, Tone::Alarm),
    }
}

/// The command that this one depends on; renders nothing once that is finished.
#[component]
fn Needs(needs: CommandId) -> impl IntoView {
    let state = state();
    let first = Memo::new(move |_| {
        state.outbox.with(|outbox| {
            let first = outbox.iter().find(|item| item.command_id == needs)?;
            Some((command_text::doing(state, &first.verb), matches!(first.doing, CommandStatus::Refused { .. })))
        })
    });
    let text = move || {
        let (what, was_refused) = first.get()?;
        let needs = fill(words().outbox.needs, &[("what", &what)]);
        Some(if was_refused { format!("{needs}. {}", words().outbox.retry_first) } else { needs })
    };
    view! {
        <Show when=move || first.with(Option::is_some)>
            <p class="needs"><Icon of=IconName::Forward/><span>{text}</span></p>
        </Show>
    }
}

/// The consequences of discarding an item, in words.
fn consequences(state: AppState, id: CommandId, place: OutboxGroup, what: &str, by: &str) -> String {
    let w = &words().outbox;
    let comes = match place {
        OutboxGroup::Refused => w.discard_refused.to_owned(),
        OutboxGroup::Waiting | OutboxGroup::Done => w.discard_waiting.to_owned(),
        OutboxGroup::Others => fill(w.discard_other, &[("who", by)]),
    };
    let mut said = format!("{what}. {comes}");
    let others = state.outbox.with_untracked(|outbox| needed_by(outbox, id));
    if others > 0 {
        said.push(' ');
        said.push_str(&w.needed_by.say(others));
    }
    said
}
