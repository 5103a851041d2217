//! The guests page: guests and their stays by deck. A guest's card is beside the list, or instead of it on a phone.
//!
//! - `by_deck` grouping of guests, and free places: pure functions, tested without a page
//! - `list` the list; `card` one guest
//! - `form`, `check_in`, `check_out` the sheets

mod by_deck;
mod card;
mod check_in;
mod check_out;
mod form;
mod list;

use crewbell_shared::ids::{GuestId, StayId};
use leptos::prelude::*;

use crate::components::IconName;
use crate::pages::Info;
use crate::route::{Page, Route};
use crate::state::{AppState, state};

/// The page's [`Info`].
pub const INFO: Info = Info { title: |words| words.guests.title, icon: IconName::Guest, right: None };

/// The sheet that is open over the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    /// The form for a new guest.
    Add,
    /// The form for an existing guest.
    Edit(GuestId),
    /// The choice of a place.
    CheckIn(GuestId),
    /// The confirmation of a check-out.
    CheckOut(StayId),
}

/// A handle to the open sheet.
#[derive(Clone, Copy, Debug)]
struct Over(RwSignal<Option<Open>>);

impl Over {
    fn open(self, what: Open) {
        // The page may be closed when an answer arrives late.
        self.0.try_set(Some(what));
    }

    fn close(self) {
        self.0.try_set(None);
    }
}

/// The guest in the current route.
fn chosen(state: AppState) -> Memo<Option<GuestId>> {
    Memo::new(move |_| {
        let route = state.route.get();
        route.id.filter(|_| route.page == Page::Guests).map(GuestId)
    })
}

/// The route to a guest's card.
fn way_to(id: GuestId) -> Route {
    Route::about(Page::Guests, id.0)
}

/// The guests page.
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
