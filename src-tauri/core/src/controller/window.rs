//! A window's queue: bounded, so that one that hangs costs nothing; overflow says "look again".

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use crate::screen::Told;

/// What is told to one window and not taken yet.
#[derive(Debug)]
pub struct Window {
    waiting: Mutex<VecDeque<Told>>,
    news: Notify,
    most: usize,
}

impl Window {
    /// A queue in which so many may wait.
    pub fn new(most: usize) -> Self {
        Self { waiting: Mutex::default(), news: Notify::new(), most: most.max(1) }
    }

    /// Tells the window; never waits. When too much waits, all of it is replaced by [`Told::Reload`]: the picture that
    /// the window then asks for has it all. What is no part of a picture (an open, a refusal) is lost with it.
    pub fn tell(&self, told: &[Told]) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() + told.len() > self.most {
            waiting.clear();
            waiting.push_back(Told::Reload);
        } else {
            waiting.extend(told.iter().cloned());
        }
        drop(waiting);
        self.news.notify_one();
    }

    /// All that waits, in order; waits for the first. For one reader.
    pub async fn take(&self) -> Vec<Told> {
        loop {
            let taken: Vec<Told> = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect();
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

    fn voice() -> Told {
        Told::Voice { player: None }
    }

    #[tokio::test]
    async fn what_is_told_is_taken_in_order() {
        let window = Window::new(3);
        window.tell(&[voice(), Told::Reload]);
        window.tell(&[voice()]);
        assert_eq!(window.take().await, [voice(), Told::Reload, voice()]);
    }

    #[tokio::test]
    async fn a_window_that_hangs_is_told_to_look_again() {
        let window = Window::new(3);
        for _ in 0..4 {
            window.tell(&[voice()]);
        }
        window.tell(&[voice()]);
        assert_eq!(window.take().await, [Told::Reload, voice()]);
    }
}
