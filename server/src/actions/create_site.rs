//! Creates a site, from the command line: the one action that runs without a site's writer.

use crewbell_shared::Refusal;
use crewbell_shared::rules::name;
use crewbell_shared::site::Site;
use jiff::Timestamp;

use super::writer::{ActionError, create_site};
use super::{Action, ActionContext, Effect, Effects, ReadSet, UnitOfWork};
use crate::clock::{Clock, Ids};
use crate::db::Db;

/// Creates a site.
#[derive(Clone, Debug)]
pub struct CreateSite {
    /// The new site.
    pub site: Site,
}

impl CreateSite {
    /// Creates the site.
    ///
    /// # Errors
    /// Returns `name_taken` for a slug that another site has, `invalid` for a malformed one, or an error if the
    /// database is unavailable.
    pub async fn run(self, db: &Db, clock: &Clock, ids: &Ids, at: Option<Timestamp>) -> Result<(), ActionError> {
        create_site(db, clock, ids, self.site.clone(), Box::new(self), at).await
    }
}

impl Action for CreateSite {
    fn reads(&self, _: &mut ReadSet) {}

    fn decide(&self, unit: &UnitOfWork, _: &ActionContext<'_>) -> Result<Effects, Refusal> {
        name("name", &unit.site.name)?;
        Ok(Effects::none().and(Effect::CreateSite).and_change(unit.site.clone(), "site_created"))
    }
}
