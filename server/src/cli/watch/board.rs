//! The `--board` view: the open and accepted requests, and the latest event lines.

use std::fmt::Write;

use crewbell_shared::request::RequestState;
use jiff::Timestamp;

use super::lines::{asked, kind};
use super::model::Model;
use crate::cli::format::{plain, span};

/// The most requests shown; the rest are counted. With [`LINES`] they fit into the 24 lines of the smallest terminal.
const REQUESTS: usize = 12;

/// The most event lines shown.
pub(super) const LINES: usize = 6;

/// The connection state in the board's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// Connected; the board is current.
    Live,
    /// Disconnected; the board shows the state at this time of day.
    Lost(String),
}

/// Renders the board as text, one text line for each line of the terminal.
pub(super) fn draw(model: &Model, now: Timestamp, link: &Link, happened: &[String]) -> String {
    let mut board = String::new();
    let (open, accepted) = model.counts();
    let site = model.site.as_ref().map_or("Crewbell", |site| site.name.as_str());
    let link = match link {
        Link::Live => "live".to_owned(),
        Link::Lost(since) => format!("CONNECTION LOST, showing {since}"),
    };
    // Writing to a String can't fail.
    let _ = writeln!(board, "{} · {open} open · {accepted} accepted · {link}\n", plain(site));
    let current = model.current();
    if current.is_empty() {
        board.push_str("  Nobody waits.\n");
    }
    for request in current.iter().take(REQUESTS) {
        let (mark, who, since) = match &request.state {
            RequestState::Accepted(now) => ("  ✓", format!("{} has it", now.accepted_by.name), now.accepted_at),
            RequestState::Open | RequestState::Completed { .. } | RequestState::Cancelled { .. } => {
                ("▶ !", asked(request), request.created_at)
            }
        };
        let guest = request.guest_id.and_then(|id| model.guest(id)).map(|guest| format!("  ({guest})"));
        let quiet = if model.do_not_disturb(request.place_id) { "  [do not disturb]" } else { "" };
        let age = span(now.duration_since(since));
        let words = format!(
            "{mark} {age:>8}  {:<16}  {:<14}  {who}{}{quiet}",
            request.place_name,
            kind(request),
            guest.unwrap_or_default()
        );
        let _ = writeln!(board, "{}", plain(&words));
    }
    if current.len() > REQUESTS {
        let _ = writeln!(board, "  and {} more", current.len() - REQUESTS);
    }
    board.push('\n');
    for line in happened.iter().rev().take(LINES).rev() {
        let _ = writeln!(board, "{line}");
    }
    board
}

#[cfg(test)]
mod tests {
    use crewbell_shared::ids::RequestId;
    use crewbell_shared::request::Request;

    use super::super::props::{at, open_request};
    use super::*;

    #[test]
    fn the_board_shows_who_waits_and_for_how_long() {
        let mut model = Model::default();
        model.put(open_request().into());
        let board = draw(&model, at(42), &Link::Live, &["12:00:00  pressed".into()]);
        let expected = "Crewbell · 1 open · 0 accepted · live\n\n\
                        ▶ !     0:42  Cabin 5           Call            pressed\n\n12:00:00  pressed\n";
        assert_eq!(board, expected);
    }

    #[test]
    fn a_lost_connection_says_as_of_when() {
        let board = draw(&Model::default(), at(0), &Link::Lost("14:02:11".into()), &[]);
        assert!(board.starts_with("Crewbell · 0 open · 0 accepted · CONNECTION LOST, showing 14:02:11\n"));
        assert!(board.contains("Nobody waits."));
    }

    #[test]
    fn a_full_board_still_fits_the_smallest_terminal() {
        let mut model = Model::default();
        for number in 0..40 {
            model.put(Request { id: RequestId(uuid::Uuid::from_u128(number)), ..open_request() }.into());
        }
        let happened: Vec<_> = (0..40).map(|line| line.to_string()).collect();
        let board = draw(&model, at(0), &Link::Live, &happened);
        assert!(board.contains("and 28 more"));
        assert!(board.lines().count() < 24, "{}", board.lines().count());
        assert!(board.ends_with("39\n"));
    }
}
