//! Bounded event queue of a window, so that a hanging window costs nothing; an overflow emits `Reload`.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use crate::screen::CoreEvent;

/// The events for one window that it hasn't taken yet.
#[derive(Debug)]
pub struct Window {
    waiting: Mutex<VecDeque<CoreEvent>>,
    news: Notify,
    most: usize,
}

impl Window {
    /// Creates a queue with a maximum length.
    pub fn new(most: usize) -> Self {
        Self { waiting: Mutex::default(), news: Notify::new(), most: most.max(1) }
    }

    /// Queues events without blocking. On overflow the queue is replaced by [`CoreEvent::Reload`], after which the window
    /// fetches the view state. Events that aren't part of a view state (an open, a refusal) are lost.
    pub fn emit(&self, told: &[CoreEvent]) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() + told.len() > self.most {
            waiting.clear();
            waiting.push_back(CoreEvent::Reload);
        } else {
            waiting.extend(told.iter().cloned());
        }
        drop(waiting);
        self.news.notify_one();
    }

    /// Waits for the first event and takes all, in order. For one reader.
    pub async fn take(&self) -> Vec<CoreEvent> {
        loop {
            let taken: Vec<CoreEvent> = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect();
            if !taken.is_empty() {
                return taken;
            }
            self.news.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voice() -> CoreEvent {
        CoreEvent::Voice { player: None }
    }

    #[tokio::test]
    async fn what_is_told_is_taken_in_order() {
        let window = Window::new(3);
        window.emit(&[voice(), CoreEvent::Reload]);
        window.emit(&[voice()]);
        assert_eq!(window.take().await, [voice(), CoreEvent::Reload, voice()]);
    }

    #[tokio::test]
    async fn a_window_that_hangs_is_told_to_look_again() {
        let window = Window::new(3);
        for _ in 0..4 {
            window.emit(&[voice()]);
        }
        window.emit(&[voice()]);
        assert_eq!(window.take().await, [CoreEvent::Reload, voice()]);
    }
}
