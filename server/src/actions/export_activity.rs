//! Records an export of the activity as a file: by whom, and with which filter.

use crewbell_shared::Refusal;
use crewbell_shared::person::Right;
use crewbell_shared::protocol::Audience;
use serde_json::{Value, json};

use super::{Action, ActionContext, Effect, Effects, ReadSet, UnitOfWork};

/// Records an export of the activity as a file.
#[derive(Clone, Debug)]
pub struct ExportActivity {
    /// The filter of the export.
    pub filter: Value,
}

impl Action for ExportActivity {
    fn reads(&self, _: &mut ReadSet) {}

    fn decide(&self, _: &UnitOfWork, ctx: &ActionContext<'_>) -> Result<Effects, Refusal> {
        ctx.actor.need(Right::ReadActivity)?;
        let payload = json!({ "filter": self.filter });
        Ok(Effects::none().and(Effect::Tell {
            category: "activity",
            kind: "activity_exported",
            payload,
            audience: Audience::leads(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use crewbell_shared::Code;
    use crewbell_shared::person::{Actor, Person, Role};
    use crewbell_shared::site::{Site, SiteSettings};
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::clock::Ids;

    fn decided(active: bool) -> Result<Effects, Refusal> {
        let (id, name) = (Uuid::from_u128(1).into(), "Siri".into());
        let siri = Actor::Person(Person { id, name, role: Role::Crew, on_duty: true, busy: false, active });
        let site = Site {
            id: Uuid::from_u128(9).into(),
            slug: "serenity".into(),
            name: "MY Serenity".into(),
            settings: SiteSettings::default(),
        };
        let ctx = ActionContext { at: Timestamp::UNIX_EPOCH, actor: &siri, ids: &Ids::seeded(1) };
        ExportActivity { filter: json!({ "category": "guests" }) }.decide(&UnitOfWork::new(site), &ctx)
    }

    #[test]
    fn an_export_is_told_to_those_who_lead_with_what_was_asked_for() {
        let steps = decided(true).unwrap().steps;
        let [Effect::Tell { kind, payload, audience, .. }] = steps.as_slice() else { panic!("{steps:?}") };
        assert_eq!((*kind, audience), ("activity_exported", &Audience::leads()));
        assert_eq!(payload["filter"]["category"], "guests");
    }

    #[test]
    fn somebody_who_left_exports_nothing() {
        assert_eq!(decided(false).unwrap_err().code, Code::NotActive);
    }
}
