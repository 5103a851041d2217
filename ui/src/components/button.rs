//! Buttons: a label, often with an icon; 48 px high or more.

use leptos::prelude::*;

use super::{Icon, IconName};

/// The look of a button. The most frequent action stands out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ButtonStyle {
    /// The default look, for one of several actions.
    #[default]
    Plain,
    /// The main action; as wide as the available space.
    Go,
    /// An action that removes something.
    Danger,
    /// A button with little more than its label.
    Quiet,
}

impl ButtonStyle {
    fn class(self) -> &'static str {
        match self {
            Self::Plain => "button",
            Self::Go => "button go",
            Self::Danger => "button danger",
            Self::Quiet => "button quiet",
        }
    }
}

/// A button with a label.
#[component]
pub fn Button(
    /// The label.
    #[prop(into)]
    label: Signal<String>,
    /// Called when it is pressed.
    #[prop(into)]
    on_press: Callback<()>,
    /// The look.
    #[prop(optional)]
    look: ButtonStyle,
    /// An icon before the label.
    #[prop(optional)]
    icon: Option<IconName>,
    /// Whether it is disabled.
    #[prop(optional, into)]
    disabled: Signal<bool>,
    /// The accessible name, where the label alone isn't clear: "Accept Cabin 5".
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

/// A button with only an icon; its name is the accessible name and the tooltip.
#[component]
pub fn IconButton(
    /// The icon.
    icon: IconName,
    /// The accessible name and tooltip.
    #[prop(into)]
    name: String,
    /// Called when it is pressed.
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
