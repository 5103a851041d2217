//! A site is created, by the command line: the one action that no site's writer can do.

use crewbell_shared::Refusal;
use crewbell_shared::rules::name;
use crewbell_shared::site::Site;
use jiff::Timestamp;

use super::writer::{NotDone, create_site};
use super::{Action, Moment, Step, Steps, Wants, World};
use crate::clock::{Clock, Ids};
use crate::db::Db;

/// A site is created.
#[derive(Clone, Debug)]
pub struct CreateSite {
    /// The site.
    pub site: Site,
}

impl CreateSite {
    /// Creates the site.
    ///
    /// # Errors
    /// `name_taken` for a slug that another site has, `invalid` for one that can't be; or the database is away.
    pub async fn run(self, db: &Db, clock: &Clock, ids: &Ids, at: Option<Timestamp>) -> Result<(), NotDone> {
        create_site(db, clock, ids, self.site.clone(), Box::new(self), at).await
    }
}

impl Action for CreateSite {
    fn wants(&self, _: &mut Wants) {}

    fn decide(&self, world: &World, _: &Moment<'_>) -> Result<Steps, Refusal> {
        name("name", &world.site.name)?;
        Ok(Steps::none().and(Step::CreateSite).and_change(world.site.clone(), "site_created"))
    }
}
