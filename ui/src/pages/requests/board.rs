//! The arrangement of requests on the board: pure functions, tested without a page.

use crewbell_shared::ids::{PersonId, RequestId};
use crewbell_shared::request::{Priority, Request, RequestState};
use jiff::Timestamp;

/// The contents of the board, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Board {
    /// Open requests: the most urgent first, then the longest wait.
    pub waiting: Vec<RequestId>,
    /// Requests held by the signed-in person, oldest first.
    pub mine: Vec<RequestId>,
    /// Requests held by others, oldest first.
    pub others: Vec<RequestId>,
    /// Requests closed today, latest first.
    pub done: Vec<RequestId>,
    /// The median of today's times to completion, in seconds; `None` without any.
    pub median_s: Option<i64>,
    /// The creation time of the request that has waited longest.
    pub oldest: Option<Timestamp>,
    /// The number of open requests that the filter hides.
    pub hidden: usize,
}

/// A request with its sort key.
#[derive(Debug)]
struct Placed {
    id: RequestId,
    by: (i64, i64),
}

/// Arranges requests. `each` passes every request to its callback; `wanted` is the filter, which never hides an
/// emergency.
pub fn arrange(
    each: impl FnOnce(&mut dyn FnMut(&Request)),
    me: Option<PersonId>,
    today: Timestamp,
    wanted: impl Fn(&Request) -> bool,
) -> Board {
    let mut board = Board::default();
    let (mut waiting, mut mine, mut others, mut done) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut spans = Vec::new();
    each(&mut |request| {
        let emergency = request.priority == Priority::Emergency;
        let is_wanted = wanted(request) || (emergency && !request.state.is_closed());
        let at = request.created_at.as_millisecond();
        match &request.state {
            RequestState::Open if !is_wanted => board.hidden += 1,
            RequestState::Open => {
                let oldest = board.oldest.map_or(request.created_at, |oldest| oldest.min(request.created_at));
                board.oldest = Some(oldest);
                waiting.push(Placed { id: request.id, by: (-(request.priority as i64), at) });
            }
            RequestState::Accepted(now) if is_wanted => {
                let placed = Placed { id: request.id, by: (now.accepted_at.as_millisecond(), at) };
                if Some(now.accepted_by.id) == me { mine.push(placed) } else { others.push(placed) }
            }
            RequestState::Completed { completed_at, .. } if *completed_at >= today && is_wanted => {
                spans.push(completed_at.as_second() - request.created_at.as_second());
                done.push(Placed { id: request.id, by: (-completed_at.as_millisecond(), at) });
            }
            RequestState::Cancelled { cancelled_at, .. } if *cancelled_at >= today && is_wanted => {
                done.push(Placed { id: request.id, by: (-cancelled_at.as_millisecond(), at) });
            }
            RequestState::Accepted(_) | RequestState::Completed { .. } | RequestState::Cancelled { .. } => {}
        }
    });
    board.waiting = in_order(waiting);
    board.mine = in_order(mine);
    board.others = in_order(others);
    board.done = in_order(done);
    board.median_s = median(&mut spans);
    board
}

fn in_order(mut placed: Vec<Placed>) -> Vec<RequestId> {
    placed.sort_by_key(|placed| (placed.by, placed.id));
    placed.into_iter().map(|placed| placed.id).collect()
}

/// The median; of an even number of values, the lower of the middle two.
fn median(spans: &mut [i64]) -> Option<i64> {
    spans.sort_unstable();
    spans.get(spans.len().checked_sub(1)? / 2).copied()
}

impl Board {
    /// The board while it is locked: requests stay in place and only the numbers change. A number that has a line of
    /// its own neither appears nor disappears.
    #[must_use]
    pub fn held(&self, wanted: &Self) -> Self {
        let hidden = if self.hidden > 0 { wanted.hidden.max(1) } else { 0 };
        Self { oldest: wanted.oldest, median_s: wanted.median_s, hidden, ..self.clone() }
    }

    /// The number of waiting requests that this board doesn't show yet.
    pub fn missing(&self, wanted: &Self) -> usize {
        wanted.waiting.iter().filter(|id| !self.waiting.contains(id)).count()
    }

    /// All requests that aren't closed, from the top down.
    pub fn active(&self) -> impl Iterator<Item = RequestId> {
        self.waiting.iter().chain(&self.mine).chain(&self.others).copied()
    }

    /// The neighbour of a request, below or above. Without a request, the first or the last.
    pub fn beside(&self, id: Option<RequestId>, below: bool) -> Option<RequestId> {
        let all: Vec<RequestId> = self.active().collect();
        let at = id.and_then(|id| all.iter().position(|other| *other == id));
        match (at, below) {
            (Some(at), true) => all.get(at + 1).or(all.last()),
            (Some(at), false) => all.get(at.saturating_sub(1)),
            (None, true) => all.first(),
            (None, false) => all.last(),
        }
        .copied()
    }
}

#[cfg(test)]
mod tests {
    use crewbell_shared::request::Acceptance;
    use crewbell_shared::testing::{at, id, open_request, sam, siri};

    use super::*;

    fn open(number: u128, seconds: i64, priority: Priority) -> Request {
        Request { id: id(number), priority, ..open_request(at(seconds)) }
    }

    fn accepted(number: u128, by: &crewbell_shared::person::Person) -> Request {
        let acceptance = Acceptance { accepted_by: by.as_ref(), accepted_at: at(20) };
        Request { id: id(number), state: RequestState::Accepted(acceptance), ..open_request(at(0)) }
    }

    fn completed(number: u128, from: i64, to: i64) -> Request {
        let acceptance = Acceptance { accepted_by: sam().as_ref(), accepted_at: at(from) };
        let state = RequestState::Completed { acceptance, completed_by: sam().as_ref(), completed_at: at(to) };
        Request { id: id(number), state, ..open_request(at(from)) }
    }

    fn board(requests: &[Request]) -> Board {
        arrange(|take| requests.iter().for_each(take), Some(siri().id), at(0), |_| true)
    }

    fn ids(numbers: &[u128]) -> Vec<RequestId> {
        numbers.iter().map(|number| id(*number)).collect()
    }

    #[test]
    fn the_most_urgent_is_first_and_then_who_has_waited_longest() {
        let requests = [
            open(1, 30, Priority::Normal),
            open(2, 10, Priority::Normal),
            open(3, 40, Priority::Emergency),
            open(4, 0, Priority::Low),
        ];
        assert_eq!(board(&requests).waiting, ids(&[3, 2, 1, 4]));
        assert_eq!(board(&requests).oldest, Some(at(0)));
    }

    #[test]
    fn what_somebody_has_stands_with_them() {
        let board = board(&[accepted(1, &siri()), accepted(2, &sam())]);
        assert_eq!((board.mine, board.others), (ids(&[1]), ids(&[2])));
    }

    #[test]
    fn only_today_counts_as_done_and_the_median_is_of_today() {
        let requests = [completed(1, 0, 100), completed(2, 0, 300), completed(3, 100, 120), completed(4, -900, -800)];
        let board = board(&requests);
        assert_eq!(board.done, ids(&[2, 3, 1]));
        assert_eq!(board.median_s, Some(100));
        assert_eq!(self::board(&[]).median_s, None);
    }

    #[test]
    fn a_filter_hides_calls_and_says_so_and_never_an_emergency() {
        let requests = [open(1, 0, Priority::Normal), open(2, 0, Priority::Emergency)];
        let board = arrange(|take| requests.iter().for_each(take), None, at(0), |_| false);
        assert_eq!((board.waiting, board.hidden), (ids(&[2]), 1));
    }

    #[test]
    fn nothing_moves_under_a_finger_and_what_came_is_counted() {
        let shown = board(&[open(1, 10, Priority::Normal), open(2, 20, Priority::Normal)]);
        let wanted = board(&[accepted(1, &sam()), open(2, 20, Priority::Normal), open(3, 30, Priority::Emergency)]);
        let held = shown.held(&wanted);
        assert_eq!((held.waiting.clone(), held.others.clone()), (ids(&[1, 2]), Vec::new()));
        assert_eq!(held.missing(&wanted), 1);
        assert_eq!(wanted.missing(&wanted), 0);
    }

    #[test]
    fn the_line_about_what_is_hidden_neither_comes_nor_goes_under_a_finger() {
        let of = |hidden| Board { hidden, ..Board::default() };
        let held = |shown, wanted| of(shown).held(&of(wanted)).hidden;
        assert_eq!([held(0, 3), held(2, 3), held(2, 0)], [0, 3, 1]);
    }

    #[test]
    fn arrows_go_through_the_list_and_stay_at_its_ends() {
        let board = board(&[open(1, 10, Priority::Normal), accepted(2, &siri()), accepted(3, &sam())]);
        assert_eq!(board.beside(None, true), Some(id(1)));
        assert_eq!(board.beside(Some(id(1)), true), Some(id(2)));
        assert_eq!(board.beside(Some(id(3)), true), Some(id(3)));
        assert_eq!(board.beside(Some(id(1)), false), Some(id(1)));
        assert_eq!(board.beside(Some(id(9)), false), Some(id(3)));
        assert_eq!(Board::default().beside(None, true), None);
    }
}
