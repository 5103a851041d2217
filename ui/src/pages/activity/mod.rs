//! The activity page: the log, page by page.
//!
//! - `filters` the filters; `log` the lines, on request and as they happen; `sentence` the text of a line

mod filters;
mod log;
mod sentence;

use crewbell_core::screen::{ActivityLine, Ask};
use crewbell_shared::person::Right;
use crewbell_shared::protocol::EntityType;
use leptos::prelude::*;

use crate::components::{Button, ButtonStyle, Empty, Icon, IconName, ListHeader, Said};
use crate::locales::{Sentence, fill, refusals, time, words};
use crate::pages::Info;
use crate::route::{Page, Route};
use crate::state::{AppState, state};

use filters::{FilterBar, Filters};
use log::{Entry, Log, by_day};
use sentence::sentence;

pub use sentence::subject;

/// The page's [`Info`].
pub const INFO: Info =
    Info { title: |words| words.activity.title, icon: IconName::Log, right: Some(Right::ReadActivity) };

/// The activity page.
#[component]
pub fn Activity() -> impl IntoView {
    let state = state();
    let w = &words().activity;
    let filters = Filters::new();
    let log = Log::follow(state, filters);
    let today = Memo::new(move |_| time::date(state.now.get()));
    let entries = Memo::new(move |_| {
        today.track();
        let now = state.now.get_untracked();
        log.lines.with(|lines| by_day(lines, |line| time::day(line.at, now)))
    });
    let count = Memo::new(move |_| words().common.items.say(log.lines.with(Vec::len)));
    let none =
        Memo::new(move |_| log.lines.with(Vec::is_empty) && !log.loading.get() && log.failed.with(Option::is_none));
    let filtered = Memo::new(move |_| filters.any());
    let end = move || log.before.with(Option::is_none) && !none.get() && !log.loading.get() && !filtered.get();
    view! {
        <FilterBar filters><Export filters/></FilterBar>
        <ListHeader title=w.title count/>
        <Show when=move || log.partial.get()>
            <p class="log-partial" role="status"><Icon of=IconName::CloudOff/>{words().activity.partial}</p>
        </Show>
        <Fresh log/>
        <ol class="log" on:pointerenter=move |_| log.touched.set(true) on:pointerleave=move |_| log.touched.set(false)
            on:focusin=move |_| log.touched.set(true) on:focusout=move |_| log.touched.set(false)>
            <For each=move || entries.get() key=|entry| (entry.line.line.seq, entry.day.clone())
                children=move |entry| event(state, entry)/>
        </ol>
        <Show when=move || none.get()>{move || if filtered.get() {
            view! { <Empty icon=IconName::Search title=words().common.nothing_found text=words().common.nothing_found_hint/> }
                .into_any()
        } else {
            view! { <Empty icon=IconName::Log title=words().activity.empty text=words().activity.empty_hint/> }.into_any()
        }}</Show>
        <div class="log-foot" aria-live="polite">
            {move || log.failed.get().map(|error| view! {
                <p class="wrong-text">{refusals::ask_error(&error)}</p>
                <Button label=words().common.retry on_press=move || log.load(false)/>
            })}
            <Show when=move || log.loading.get()><p class="help">{words().common.loading}</p></Show>
            <Show when=move || log.before.with(Option::is_some) && !log.loading.get()>
                <Button label=words().activity.older icon=IconName::Down on_press=move || log.load(true)/>
            </Show>
            <Show when=end><p class="help">{words().activity.end}</p></Show>
        </div>
    }
}

/// The button that shows new lines. They aren't inserted at once, because that would move what the person reads.
#[component]
fn Fresh(log: Log) -> impl IntoView {
    let count = Memo::new(move |_| log.fresh.with(Vec::len));
    view! {
        <div class="log-fresh" role="status">
            <Show when=move || { count.get() > 0 }>
                <button type="button" class="chip info" on:click=move |_| log.show_fresh()>
                    {move || words().activity.new_lines.say(count.get())}
                </button>
            </Show>
        </div>
    }
}

/// Renders one line.
fn event(state: AppState, Entry { line, day }: Entry) -> impl IntoView {
    let ActivityLine { line, subject: told } = line;
    let subject = subject(state, &line).or_else(|| told.map(Sentence::from));
    let said = view! { <Said of=sentence(&line, subject)/> };
    let request = line.about.filter(|about| about.entity_type == EntityType::Request).map(|about| about.id);
    let request = request.filter(|id| state.requests.peek((*id).into()).is_some());
    let words_said = match request {
        Some(id) => {
            let to = Route::about(Page::Requests, id).address();
            view! { <a class="log-said" href=to title=words().activity.to_request>{said}</a> }.into_any()
        }
        None => view! { <span class="log-said">{said}</span> }.into_any(),
    };
    view! {
        {day.map(|day| view! { <li class="log-day"><h3>{day}</h3></li> })}
        <li class="log-line">
            <time datetime=line.at.to_string()>{time::time(line.at)}</time>
            <Icon of=picture(&line.category, &line.kind)/>
            {words_said}
        </li>
    }
}

fn picture(category: &str, kind: &str) -> IconName {
    match (category, kind) {
        (_, "request_accepted" | "request_completed") => IconName::Check,
        (_, "request_cancelled") => IconName::Cross,
        (_, "request_noted") => IconName::Note,
        (_, "request_voice_added") => IconName::Microphone,
        (_, "request_handed_over" | "request_released") => IconName::Hand,
        (_, "do_not_disturb_set" | "do_not_disturb_cleared") => IconName::Moon,
        (_, "button_lost" | "button_flapping") => IconName::Alarm,
        (_, "person_secret_set" | "button_credentials_set") => IconName::Key,
        ("requests", _) => IconName::Bell,
        ("buttons", _) => IconName::Button,
        ("places", _) => IconName::Place,
        ("guests", _) => IconName::Guest,
        ("people", _) => IconName::People,
        _ => IconName::Settings,
    }
}

/// The export button: saves the filtered lines as CSV and shows the path.
#[component]
fn Export(filters: Filters) -> impl IntoView {
    let state = state();
    let busy = RwSignal::new(false);
    let saved = RwSignal::new(None::<String>);
    let export = move || {
        busy.set(true);
        saved.set(None);
        let query = untrack(|| filters.query());
        state.ask_or(Ask::ExportActivity { query }, move |answer| {
            busy.try_set(false);
            match answer {
                Ok(path) => drop(saved.try_set(Some(path))),
                Err(error) => state.trouble.set(Some(error)),
            }
        });
    };
    let label = Signal::derive(move || {
        let w = &words().activity;
        (if busy.get() { w.exporting } else { w.export }).to_owned()
    });
    view! {
        <span class="log-export" title=words().activity.export_help>
            <Button label look=ButtonStyle::Quiet icon=IconName::Download disabled=busy on_press=export/>
        </span>
        <p class="log-saved" role="status">
            {move || saved.get().map(|path| fill(words().frame.saved_as, &[("path", &path)]))}
        </p>
    }
}
