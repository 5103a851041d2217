//! Notices that the device went to another network: its own addresses are others.

use crewbell_core::engine::Input;
use crewbell_voice::session::addresses::{Addresses, Change, Watch};

use crate::core_handle::Core;

/// Tells the core whenever the device's own addresses change.
pub(crate) async fn watch(core: Core) {
    let mut own = Watch::new(Addresses::All);
    loop {
        let Change { lost, gained } = own.changed().await;
        core.report(Input::Addresses { lost, gained });
    }
}
