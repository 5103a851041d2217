//! The connection state in a few words: "Live", "Offline · 14:02 · 3 waiting".

use crewbell_core::screen::{Link, Status};
use jiff::Timestamp;
use leptos::prelude::*;

use crate::components::Tone;
use crate::locales::{Text, time, words};
use crate::route::{Page, Route};
use crate::state::state;

/// A chip with the connection state; it links to the outbox.
#[component]
pub fn LinkChip() -> impl IntoView {
    let state = state();
    let text = Memo::new(move |_| state.status.with(|status| text(status, state.now.get())));
    let tone = Memo::new(move |_| state.status.with(tone));
    view! {
        <a class=move || format!("chip link {}", tone.get().class()) class:off=move || tone.get() != Tone::Mine
            href=Route::to(Page::Outbox).address() aria-label=move || format!("{}: {}", words().frame.connection, text.get())>
            <i aria-hidden="true"></i>
            <span>{text}</span>
        </a>
    }
}

/// The name of a connection state.
pub fn link(link: Link) -> Text {
    let w = &words().frame;
    match link {
        Link::SignedOut => w.signed_out,
        Link::Offline => w.offline,
        Link::Connecting => w.connecting,
        Link::Fetching => w.fetching,
        Link::CatchingUp => w.catching_up,
        Link::Live => w.live,
    }
}

fn tone(status: &Status) -> Tone {
    if status.refused > 0 {
        Tone::Alarm
    } else if status.link.is_there() {
        Tone::Mine
    } else {
        Tone::Wait
    }
}

fn text(status: &Status, now: Timestamp) -> String {
    let w = &words().frame;
    let mut parts = vec![link(status.link).to_owned()];
    if let Some(at) = status.as_of.filter(|_| !status.link.is_there()) {
        parts.push(time::moment(at, now));
    }
    if status.waiting > 0 {
        parts.push(w.waiting_count.say(status.waiting));
    }
    if status.refused > 0 {
        parts.push(w.refused_count.say(status.refused));
    }
    parts.join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_and_what_was_refused_is_always_said() {
        let status = Status { link: Link::Live, waiting: 1, refused: 2, ..Status::default() };
        assert_eq!(text(&status, Timestamp::UNIX_EPOCH), "Live · 1 waiting · 2 refused");
        assert_eq!(tone(&status), Tone::Alarm);
    }

    #[test]
    fn a_lost_connection_is_no_good_state() {
        for link in [Link::Offline, Link::Connecting, Link::Fetching] {
            assert_eq!(tone(&Status { link, ..Status::default() }), Tone::Wait);
        }
        assert_eq!(tone(&Status { link: Link::CatchingUp, ..Status::default() }), Tone::Mine);
    }
}
