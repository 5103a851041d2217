//! In which order pictures and what is told belong. They come by different ways, and on a busy device either may be the
//! faster: without this, an old picture would undo what was told since, or a late word what the picture knows better,
//! and nothing would put it right.
//!
//! The core marks in what it tells where each picture was taken ([`Told::Looked`]). What was told before the mark is in the
//! picture, and what comes after it is done again over it.

use crewbell_core::screen::Told;

/// What is known of the order.
#[derive(Debug, Default)]
pub struct Order {
    /// Pictures that were asked for and haven't come.
    awaited: usize,
    /// What was told while one was awaited, with the marks.
    heard: Vec<Told>,
    /// The number of the picture that is shown.
    shown: u64,
    /// Its mark has not come by yet: what is told until then is in it.
    ahead: bool,
}

impl Order {
    /// A picture is asked for.
    pub fn asked(&mut self) {
        self.awaited += 1;
    }

    /// Something was told; what of it is to be shown now.
    pub fn told(&mut self, told: Vec<Told>) -> Vec<Told> {
        if self.awaited > 0 {
            self.heard.extend(told.iter().cloned());
        }
        let mut news = Vec::with_capacity(told.len());
        for told in told {
            if let Told::Looked { look } = told {
                self.ahead &= look < self.shown;
            } else if !(self.ahead && is_pictured(&told)) {
                news.push(told);
            }
        }
        news
    }

    /// The picture of that number came; 0: it came to nothing. `None`: a later one is shown, or there is none.
    /// Otherwise what was told since it was taken, to be shown over it.
    pub fn answered(&mut self, look: u64) -> Option<Vec<Told>> {
        self.awaited = self.awaited.saturating_sub(1);
        let since = (look > self.shown).then(|| {
            let mark = self.heard.iter().position(|told| matches!(told, Told::Looked { look: of } if *of == look));
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

/// Whether it says something that is part of a picture.
fn is_pictured(told: &Told) -> bool {
    match told {
        Told::Patch { .. }
        | Told::Status { .. }
        | Told::Outbox { .. }
        | Told::Present { .. }
        | Told::Seen { .. }
        | Told::Alerts { .. }
        | Told::Phone { .. }
        | Told::Settings { .. } => true,
        Told::Reached { .. }
        | Told::Refused { .. }
        | Told::Voice { .. }
        | Told::Levels { .. }
        | Told::Open { .. }
        | Told::Looked { .. }
        | Told::Reload => false,
    }
}

#[cfg(test)]
mod tests {
    use crewbell_core::screen::Status;

    use super::*;

    fn status(waiting: u32) -> Told {
        Told::Status { status: Status { waiting, ..Status::default() } }
    }

    fn mark(look: u64) -> Told {
        Told::Looked { look }
    }

    #[test]
    fn what_is_told_is_shown_at_once_while_nothing_is_awaited() {
        let mut order = Order::default();
        assert_eq!(order.told(vec![status(1), Told::Reload]), [status(1), Told::Reload]);
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
        let open = Told::Open { request_id: crewbell_shared::testing::id(1) };
        assert_eq!(order.told(vec![open.clone(), Told::Reload]), [open, Told::Reload]);
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
        assert_eq!(order.told(vec![Told::Reload, status(1)]), [Told::Reload]);
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
