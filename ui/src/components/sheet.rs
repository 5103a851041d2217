//! Modal sheets: a question or a small form over the page. The focus stays inside, Esc and the device's back button
//! close the sheet, and the previously focused element gets the focus back.

use std::time::Duration;

use leptos::ev;
use leptos::html;
use leptos::prelude::*;
use web_sys::{HtmlElement, KeyboardEvent};

use super::{Button, ButtonStyle, IconButton, IconName};
use crate::bridge::page;
use crate::locales::words;

/// A modal sheet with a title. Show it with `<Show when=…>`: it is open while it is rendered.
#[component]
pub fn Sheet(
    /// The title.
    #[prop(into)]
    title: Signal<String>,
    /// Called when the person closes the sheet.
    #[prop(into)]
    on_close: Callback<()>,
    children: Children,
) -> impl IntoView {
    let panel = NodeRef::<html::Div>::new();
    // Sheets can be stacked.
    let title_id = StoredValue::new(format!("sheet-title-{}", page::sheets()));
    let before = StoredValue::new_local(page::focused());
    Effect::new(move || {
        if let Some(panel) = panel.get() {
            let inside = page::reachable(&panel);
            // Focuses the first field, or the first element after the close button.
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
                    <IconButton icon=IconName::Cross name=words().common.close on_press=on_close/>
                </header>
                {children()}
            </div>
        </div>
    }
}

/// Adds a history entry for the sheet, so that a phone's back button closes the sheet instead of leaving the page.
fn follow_the_way_back(on_close: Callback<()>) {
    // Sheets beneath this one have lower numbers.
    let number = page::sheets() + 1;
    page::step_in(number);
    let back = window_event_listener(ev::popstate, move |_| {
        if page::step() < number {
            on_close.run(());
        }
    });
    on_cleanup(move || {
        back.remove();
        // A sheet that was closed otherwise removes its history entry; one that navigated to another page leaves the
        // history alone.
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

/// Wraps the focus from the last element in the panel to the first, and back.
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

/// A confirmation dialog. Show it with `<Show when=…>`.
#[component]
pub fn Confirm(
    /// The action to confirm.
    #[prop(into)]
    title: String,
    /// The consequences.
    #[prop(into)]
    text: String,
    /// The label of the confirming button.
    #[prop(into)]
    label: String,
    /// Called on confirmation.
    #[prop(into)]
    on_yes: Callback<()>,
    /// Called on cancellation.
    #[prop(into)]
    on_no: Callback<()>,
) -> impl IntoView {
    view! {
        <Sheet title on_close=on_no>
            <p>{text}</p>
            <div class="acts">
                <Button label look=ButtonStyle::Danger on_press=on_yes/>
                <Button label=words().common.cancel on_press=on_no/>
            </div>
        </Sheet>
    }
}
