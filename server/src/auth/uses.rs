//! Last-use tracking of sessions: noted in memory with each request, written in one batch.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crewbell_shared::ids::SessionId;

/// Sessions of a site that were used since the last write; at most as many as are signed in.
#[derive(Debug, Default)]
pub struct Uses(Mutex<BTreeSet<SessionId>>);

impl Uses {
    /// Notes that a session is used.
    pub fn note(&self, session: SessionId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(session);
    }

    /// Takes the noted sessions out.
    pub fn take(&self) -> BTreeSet<SessionId> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts back sessions that could not be written.
    pub fn put_back(&self, sessions: impl IntoIterator<Item = SessionId>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(sessions);
    }
}
