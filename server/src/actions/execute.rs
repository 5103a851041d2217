//! Runs a client's command: the rule that server and clients share decides it.

use crewbell_shared::ids::PersonId;
use crewbell_shared::person::PersonVerb;
use crewbell_shared::protocol::{Entity, Verb};
use crewbell_shared::rules::{Change, Lookup};
use crewbell_shared::site::SiteVerb;
use crewbell_shared::{Refusal, rules};
use sha2::{Digest, Sha256};

use super::{Action, ActionContext, Effect, Effects, ReadSet, UnitOfWork};

/// Runs a client's command.
#[derive(Clone, Debug)]
pub struct Execute(pub Verb);

impl Action for Execute {
    fn reads(&self, reads: &mut ReadSet) {
        let meta = self.0.meta();
        meta.subject.into_iter().chain(meta.references).for_each(|key| reads.entity(key));
        self.0.queries(None).into_iter().for_each(|query| reads.query(query));
        if let Verb::Person(PersonVerb::Save { person_id, .. }) = &self.0 {
            reads.sessions_of.insert(*person_id);
        }
    }

    fn reads_of_actor(&self, actor: PersonId, reads: &mut ReadSet) {
        self.0.queries(Some(actor)).into_iter().for_each(|query| reads.query(query));
    }

    fn decide(&self, unit: &UnitOfWork, ctx: &ActionContext<'_>) -> Result<Effects, Refusal> {
        let changes = rules::decide(&self.0, unit, ctx.actor, ctx.at)?;
        if let Verb::Site(SiteVerb::SaveSettings { settings }) = &self.0 {
            // Only the server can check a time zone: an app has no time zone database.
            if settings.time_zone != unit.site.settings.time_zone {
                crate::http::zone(&settings.time_zone)?;
            }
        }
        let gone: Vec<_> = changes.iter().filter_map(|change| deactivated(unit, change)).collect();
        let effects = Effects::from(changes);
        if gone.is_empty() {
            return Ok(effects);
        }
        // A deactivated person is signed out everywhere.
        let ended = unit.sessions.iter().filter(|session| gone.contains(&session.person_id));
        let ended: Vec<_> = ended.map(|session| session.id).collect();
        Ok(if ended.is_empty() { effects } else { effects.and(Effect::EndSessions(ended)) })
    }
}

/// Returns the person whom a change deactivates.
fn deactivated(unit: &UnitOfWork, change: &Change) -> Option<PersonId> {
    let Entity::Person(person) = &change.entity else { return None };
    let was = unit.get(person.id).is_some_and(|before| before.active);
    (was && !person.active).then_some(person.id)
}

/// Returns the verb's name, and the SHA-256 of the verb with its arguments, which distinguishes a repeated command from
/// another one under the same id.
///
/// # Errors
/// Returns `serde_json`'s error, which these types can't cause.
pub fn digest(verb: &Verb) -> serde_json::Result<(String, Vec<u8>)> {
    let json = serde_json::to_value(verb)?;
    Ok((verb.name().to_owned(), Sha256::digest(json.to_string()).to_vec()))
}
