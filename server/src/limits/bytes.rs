//! Memory budget for buffered bytes, shared by all connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// A budget of buffered bytes. It is advisory: holders of much ask before they take more.
#[derive(Clone, Debug)]
pub struct Budget {
    most: usize,
    held: Arc<AtomicUsize>,
}

impl Budget {
    /// Creates a budget of `most` bytes.
    pub fn new(most: usize) -> Self {
        Self { most, held: Arc::default() }
    }

    /// Whether the budget is spent.
    pub fn is_spent(&self) -> bool {
        self.held.load(Relaxed) >= self.most
    }

    /// Returns a new holder, of zero bytes.
    pub fn hold(&self) -> Held {
        Held { budget: self.clone(), bytes: 0 }
    }
}

/// The bytes of one holder; returned to the budget when dropped.
#[derive(Debug)]
pub struct Held {
    budget: Budget,
    bytes: usize,
}

impl Held {
    /// Sets the number of bytes held.
    pub fn set(&mut self, bytes: usize) {
        if bytes > self.bytes {
            self.budget.held.fetch_add(bytes - self.bytes, Relaxed);
        } else {
            self.budget.held.fetch_sub(self.bytes - bytes, Relaxed);
        }
        self.bytes = bytes;
    }

    /// Whether the budget is spent, and this holder has more than `fair` of it.
    pub fn is_too_much(&self, fair: usize) -> bool {
        self.bytes > fair && self.budget.is_spent()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_holds_little_may_go_on_when_the_budget_is_spent() {
        let budget = Budget::new(100);
        let (mut much, mut little) = (budget.hold(), budget.hold());
        much.set(95);
        little.set(10);
        assert!(much.is_too_much(50) && !little.is_too_much(50));
        drop(much);
        assert!(!budget.is_spent());
        little.set(0);
        assert_eq!(budget.held.load(Relaxed), 0);
    }
}
