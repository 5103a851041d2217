//! Detects that the device changed networks, by its own addresses.

use crewbell_core::engine::Input;
use crewbell_voice::session::addresses::{Addresses, Change, Watch};

use crate::core_handle::Core;

/// Reports every change of the device's own addresses to the core.
pub(crate) async fn watch(core: Core) {
    let mut own = Watch::new(Addresses::All);
    loop {
        let Change { lost, gained } = own.changed().await;
        core.report(Input::Addresses { lost, gained });
    }
}
