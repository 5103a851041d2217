//! Routes within the app: the fragment of the page's address, after `#`.
//!
//! A fragment survives a reload under the shell's custom protocol, needs no server routes, and works with the device's
//! back button. `#/requests/<id>` is a [`Route`] with its page and the id of an entity.

use leptos::prelude::*;
use uuid::Uuid;

use crate::bridge::page;

macro_rules! pages {
    ($($(#[$doc:meta])* $page:ident = $path:literal),+ $(,)?) => {
        /// The pages. Their titles, icons and contents are in `pages/mod.rs`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Page { $($(#[$doc])* $page),+ }

        impl Page {
            /// Every page.
            pub const ALL: &[Self] = &[$(Self::$page),+];

            /// The page's name in an address.
            pub fn path(self) -> &'static str {
                match self { $(Self::$page => $path),+ }
            }
        }
    };
}

pages! {
    /// The request board; with an id, that request beside it.
    Requests = "requests",
    /// The form that creates a request without a button.
    NewRequest = "new",
    /// The activity log.
    Activity = "activity",
    /// The calls of the signed-in person.
    Calls = "calls",
    /// The crew.
    People = "people",
    /// The health of the buttons.
    Buttons = "buttons",
    /// Guests and stays.
    Guests = "guests",
    /// Decks and cabins.
    Places = "places",
    /// Settings of this device and of the site.
    Settings = "settings",
    /// Commands that wait to be sent or were refused.
    Outbox = "outbox",
    /// The pages that don't fit into the bottom bar.
    More = "more",
}

/// A location in the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The page.
    pub page: Page,
    /// The id of the entity that the page is about.
    pub id: Option<Uuid>,
}

impl Route {
    /// The route to a page.
    pub fn to(page: Page) -> Self {
        Self { page, id: None }
    }

    /// The route to a page about an entity.
    pub fn about(page: Page, id: Uuid) -> Self {
        Self { page, id: Some(id) }
    }

    /// Parses an address; falls back to the board.
    pub fn read(address: &str) -> Self {
        let mut parts = address.trim_start_matches(['#', '/']).split('/');
        let path = parts.next().unwrap_or_default();
        let page = Page::ALL.iter().copied().find(|page| page.path() == path).unwrap_or(Page::Requests);
        Self { page, id: parts.next().and_then(|id| Uuid::parse_str(id).ok()) }
    }

    /// The address: `#/requests/<id>`.
    pub fn address(self) -> String {
        match self.id {
            Some(id) => format!("#/{}/{id}", self.page.path()),
            None => format!("#/{}", self.page.path()),
        }
    }
}

/// Navigates to a route and adds a history entry.
pub fn go(route: Route) {
    page::go(&route.address());
}

/// Navigates to a route and replaces the current history entry.
pub fn show(route: Route) {
    page::replace(&route.address());
}

/// Closes a page's sheet by showing the page without an entity, unless the person has navigated elsewhere.
pub fn leave(page: Page) {
    if Route::read(&page::address()).page != page {
        return;
    }
    if page::step() > 0 {
        // The sheet's own history entry goes first, and the sheet asks to be left once more. If the page replaced that
        // entry, the sheet's address would stay beneath it, and going back would open the sheet again.
        page::back();
    } else {
        show(Route::to(page));
    }
}

/// Returns a signal with the current route, which follows the address for the lifetime of the app.
pub fn follow() -> RwSignal<Route> {
    let route = RwSignal::new(Route::read(&page::address()));
    page::on_address(move || route.set(Route::read(&page::address())));
    route
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_reads_back_as_it_is_written() {
        for page in Page::ALL {
            for route in [Route::to(*page), Route::about(*page, Uuid::from_u128(7))] {
                assert_eq!(Route::read(&route.address()), route);
            }
        }
    }

    #[test]
    fn an_address_that_nobody_knows_is_the_board() {
        for address in ["", "#", "#/", "#/nonsense", "#/requests/not-an-id"] {
            assert_eq!(Route::read(address), Route::to(Page::Requests));
        }
    }
}
