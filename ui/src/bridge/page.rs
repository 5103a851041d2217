//! Browser APIs of the page: address and history, theme, focus, scrolling, files that a person chose.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use leptos::leptos_dom::helpers::{IntervalHandle, set_interval_with_handle};
use leptos::prelude::{document, request_animation_frame, window};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Element, HtmlElement, HtmlInputElement, KeyboardEvent, PointerEvent};

/// The part of the page's address after `#`.
pub fn address() -> String {
    window().location().hash().unwrap_or_default()
}

/// Navigates to an address within the page, as a link would, and adds a history entry.
pub fn go(address: &str) {
    // Setting the fragment can't fail for the app's own addresses.
    drop(window().location().set_hash(address));
}

/// Navigates to an address within the page and replaces the current history entry.
pub fn replace(address: &str) {
    drop(window().location().replace(address));
}

/// Goes one history entry back, as the device's back button does.
pub fn back() {
    if let Ok(history) = window().history() {
        drop(history.back());
    }
}

/// Calls `moved` whenever the address changes, for as long as the page lives.
pub fn on_address(moved: impl Fn() + 'static) {
    on_window("hashchange", moved);
}

/// Calls `heard` on every window event of that name, for as long as the page lives.
pub fn on_window(event: &str, heard: impl Fn() + 'static) {
    let callback = Closure::<dyn Fn()>::new(heard);
    drop(window().add_event_listener_with_callback(event, callback.as_ref().unchecked_ref()));
    callback.forget();
}

/// Adds a history entry with the same address; its number identifies it.
pub fn step_in(number: u32) {
    if let Ok(history) = window().history() {
        drop(history.push_state_with_url(&number.into(), "", None));
    }
}

/// The number of the current history entry; 0 if `step_in` didn't create it.
pub fn step() -> u32 {
    let state = window().history().and_then(|history| history.state());
    let number = state.ok().and_then(|state| state.as_f64()).filter(|number| (0.0..=1e6).contains(number));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is in the range")]
    number.map_or(0, |number| number as u32)
}

/// Calls `matches` at once and on every change with whether a media query matches, for as long as the page lives.
pub fn on_media(query: &str, matches: impl Fn(bool) + 'static) {
    let Ok(Some(list)) = window().match_media(query) else { return };
    matches(list.matches());
    let again = list.clone();
    let callback = Closure::<dyn Fn()>::new(move || matches(again.matches()));
    drop(list.add_event_listener_with_callback("change", callback.as_ref().unchecked_ref()));
    callback.forget();
}

/// The language that the device prefers, such as `de-AT`.
pub fn preferred_language() -> String {
    window().navigator().language().unwrap_or_default()
}

/// The web view's user agent string and its maximum number of touch points, which tell platforms apart.
pub fn user_agent() -> (String, i32) {
    let navigator = window().navigator();
    (navigator.user_agent().unwrap_or_default(), navigator.max_touch_points())
}

/// Percent-encodes a text for use as a component of an address.
pub fn escaped(text: &str) -> String {
    js_sys::encode_uri_component(text).into()
}

/// Sets an attribute of the page's root element, such as `data-theme` or `lang`.
pub fn mark_root(name: &str, value: &str) {
    if let Some(root) = document().document_element() {
        drop(root.set_attribute(name, value));
    }
}

/// The scroll offset of the element with that id, in CSS pixels.
pub fn scrolled(id: &str) -> i32 {
    document().get_element_by_id(id).map_or(0, |element| element.scroll_top())
}

/// Scrolls the element with that id to its top.
pub fn to_top(id: &str) {
    if let Some(element) = document().get_element_by_id(id) {
        element.set_scroll_top(0);
    }
}

/// The focused element.
pub fn focused() -> Option<HtmlElement> {
    document().active_element().and_then(|element| element.dyn_into().ok())
}

/// Whether a text field or select has the focus.
pub fn is_typing() -> bool {
    focused().is_some_and(|element| matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT"))
}

/// Whether the focused element takes a typed space, as text or as a choice. Sliders don't need it.
pub fn takes_space() -> bool {
    let slider = |element: HtmlElement| element.dyn_ref::<HtmlInputElement>().is_some_and(|it| it.type_() == "range");
    is_typing() && !focused().is_some_and(slider)
}

/// All focusable elements within an element, in document order.
pub fn reachable(within: &HtmlElement) -> Vec<HtmlElement> {
    const REACHABLE: &str = "button:not([disabled]), [href], input:not([disabled]), select:not([disabled]), \
                             textarea:not([disabled]), [tabindex]:not([tabindex='-1'])";
    let Ok(found) = within.query_selector_all(REACHABLE) else { return Vec::new() };
    (0..found.length()).filter_map(|index| found.item(index)?.dyn_into().ok()).collect()
}

/// Focuses the element with that id.
pub fn focus(id: &str) {
    if let Some(element) = document().get_element_by_id(id).and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        drop(element.focus());
    }
}

/// Reads the file that a person chose as base64. Does nothing if no file is chosen.
pub fn read_chosen(input: &HtmlInputElement, read: impl FnOnce(String) + 'static) {
    let Some(file) = input.files().and_then(|files| files.get(0)) else { return };
    let Ok(reader) = web_sys::FileReader::new() else { return };
    let done = reader.clone();
    let loaded = Closure::once_into_js(move || {
        let address = done.result().ok().and_then(|result| result.as_string()).unwrap_or_default();
        // The result is a data URL: `data:image/png;base64,…`.
        read(address.split_once(',').map(|(_, content)| content.to_owned()).unwrap_or_default());
    });
    // Also where reading fails: then there is no result.
    reader.set_onloadend(Some(loaded.unchecked_ref()));
    drop(reader.read_as_data_url(&file));
}

/// Whether a sheet is open over the page.
pub fn has_sheet() -> bool {
    matches!(document().query_selector("[aria-modal]"), Ok(Some(_)))
}

/// The number of sheets that are open over the page.
pub fn sheets() -> u32 {
    document().query_selector_all("[aria-modal]").map_or(0, |sheets| sheets.length())
}

/// Calls `tick` at once and then at an interval while the page is visible, and again when it becomes visible. A hidden
/// window runs no timer.
pub fn while_seen(every: Duration, tick: impl Fn() + Clone + 'static) {
    let running = RefCell::new(None::<IntervalHandle>);
    let look = move || {
        let mut running = running.borrow_mut();
        if document().hidden() {
            if let Some(running) = running.take() {
                running.clear();
            }
        } else if running.is_none() {
            tick();
            *running = set_interval_with_handle(tick.clone(), every).ok();
        }
    };
    look();
    on_window("visibilitychange", look);
}

/// Calls `drawn` once, after the first rendered frame, or as soon as the page is hidden.
pub fn once_drawn(drawn: impl FnOnce() + 'static) {
    let once = Rc::new(Cell::new(Some(drawn)));
    let call = move || {
        if let Some(drawn) = once.take() {
            drawn();
        }
    };
    if document().hidden() {
        return call();
    }
    let hidden = call.clone();
    on_window("visibilitychange", move || {
        if document().hidden() {
            hidden();
        }
    });
    // The second frame begins when the first has been drawn.
    request_animation_frame(move || request_animation_frame(call));
}

/// Scrolls the element with that id into view, by as little as needed.
pub fn bring_into_view(id: &str) {
    if let Some(element) = document().get_element_by_id(id) {
        let options = web_sys::ScrollIntoViewOptions::new();
        options.set_block(web_sys::ScrollLogicalPosition::Nearest);
        element.scroll_into_view_with_scroll_into_view_options(&options);
    }
}

/// Whether an element is completely visible within the scrolling element with that id, and the page is visible.
pub fn is_seen(element: &HtmlElement, within: &str) -> bool {
    let Some(within) = document().get_element_by_id(within).map(|within| within.get_bounding_client_rect()) else {
        return false;
    };
    let seen = element.get_bounding_client_rect();
    !document().hidden() && seen.height() > 0.0 && seen.top() >= within.top() && seen.bottom() <= within.bottom()
}

/// Calls `heard` on every key press and release, in the capture phase, until the returned function is called.
pub fn on_keys(heard: impl Fn(&KeyboardEvent) + 'static) -> impl FnOnce() {
    const NAMES: [&str; 2] = ["keydown", "keyup"];
    let callback = Closure::<dyn Fn(KeyboardEvent)>::new(move |event: KeyboardEvent| heard(&event));
    for name in NAMES {
        let callback = callback.as_ref().unchecked_ref();
        drop(window().add_event_listener_with_callback_and_bool(name, callback, true));
    }
    move || {
        for name in NAMES {
            let callback = callback.as_ref().unchecked_ref();
            drop(window().remove_event_listener_with_callback_and_bool(name, callback, true));
        }
    }
}

/// Captures the pointer of a press: its target receives the events until the release, wherever that is.
pub fn hold_pointer(event: &PointerEvent) {
    if let Some(element) = event.current_target().and_then(|target| target.dyn_into::<Element>().ok()) {
        drop(element.set_pointer_capture(event.pointer_id()));
    }
}
