//! Spellings of device ids other than the canonical one. A device that subscribes with its own spelling gets its
//! acknowledgements on that topic.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use crewbell_shared::button::device_id;
use crewbell_shared::ids::SiteId;

/// Maximum number of spellings kept for one device.
const OF_ONE: usize = 4;

/// Maximum number of devices; a full table is cleared and learned again.
const REMEMBERED: usize = 4096;

/// The spellings in use. In memory, because a reconnecting device sends its spelling again.
#[derive(Clone, Debug, Default)]
pub struct Spellings {
    known: Arc<Mutex<BTreeMap<(SiteId, String), Spelled>>>,
}

/// The spellings of one device.
type Spelled = BTreeSet<String>;

impl Spellings {
    /// Converts a device id to its canonical spelling, and records the spelling used.
    pub(super) fn known_by(&self, site: SiteId, spelled: &str) -> String {
        let device = device_id(spelled);
        if device != spelled {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= REMEMBERED {
                known.clear();
            }
            let spellings = known.entry((site, device.clone())).or_default();
            if spellings.len() < OF_ONE {
                spellings.insert(spelled.to_owned());
            }
        }
        device
    }

    /// All spellings of a device: the canonical one first, then its own.
    pub(super) fn of(&self, site: SiteId, device: &str) -> Vec<String> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let others = known.get(&(site, device.to_owned())).into_iter().flatten().cloned();
        std::iter::once(device.to_owned()).chain(others).collect()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_device_is_answered_in_its_own_letters_too() {
        let (site, spellings) = (SiteId(Uuid::from_u128(1)), Spellings::default());
        assert_eq!(spellings.of(site, "aabbccddee07"), ["aabbccddee07"]);
        assert_eq!(spellings.known_by(site, "AA:BB:CC:DD:EE:07"), "aabbccddee07");
        assert_eq!(spellings.known_by(site, "cabin-5"), "cabin-5");
        assert_eq!(spellings.of(site, "aabbccddee07"), ["aabbccddee07", "AA:BB:CC:DD:EE:07"]);
        assert_eq!(spellings.of(site, "cabin-5"), ["cabin-5"]);
        assert_eq!(
            spellings.of(SiteId(Uuid::from_u128(2)), "aabbccddee07").len(),
            1,
            "another site's is another device"
        );
    }
}
