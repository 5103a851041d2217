//! The demo site: MY Serenity, a yacht of twelve cabins with a week of history.
//!
//! | file | contents |
//! |---|---|
//! | `cast` | crew, places, buttons and guests: the file in which to change a name |
//! | `ground` | the site's set-up |
//! | `week` | seven days of history; `story` has the course of one request, `words` the texts |
//! | `present` | the last forty minutes, with the requests that are open when the demo starts |
//! | `play` | the execution of the script as actions |
//! | `panel` | a web page with the buttons, to press them |
//!
//! All history is written by the same [actions](crate::actions) as those of buttons and tablets, with times in the past
//! and in the order of those times. The same `now` gives the same script. PINs, passwords and the join code are fixed
//! and published: a demo site has no access protection, so it must not be on an open network.

mod cast;
mod history;
mod last_hour;
mod load;
pub mod panel;
mod request_course;
mod set_up;
mod texts;
mod timeline;

#[cfg(test)]
mod tests;

use anyhow::{Context, ensure};
use crewbell_shared::ids::{DeviceId, PersonId, SiteId};
use crewbell_shared::person::{Actor, Role};
use crewbell_shared::protocol::Source;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use self::cast::{CREW, Cast, DEVICES, JOIN_CODE, NAME, SLUG, SPOTS};
use self::timeline::{Planned, Timeline, rounded};
use crate::actions::SignIn;
use crate::auth::Token;
use crate::clock::Ids;
use crate::db;
use crate::db::sessions::Session;
use crate::site_registry::{OpenSite, SiteRegistry};

/// The base seed of the demo; another number makes another week.
const SEED: u64 = 0x0005_E7E5_1117;

/// The demo site, described for the programs that drive it.
#[derive(Clone, Debug, Serialize)]
pub struct DemoSite {
    /// The site.
    pub site: DemoPlace,
    /// The people who can sign in, in the order of their PINs.
    pub people: Vec<DemoPerson>,
    /// The buttons that can be pressed.
    pub buttons: Vec<DemoButton>,
    /// The credentials of a new button or a gateway.
    pub join: DemoJoin,
}

/// The site itself.
#[derive(Clone, Debug, Serialize)]
pub struct DemoPlace {
    /// Its id.
    pub id: SiteId,
    /// Its slug: `serenity`.
    pub slug: String,
    /// Its name.
    pub name: String,
}

/// A member of the crew.
#[derive(Clone, Serialize)]
pub struct DemoPerson {
    /// The person's id.
    pub id: PersonId,
    /// The name to sign in with.
    pub name: String,
    /// The person's role.
    pub role: Role,
    /// The PIN, unless it was changed since.
    pub pin: String,
    /// A valid token; the one of an earlier start has ended.
    pub token: String,
}

/// A button.
#[derive(Clone, Serialize)]
pub struct DemoButton {
    /// Its id on the wire.
    pub id: String,
    /// The name of the place where it was mounted.
    pub place: String,
    /// The name of the deck that the place is on.
    pub deck: String,
    /// Its MQTT user name.
    pub username: String,
    /// Its MQTT password.
    pub password: String,
}

/// The credentials of a new button or a gateway.
#[derive(Clone, Serialize)]
pub struct DemoJoin {
    /// The MQTT user name: the site's slug.
    pub username: String,
    /// The join code.
    pub password: String,
}

/// Loads the demo site and signs everybody in. An existing site `serenity` stays unchanged, except for new tokens.
///
/// The first load takes a few seconds and writes some 2,000 log entries. `now` is the end of the history; later events
/// may not have earlier times, so it shouldn't be in the future.
///
/// # Errors
/// Returns an error if the database is unavailable, or if an existing site of that slug has none of the demo's crew.
pub async fn load(registry: &SiteRegistry, now: Timestamp) -> anyhow::Result<DemoSite> {
    let known = registry.site_named(Some(SLUG)).await.context("look for the demo site")?;
    let site = if let Some((site, _)) = known {
        site
    } else {
        let (cast, script) = plan(now);
        load::play(registry, cast, script, set_up_at(now)).await?
    };
    let people = sign_in(registry, &site, now).await?;
    ensure!(
        !people.is_empty(),
        "The site \"{SLUG}\" has none of the demo's crew; remove it, or use another data folder."
    );
    Ok(DemoSite {
        site: DemoPlace { id: site.id, slug: SLUG.to_owned(), name: NAME.to_owned() },
        people,
        buttons: DEVICES
            .iter()
            .map(|device| DemoButton {
                id: device.id.to_owned(),
                place: SPOTS[device.spot].name.to_owned(),
                deck: SPOTS[device.spot].deck.map_or_else(String::new, |deck| SPOTS[deck].name.to_owned()),
                username: device.username(),
                password: device.password(),
            })
            .collect(),
        join: DemoJoin { username: SLUG.to_owned(), password: JOIN_CODE.to_owned() },
    })
}

/// Builds the script up to `now`, in order: the set-up eight days ago, a week of history that ends forty minutes before
/// the last full hour, and the present.
fn plan(now: Timestamp) -> (Cast, Vec<Planned>) {
    let now = rounded(now, 1);
    let hour = rounded(now, 3_600);
    let set_up_at = set_up_at(now);
    let mut script = Timeline::new(now, set_up_at);
    set_up::write(&mut script, set_up_at);
    history::write(&mut script, hour - SignedDuration::from_hours(7 * 24), hour - last_hour::REACHES);
    last_hour::write(&mut script);
    script.finish()
}

fn set_up_at(now: Timestamp) -> Timestamp {
    rounded(now, 3_600) - SignedDuration::from_hours(8 * 24)
}

/// Signs in all crew members who still exist. Each has one device, the same at every start, so that live sessions don't
/// accumulate; PINs aren't checked, because they may have been changed.
async fn sign_in(registry: &SiteRegistry, site: &OpenSite, at: Timestamp) -> anyhow::Result<Vec<DemoPerson>> {
    let devices = Ids::seeded(SEED + 3);
    let mut people = Vec::with_capacity(CREW.len());
    for member in &CREW {
        let device_id: DeviceId = devices.next(Timestamp::UNIX_EPOCH);
        let known = {
            let mut tx = registry.db.read(site.id).await.context("look for the crew")?;
            match db::people::by_name(&mut tx, site.id, member.name).await.context("look for the crew")? {
                Some((id, _)) => db::people::find(&mut tx, site.id, id).await.context("look for the crew")?,
                None => None,
            }
        };
        let Some(person) = known else {
            continue;
        };
        let person_id = person.id;
        let token = Token::new(site.id, &registry.ids);
        let session = Session {
            id: registry.ids.next(at),
            person_id,
            device_id,
            device_name: "demo".to_owned(),
            created_at: at,
            used_at: at,
        };
        let action = SignIn { session, token_hash: token.hash() };
        let done = site.act_at(Box::new(action), Actor::Person(person), Source::Server, at).await;
        done.with_context(|| format!("sign {} in", member.name))?;
        people.push(DemoPerson {
            id: person_id,
            name: member.name.to_owned(),
            role: member.role,
            pin: member.pin.to_owned(),
            token: token.to_string(),
        });
    }
    Ok(people)
}

/// Keeps PINs, passwords and tokens out of logs.
macro_rules! hide_secrets {
    ($($name:ident),+) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )+};
}
hide_secrets!(DemoPerson, DemoButton, DemoJoin);
