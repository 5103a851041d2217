//! What is pressed: a word, often with an icon; 48 px high or more.

use leptos::prelude::*;

use super::{Icon, Picture};

/// How a button looks: what is done most stands out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Look {
    /// One of several.
    #[default]
    Plain,
    /// The one thing to do here; as wide as there is room.
    Go,
    /// Takes something away.
    Danger,
    /// Little more than its word.
    Quiet,
}

impl Look {
    fn class(self) -> &'static str {
        match self {
            Self::Plain => "button",
            Self::Go => "button go",
            Self::Danger => "button danger",
            Self::Quiet => "button quiet",
        }
    }
}

/// A button with a word on it.
#[component]
pub fn Button(
    /// What it says.
    #[prop(into)]
    label: Signal<String>,
    /// What it does.
    #[prop(into)]
    on_press: Callback<()>,
    /// How it looks.
    #[prop(optional)]
    look: Look,
    /// An icon before the word.
    #[prop(optional)]
    icon: Option<Picture>,
    /// Whether it can't be pressed now.
    #[prop(optional, into)]
    disabled: Signal<bool>,
    /// What a screen reader says instead of the word, where the word alone doesn't tell: "Accept Cabin 5".
    #[prop(optional, into)]
    name: Option<String>,
) -> impl IntoView {
    view! {
        <button
            type="button"
            class=look.class()
            disabled=disabled
            aria-label=name
            on:click=move |event| {
                event.stop_propagation();
                on_press.run(());
            }
        >
            {icon.map(|of| view! { <Icon of/> })}
            <span>{label}</span>
        </button>
    }
}

/// A button that is only an icon; its name is for screen readers and the pointer's hint.
#[component]
pub fn IconButton(
    /// The icon.
    icon: Picture,
    /// What it does, in words.
    #[prop(into)]
    name: String,
    /// What it does.
    #[prop(into)]
    on_press: Callback<()>,
) -> impl IntoView {
    view! {
        <button
            type="button"
            class="button icon-only"
            title=name.clone()
            aria-label=name
            on:click=move |event| {
                event.stop_propagation();
                on_press.run(());
            }
        >
            <Icon of=icon/>
        </button>
    }
}
