//! Bytes that wait, over all connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// How many bytes may wait in all. It is told, not enforced: whoever holds much asks before taking more.
#[derive(Clone, Debug)]
pub struct Budget {
    most: usize,
    held: Arc<AtomicUsize>,
}

impl Budget {
    /// A budget of so many bytes.
    pub fn new(most: usize) -> Self {
        Self { most, held: Arc::default() }
    }

    /// Whether it is spent.
    pub fn is_spent(&self) -> bool {
        self.held.load(Relaxed) >= self.most
    }

    /// Begins to hold bytes of it: none as yet.
    pub fn hold(&self) -> Held {
        Held { budget: self.clone(), bytes: 0 }
    }
}

/// The bytes that one holder has; given back when dropped.
#[derive(Debug)]
pub struct Held {
    budget: Budget,
    bytes: usize,
}

impl Held {
    /// Holds so many from now on.
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
