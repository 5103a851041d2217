//! Orders snapshots and events. They use different channels and can arrive in either order, above all on a busy device.
//! Without this, an old snapshot would undo later events, or a late event would undo what a newer snapshot contains,
//! and nothing would correct it.
//!
//! The core marks in its events where each snapshot was taken ([`CoreEvent::Looked`]). Events before the mark are contained
//! in the snapshot; events after it are applied over the snapshot again.

use crewbell_core::screen::CoreEvent;

/// The ordering state.
#[derive(Debug, Default)]
pub struct Order {
    /// The number of snapshots that were requested and haven't arrived.
    awaited: usize,
    /// Events received while a snapshot was awaited, with the marks.
    heard: Vec<CoreEvent>,
    /// The number of the snapshot that is shown.
    shown: u64,
    /// Whether the mark of that snapshot is still to come: events until then are contained in it.
    ahead: bool,
}

impl Order {
    /// Records that a snapshot was requested.
    pub fn asked(&mut self) {
        self.awaited += 1;
    }

    /// Takes received events and returns those to apply now.
    pub fn told(&mut self, told: Vec<CoreEvent>) -> Vec<CoreEvent> {
        if self.awaited > 0 {
            self.heard.extend(told.iter().cloned());
        }
        let mut news = Vec::with_capacity(told.len());
        for told in told {
            if let CoreEvent::Looked { look } = told {
                self.ahead &= look < self.shown;
            } else if !(self.ahead && is_pictured(&told)) {
                news.push(told);
            }
        }
        news
    }

    /// Takes the number of a snapshot that arrived, or 0 if the request failed. Returns the events to apply over it, or
    /// `None` if a later snapshot is shown or there is none.
    pub fn answered(&mut self, look: u64) -> Option<Vec<CoreEvent>> {
        self.awaited = self.awaited.saturating_sub(1);
        let since = (look > self.shown).then(|| {
            let mark = self.heard.iter().position(|told| matches!(told, CoreEvent::Looked { look: of } if *of == look));
            self.shown = look;
            self.ahead = mark.is_none();
            let since = mark.map_or(&[][..], |mark| &self.heard[mark..]);
            since.iter().filter(|told| is_pictured(told)).cloned().collect()
        });
        if self.awaited == 0 {
            self.heard.clear();
        }
        since
    }
}

/// Whether an event changes something that is part of a snapshot.
fn is_pictured(told: &CoreEvent) -> bool {
    match told {
        CoreEvent::Patch { .. }
        | CoreEvent::Status { .. }
        | CoreEvent::Outbox { .. }
        | CoreEvent::Present { .. }
        | CoreEvent::Seen { .. }
        | CoreEvent::Alerts { .. }
        | CoreEvent::Phone { .. }
        | CoreEvent::Settings { .. } => true,
        CoreEvent::Reached { .. }
        | CoreEvent::Refused { .. }
        | CoreEvent::Voice { .. }
        | CoreEvent::Levels { .. }
        | CoreEvent::Open { .. }
        | CoreEvent::Looked { .. }
        | CoreEvent::Reload => false,
    }
}

#[cfg(test)]
mod tests {
    use crewbell_core::screen::Status;

    use super::*;

    fn status(waiting: u32) -> CoreEvent {
        CoreEvent::Status { status: Status { waiting, ..Status::default() } }
    }

    fn mark(look: u64) -> CoreEvent {
        CoreEvent::Looked { look }
    }

    #[test]
    fn what_is_told_is_shown_at_once_while_nothing_is_awaited() {
        let mut order = Order::default();
        assert_eq!(order.told(vec![status(1), CoreEvent::Reload]), [status(1), CoreEvent::Reload]);
    }

    #[test]
    fn what_was_told_since_is_done_again_over_a_picture_that_comes_late() {
        let mut order = Order::default();
        order.asked();
        assert_eq!(order.told(vec![status(1), mark(1), status(2)]), [status(1), status(2)]);
        assert_eq!(order.answered(1), Some(vec![status(2)]));
        assert_eq!(order.told(vec![status(3)]), [status(3)]);
    }

    #[test]
    fn what_comes_late_is_not_done_again_over_a_picture_that_has_it() {
        let mut order = Order::default();
        order.asked();
        assert_eq!(order.answered(1), Some(Vec::new()));
        assert_eq!(order.told(vec![status(1)]), []);
        assert_eq!(order.told(vec![status(2), mark(1), status(3)]), [status(3)]);
    }

    #[test]
    fn what_no_picture_has_is_always_heard() {
        let mut order = Order::default();
        order.asked();
        assert!(order.answered(1).is_some());
        let open = CoreEvent::Open { request_id: crewbell_shared::testing::id(1) };
        assert_eq!(order.told(vec![open.clone(), CoreEvent::Reload]), [open, CoreEvent::Reload]);
    }

    #[test]
    fn of_two_pictures_the_later_one_stays() {
        let mut order = Order::default();
        order.asked();
        order.asked();
        order.told(vec![mark(1), status(1), mark(2), status(2)]);
        assert_eq!(order.answered(2), Some(vec![status(2)]));
        assert_eq!(order.answered(1), None);
    }

    #[test]
    fn a_mark_that_was_lost_with_a_full_queue_is_made_good_by_the_next_look() {
        let mut order = Order::default();
        order.asked();
        assert!(order.answered(1).is_some());
        assert_eq!(order.told(vec![CoreEvent::Reload, status(1)]), [CoreEvent::Reload]);
        order.asked();
        assert_eq!(order.told(vec![mark(2), status(2)]), [status(2)]);
        assert_eq!(order.answered(2), Some(vec![status(2)]));
    }

    #[test]
    fn a_look_that_came_to_nothing_changes_nothing() {
        let mut order = Order::default();
        order.asked();
        assert_eq!(order.told(vec![status(1)]), [status(1)]);
        assert_eq!(order.answered(0), None);
        assert_eq!(order.told(vec![status(2)]), [status(2)]);
    }
}
