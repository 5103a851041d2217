//! Volatile in-memory store, for the simulation, the browser, and tests.

#[cfg(any(test, feature = "testing"))]
use std::collections::VecDeque;

use super::{Image, Store, StoreError, Write};

/// An [`Image`] used as a store.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    image: Image,
    #[cfg(any(test, feature = "testing"))]
    faults: VecDeque<StoreError>,
}

impl Memory {
    /// Creates a store with this content.
    pub fn new(image: Image) -> Self {
        Self {
            image,
            #[cfg(any(test, feature = "testing"))]
            faults: VecDeque::new(),
        }
    }

    /// Returns the content.
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// Makes a number of further writes fail with an error, after those already scheduled to fail.
    #[cfg(any(test, feature = "testing"))]
    pub fn fail_next(&mut self, writes: usize, error: &StoreError) {
        self.faults.extend(std::iter::repeat_n(error.clone(), writes));
    }
}

impl Store for Memory {
    async fn load(&mut self) -> Result<Image, StoreError> {
        Ok(self.image.clone())
    }

    async fn write(&mut self, writes: &[Write]) -> Result<(), StoreError> {
        #[cfg(any(test, feature = "testing"))]
        if let Some(error) = self.faults.pop_front() {
            return Err(error);
        }
        self.image.apply(writes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::conformance;

    #[tokio::test]
    async fn it_conforms() {
        conformance::suite(Memory::default(), async |store| store).await;
    }

    #[tokio::test]
    async fn a_write_that_is_to_fail_fails_and_changes_nothing() {
        let mut store = Memory::default();
        store.fail_next(1, &StoreError::Full);
        store.fail_next(1, &StoreError::Failed("no".to_owned()));
        let write = [Write::Set("theme".to_owned(), Some("night".to_owned()))];
        assert_eq!(store.write(&write).await, Err(StoreError::Full));
        assert_eq!(store.write(&write).await, Err(StoreError::Failed("no".to_owned())));
        assert_eq!(store.load().await, Ok(Image::default()));
        assert_eq!(store.write(&write).await, Ok(()));
        assert_eq!(store.image().settings.len(), 1);
    }
}
