//! Guests and their stays: who stays where, deck by deck; one guest beside the list, or instead of it on a phone.
//!
//! - `by_deck` who stays where, and which places are free: worked out, and tested, without a page
//! - `list` the guests; `card` one of them
//! - `form`, `check_in`, `check_out` the sheets

mod by_deck;
mod card;
mod check_in;
mod check_out;
mod form;
mod list;

use crewbell_shared::ids::{GuestId, StayId};
use leptos::prelude::*;

use crate::components::Picture;
use crate::pages::Info;
use crate::route::{Page, Route};
use crate::state::{State, state};

/// What the frame needs to know.
pub const INFO: Info = Info { title: |words| words.guests.title, icon: Picture::Guest, right: None };

/// What is open over the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    /// The form for a new guest.
    Add,
    /// The form for one who is known.
    Edit(GuestId),
    /// The choice of a place.
    CheckIn(GuestId),
    /// The question whether they leave.
    CheckOut(StayId),
}

/// What is open over the page; a handle.
#[derive(Clone, Copy, Debug)]
struct Over(RwSignal<Option<Open>>);

impl Over {
    fn open(self, what: Open) {
        // The page may be gone when an answer comes late.
        self.0.try_set(Some(what));
    }

    fn close(self) {
        self.0.try_set(None);
    }
}

/// The guest that the page is about.
fn chosen(state: State) -> Memo<Option<GuestId>> {
    Memo::new(move |_| {
        let route = state.route.get();
        route.id.filter(|_| route.page == Page::Guests).map(GuestId)
    })
}

/// The way to a guest's card.
fn way_to(id: GuestId) -> Route {
    Route::about(Page::Guests, id.0)
}

/// Guests and their stays.
#[component]
pub fn Guests() -> impl IntoView {
    let state = state();
    let over = Over(RwSignal::new(None));
    provide_context(over);
    let chosen = chosen(state);
    let close = Callback::new(move |()| over.close());
    let sheet = move || match over.0.get() {
        None => ().into_any(),
        Some(Open::Add) => view! { <form::Form guest=None on_close=close/> }.into_any(),
        Some(Open::Edit(id)) => view! { <form::Form guest=Some(id) on_close=close/> }.into_any(),
        Some(Open::CheckIn(id)) => view! { <check_in::CheckIn id on_close=close/> }.into_any(),
        Some(Open::CheckOut(id)) => view! { <check_out::CheckOut id on_close=close/> }.into_any(),
    };
    view! {
        <div class="guests" class:about-one=move || chosen.get().is_some()>
            <section class="guests-list"><list::List/></section>
            <section class="guests-one"><card::Beside/></section>
        </div>
        {sheet}
    }
}

fn over() -> Over {
    expect_context::<Over>()
}
