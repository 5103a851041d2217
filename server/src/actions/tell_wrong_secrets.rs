//! Notifies the supervising roles of repeated wrong PINs or passwords.

use std::net::IpAddr;

use crewbell_shared::Refusal;
use crewbell_shared::ids::PersonId;
use crewbell_shared::protocol::Audience;
use crewbell_shared::rules::Lookup;
use serde_json::json;

use super::{Action, ActionContext, Effect, Effects, ReadSet, UnitOfWork};

/// Logs that wrong PINs or passwords have passed a threshold. The typed secrets are stored nowhere.
#[derive(Clone, Debug)]
pub struct TellWrongSecrets {
    /// The person tried; `None` for the site as a whole, whatever the names.
    pub person_id: Option<PersonId>,
    /// Number of failures in a row, with less than a day between them.
    pub times: u32,
    /// Client address of the last failure.
    pub address: IpAddr,
    /// Whether the last failure came from a device on which the person has signed in before.
    pub known_device: bool,
}

impl Action for TellWrongSecrets {
    fn reads(&self, reads: &mut ReadSet) {
        self.person_id.into_iter().for_each(|id| reads.entity(id));
    }

    fn decide(&self, unit: &UnitOfWork, _: &ActionContext<'_>) -> Result<Effects, Refusal> {
        let Self { person_id, times, address, known_device } = self;
        let (kind, payload) = match person_id {
            Some(id) => {
                let person = unit.get(*id).ok_or_else(|| Refusal::not_found("person"))?;
                let payload = json!({
                    "person_id": id, "name": person.name, "times": times, "address": address,
                    "known_device": known_device,
                });
                ("person_sign_in_refused", payload)
            }
            None => ("sign_ins_refused", json!({ "times": times, "address": address })),
        };
        Ok(Effects::none().and(Effect::Tell { category: "people", kind, payload, audience: Audience::leads() }))
    }
}
