//! Where in the app a person is: the part of the page's address after `#`.
//!
//! An address within the page survives a reload under the shell's own protocol, needs no server that knows it, and the
//! device's way back works by itself. `#/requests/<id>` is a [`Route`] with its page and the noun that it is about.

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

            /// Its name in an address.
            pub fn path(self) -> &'static str {
                match self { $(Self::$page => $path),+ }
            }
        }
    };
}

pages! {
    /// The board; with an id, that request beside it.
    Requests = "requests",
    /// A request asked for without a button.
    NewRequest = "new",
    /// What happened.
    Activity = "activity",
    /// One's own calls.
    Calls = "calls",
    /// The crew.
    People = "people",
    /// The buttons' health.
    Buttons = "buttons",
    /// Guests and stays.
    Guests = "guests",
    /// Decks and cabins.
    Places = "places",
    /// This device, and the site.
    Settings = "settings",
    /// What waits to be sent, and what was refused.
    Outbox = "outbox",
    /// What has no room in the bar at the bottom.
    More = "more",
}

/// Where a person is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The page.
    pub page: Page,
    /// The noun that it is about.
    pub id: Option<Uuid>,
}

impl Route {
    /// A page.
    pub fn to(page: Page) -> Self {
        Self { page, id: None }
    }

    /// A page about a noun.
    pub fn about(page: Page, id: Uuid) -> Self {
        Self { page, id: Some(id) }
    }

    /// Reads an address; what can't be read is the board.
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

/// Goes to a route; the way back leads here.
pub fn go(route: Route) {
    page::go(&route.address());
}

/// Shows a route instead of the one that is shown: the way back leads where it led before.
pub fn show(route: Route) {
    page::replace(&route.address());
}

/// Shows a page instead of what it is about in a sheet, unless the person has gone elsewhere.
pub fn leave(page: Page) {
    if Route::read(&page::address()).page != page {
        return;
    }
    if page::step() > 0 {
        // The sheet's own step goes first, and the sheet asks to be left once more: put into that step's place, the page
        // would have the sheet's address beneath it, and the way back would open it again.
        page::back();
    } else {
        show(Route::to(page));
    }
}

/// Where the person is, for as long as the app lives.
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
