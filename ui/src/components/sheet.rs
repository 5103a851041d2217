//! A sheet: a question or a small form over the page. The focus stays in it, Esc and the device's way back close it, and
//! what had the focus before has it again.

use std::time::Duration;

use leptos::ev;
use leptos::html;
use leptos::prelude::*;
use web_sys::{HtmlElement, KeyboardEvent};

use super::{Button, IconButton, Look, Picture};
use crate::bridge::page;
use crate::locales::words;

/// A sheet with a title. Show it with `<Show when=…>`: it is there while it is shown.
#[component]
pub fn Sheet(
    /// What it is about.
    #[prop(into)]
    title: Signal<String>,
    /// The person doesn't want it.
    #[prop(into)]
    on_close: Callback<()>,
    children: Children,
) -> impl IntoView {
    let panel = NodeRef::<html::Div>::new();
    // One sheet may lie on another.
    let title_id = StoredValue::new(format!("sheet-title-{}", page::sheets()));
    let before = StoredValue::new_local(page::focused());
    Effect::new(move || {
        if let Some(panel) = panel.get() {
            let inside = page::reachable(&panel);
            // The first field, or the first thing after the button that closes.
            let first = inside.iter().find(|element| element.tag_name() != "BUTTON").or(inside.get(1));
            drop(first.or(inside.first()).map(HtmlElement::focus));
        }
    });
    follow_the_way_back(on_close);
    on_cleanup(move || {
        before.with_value(|before| drop(before.as_ref().map(HtmlElement::focus)));
    });
    let on_key = move |event: KeyboardEvent| {
        event.stop_propagation();
        match event.key().as_str() {
            "Escape" => on_close.run(()),
            "Tab" => keep_focus(&event, panel),
            _ => {}
        }
    };
    view! {
        <div class="veil" on:click=move |_| on_close.run(()) on:keydown=on_key>
            <div
                class="sheet"
                role="dialog"
                aria-modal="true"
                aria-labelledby=title_id.get_value()
                node_ref=panel
                on:click=|event| event.stop_propagation()
            >
                <header class="sheet-top">
                    <h2 id=title_id.get_value()>{title}</h2>
                    <IconButton icon=Picture::Cross name=words().common.close on_press=on_close/>
                </header>
                {children()}
            </div>
        </div>
    }
}

/// A sheet is a step in the way back, so that a phone's own button closes it instead of leaving the page under it.
fn follow_the_way_back(on_close: Callback<()>) {
    // Those that it lies on have lower numbers.
    let number = page::sheets() + 1;
    page::step_in(number);
    let back = window_event_listener(ev::popstate, move |_| {
        if page::step() < number {
            on_close.run(());
        }
    });
    on_cleanup(move || {
        back.remove();
        // A sheet that was closed otherwise takes its step with it; one that led to another page leaves the way alone.
        set_timeout(
            move || {
                if page::step() == number {
                    page::back();
                }
            },
            Duration::ZERO,
        );
    });
}

/// From the last thing within to the first, and back.
pub fn keep_focus(event: &KeyboardEvent, panel: NodeRef<html::Div>) {
    let Some(panel) = panel.get_untracked() else { return };
    let inside = page::reachable(&panel);
    let (Some(first), Some(last)) = (inside.first(), inside.last()) else { return };
    let at = page::focused();
    let (edge, next) = if event.shift_key() { (first, last) } else { (last, first) };
    if at.as_ref() == Some(edge) {
        event.prevent_default();
        drop(next.focus());
    }
}

/// Asks whether it is meant. Show it with `<Show when=…>`.
#[component]
pub fn Confirm(
    /// What is to be done.
    #[prop(into)]
    title: String,
    /// What comes of it.
    #[prop(into)]
    text: String,
    /// What the button says that does it.
    #[prop(into)]
    label: String,
    /// It is meant.
    #[prop(into)]
    on_yes: Callback<()>,
    /// It isn't.
    #[prop(into)]
    on_no: Callback<()>,
) -> impl IntoView {
    view! {
        <Sheet title on_close=on_no>
            <p>{text}</p>
            <div class="acts">
                <Button label look=Look::Danger on_press=on_yes/>
                <Button label=words().common.cancel on_press=on_no/>
            </div>
        </Sheet>
    }
}
