//! How devices spell their own ids, where it isn't the one spelling that they are known by: a lamp's topic is answered in
//! the letters in which its device listens.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use crewbell_shared::button::device_id;
use crewbell_shared::ids::SiteId;

/// Spellings of one device that are answered.
const OF_ONE: usize = 4;

/// Devices whose spellings are remembered; beyond, all are learned anew.
const REMEMBERED: usize = 4096;

/// The spellings in use; in memory, because a device that comes back says again how it is spelled.
#[derive(Clone, Debug, Default)]
pub struct Spellings {
    known: Arc<Mutex<BTreeMap<(SiteId, String), Spelled>>>,
}

/// How one device was spelled.
type Spelled = BTreeSet<String>;

impl Spellings {
    /// The id that a device is known by; notes how it was spelled.
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

    /// How a device is spelled: as it is known, and as it spells itself.
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
