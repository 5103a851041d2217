//! The health of this device: the facts that support asks for when something fails.

use crewbell_core::screen::{Ask, AudioOutputStatus, Status, Storage, StorageState, settings};
use leptos::prelude::*;

use super::Part;
use crate::components::{Button, ButtonStyle, IconName, Tone};
use crate::frame::link;
use crate::locales::{Text, connection_error, fill, time, words};
use crate::state::{AppState, state};

/// The clock offset in milliseconds up to which the clock counts as right.
const RIGHT_MS: u64 = 2_000;

/// The health of this device.
#[component]
pub fn Health() -> impl IntoView {
    let state = state();
    let storage = RwSignal::new(None::<Storage>);
    let look = move || {
        state.ask_and(Ask::Storage, move |found| {
            storage.try_set(Some(found));
        });
    };
    look();
    let facts = Memo::new(move |_| facts(state, storage.get().as_ref()));
    let one = |(name, said, tone): Fact| {
        view! { <div><dt>{name}</dt><dd class=tone.class()>{said}</dd></div> }
    };
    let again = move || {
        look();
        state.ask(Ask::Connect);
    };
    view! {
        <Part title=words().settings.health icon=IconName::Signal>
            <dl class="health-facts">{move || facts.get().into_iter().map(one).collect_view()}</dl>
            <div class="acts">
                <Button label=words().settings.refresh look=ButtonStyle::Quiet on_press=again/>
            </div>
        </Part>
    }
}

/// A fact: its name, its text, and whether it is good.
type Fact = (Text, String, Tone);

fn facts(state: AppState, storage: Option<&Storage>) -> Vec<Fact> {
    let w = &words().settings;
    let status = state.status.get();
    let moment = |at| time::moment(at, state.now.get());
    let tone = if status.link.is_there() { Tone::Mine } else { Tone::Wait };
    let mut facts = vec![(w.connection, link(status.link).to_owned(), tone)];
    facts.extend(status.trouble.as_ref().map(|why| (w.trouble, connection_error::trouble(why), Tone::Quiet)));
    facts.extend(state.session.get().map(|session| (w.server, session.server, Tone::Quiet)));
    facts.push((w.last_sync, status.as_of.map_or(w.never.to_owned(), moment), Tone::Quiet));
    let entry = if status.seq == 0 { w.entry_none.to_owned() } else { status.seq.to_string() };
    facts.push((w.entry, entry, Tone::Quiet));
    facts.push(unsent(&status));
    facts.push(sound(&status.ears, settings::sounds_on(state.setting(settings::SOUNDS).as_deref())));
    facts.push(clock(status.clock_offset_ms));
    facts.extend(kept(&status.storage, storage));
    facts
}

fn unsent(status: &Status) -> Fact {
    let w = &words().frame;
    let waiting = (status.waiting > 0).then(|| w.waiting_count.say(status.waiting));
    let refused = (status.refused > 0).then(|| w.refused_count.say(status.refused));
    let said: Vec<String> = waiting.into_iter().chain(refused).collect();
    let tone = match (status.refused, status.waiting) {
        (0, 0) => Tone::Quiet,
        (0, _) => Tone::Wait,
        _ => Tone::Alarm,
    };
    let said = if said.is_empty() { words().settings.nothing.to_owned() } else { said.join(" · ") };
    (words().settings.unsent, said, tone)
}

fn sound(ears: &AudioOutputStatus, is_on: bool) -> Fact {
    let w = &words().settings;
    let (said, tone) = match ears {
        AudioOutputStatus::Unable { why } => (fill(w.sound_unable, &[("why", why)]), Tone::Alarm),
        _ if !is_on => (w.sound_muted.to_owned(), Tone::Wait),
        AudioOutputStatus::Able => (w.sound_able.to_owned(), Tone::Mine),
        AudioOutputStatus::Unknown => (w.sound_unknown.to_owned(), Tone::Quiet),
    };
    (w.sound, said, tone)
}

/// The state of the device's clock; adding the offset gives the server's time.
fn clock(offset_ms: i64) -> Fact {
    let w = &words().settings;
    if offset_ms.unsigned_abs() <= RIGHT_MS {
        return (w.clock, w.clock_good.to_owned(), Tone::Mine);
    }
    let text = if offset_ms > 0 { w.clock_slow } else { w.clock_fast };
    (w.clock, fill(text, &[("span", &time::span(offset_ms.abs() / 1000))]), Tone::Wait)
}

fn kept(state: &StorageState, storage: Option<&Storage>) -> Vec<Fact> {
    let w = &words().settings;
    let mut facts = match state {
        StorageState::Good => Vec::new(),
        StorageState::Failing { why, .. } => {
            vec![(w.storage, fill(w.storage_failing, &[("why", why)]), Tone::Alarm)]
        }
    };
    let Some(storage) = storage else { return facts };
    let used = w.storage_used.say_with(storage.entities, &[("size", &size(storage.bytes))]);
    let sign_in = match storage.token_in.as_str() {
        "keyring" => (w.in_keyring.to_owned(), Tone::Quiet),
        "file" => (w.in_file.to_owned(), Tone::Wait),
        _ => (w.unknown.to_owned(), Tone::Quiet),
    };
    facts.push((w.storage, used, Tone::Quiet));
    facts.push((w.folder, storage.folder.clone(), Tone::Quiet));
    facts.push((w.sign_in_kept, sign_in.0, sign_in.1));
    facts.push((w.version, storage.version.clone(), Tone::Quiet));
    facts
}

/// A size in decimal units: `812 kB`, `3.4 MB`.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_read_at_a_glance() {
        assert_eq!([0, 999, 1_000, 999_999, 3_450_000].map(size), ["0 B", "999 B", "1 kB", "999 kB", "3.4 MB"]);
    }

    #[test]
    fn a_clock_that_is_wrong_is_said_to_be_slow_or_fast() {
        assert_eq!([0, 2_000, -2_000].map(|offset| clock(offset).1), ["Right"; 3]);
        assert_eq!(clock(7_200_000).1, "Slow by 2 hours; times shown are the server's");
        assert_eq!(clock(-7_200_000).1, "Fast by 2 hours; times shown are the server's");
    }

    #[test]
    fn a_device_that_can_not_sound_says_why_even_when_it_is_silenced() {
        let deaf = AudioOutputStatus::Unable { why: "no card".into() };
        assert_eq!(sound(&deaf, false).1, "Can't sound: no card");
        assert_eq!(sound(&AudioOutputStatus::Able, false).2, Tone::Wait);
        assert_eq!(sound(&AudioOutputStatus::Able, true).2, Tone::Mine);
    }

    #[test]
    fn what_was_refused_is_an_alarm_and_nothing_is_nothing() {
        assert_eq!(unsent(&Status::default()).1, "Nothing");
        let status = Status { waiting: 2, refused: 1, ..Status::default() };
        assert_eq!((unsent(&status).1.as_str(), unsent(&status).2), ("2 waiting · 1 refused", Tone::Alarm));
    }
}
