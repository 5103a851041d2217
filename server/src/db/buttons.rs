//! Rows and queries of buttons.

use std::collections::BTreeMap;

use crewbell_shared::button::{Button, ButtonState, Health};
use crewbell_shared::guest::Stay;
use crewbell_shared::ids::SiteId;
use crewbell_shared::place::{Place, PlaceKind};
use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{BadRow, DbError, named, sql, sql_opt};

/// A button, with the state that the log doesn't carry.
#[derive(Clone, Debug)]
pub struct KnownButton {
    /// The button, as last logged.
    pub button: Button,
    /// Dedup state, which distinguishes a repetition from a new press.
    pub memory: serde_json::Value,
    /// When its last message was received.
    pub seen_at: Option<Timestamp>,
    /// Address and client id that delivered its first message; set only while it is being registered.
    pub found_via: Option<String>,
}

/// Counts of unassigned buttons, in all and by the client that delivered them.
#[derive(Clone, Debug, Default)]
pub struct NewButtons {
    /// All of them.
    pub all: i64,
    /// By address.
    pub of_address: BTreeMap<String, i64>,
    /// By address and client id.
    pub of_client: BTreeMap<String, i64>,
}

impl NewButtons {
    /// Counts one more, delivered by a client.
    pub fn add(&mut self, via: Option<&str>) {
        self.all += 1;
        if let Some(via) = via {
            *self.of_client.entry(via.to_owned()).or_default() += 1;
            *self.of_address.entry(address_of(via).to_owned()).or_default() += 1;
        }
    }

    /// Whether the limits allow one more.
    pub fn has_room(&self, via: Option<&str>) -> bool {
        let of = |counts: &BTreeMap<String, i64>, who: &str| counts.get(who).copied().unwrap_or_default();
        let shares = via.is_none_or(|via| {
            of(&self.of_client, via) < MOST_OF_CLIENT && of(&self.of_address, address_of(via)) < MOST_OF_ADDRESS
        });
        self.all < MOST_NEW && shares
    }
}

/// Maximum unassigned buttons of a site. The limits of one client and of one address are lower, so that a client that
/// invents ids doesn't lock out genuine buttons.
const MOST_NEW: i64 = 1000;
const MOST_OF_ADDRESS: i64 = 400;
/// A gateway delivers many; the rest is accepted after some have been assigned.
const MOST_OF_CLIENT: i64 = 60;

/// Returns the address part of an address and client id.
pub(crate) fn address_of(via: &str) -> &str {
    via.split_once(' ').map_or(via, |(address, _)| address)
}

/// A button's credentials.
#[derive(Clone, Debug)]
pub struct ButtonSecret {
    /// The button's device id.
    pub device: String,
    /// SHA-256 of its password; `None` while it uses the join code.
    pub secret_hash: Option<Vec<u8>>,
}

struct Row {
    id: Uuid,
    device: String,
    name: Option<String>,
    state: String,
    place_id: Option<Uuid>,
    has_credentials: bool,
    online: Option<bool>,
    flapping_since: Option<jiff_sqlx::Timestamp>,
    battery_percent: Option<i16>,
    rssi_dbm: Option<i16>,
    firmware: Option<String>,
    last_seen_at: Option<jiff_sqlx::Timestamp>,
    memory: serde_json::Value,
    seen_at: Option<jiff_sqlx::Timestamp>,
}

macro_rules! select {
    ($tail:tt, $($argument:expr),*) => {
        sqlx::query_as!(
            Row,
            "select id, device, name, state, place_id, secret_hash is not null as \"has_credentials!\", online, \
             flapping_since, battery_percent, rssi_dbm, firmware, last_seen_at, memory, seen_at from buttons " + $tail,
            $($argument),*
        )
    };
}

/// Locks and loads buttons by device id, with their places and the longest current stay there.
pub async fn lock_devices(
    conn: &mut PgConnection,
    site: SiteId,
    devices: &[String],
) -> Result<Vec<(KnownButton, Option<Place>, Option<Stay>)>, DbError> {
    let rows = sqlx::query!(
        "select b.id, b.device, b.name, b.state, b.place_id, b.secret_hash is not null as \"has_credentials!\", b.online, \
         b.flapping_since, b.battery_percent, b.rssi_dbm, b.firmware, b.last_seen_at, b.memory, b.seen_at, \
         p.parent_id as \"parent_id?\", p.name as \"place_name?\", p.kind as \"place_kind?\", \
         p.position as \"position?\", p.do_not_disturb as \"do_not_disturb?\", \
         s.id as \"stay_id?\", s.guest_id as \"guest_id?\", s.checked_in_at as \"checked_in_at?\" \
         from buttons b left join places p on p.site_id = b.site_id and p.id = b.place_id \
         left join lateral (select id, guest_id, checked_in_at from stays where site_id is not distinct from $1 \
         and place_id = b.place_id and checked_out_at is null order by checked_in_at, id limit 1) s on true \
         where b.site_id is not distinct from $1 and b.device = any($2) order by b.id for no key update of b",
        site.0,
        devices
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let place = match (row.place_id, row.place_name, row.place_kind, row.position, row.do_not_disturb) {
                (Some(id), Some(name), Some(kind), Some(position), Some(do_not_disturb)) => Some(Place {
                    id: id.into(),
                    parent_id: row.parent_id.map(Into::into),
                    name,
                    kind: named(&PlaceKind::ALL, PlaceKind::as_str, &kind, "places", id)?,
                    position,
                    do_not_disturb,
                }),
                _ => None,
            };
            let stay = match (row.stay_id, row.guest_id, row.place_id, row.checked_in_at) {
                (Some(id), Some(guest_id), Some(place_id), Some(at)) => Some(Stay {
                    id: id.into(),
                    guest_id: guest_id.into(),
                    place_id: place_id.into(),
                    checked_in_at: at.to_jiff(),
                    checked_out_at: None,
                }),
                _ => None,
            };
            let known = Row {
                id: row.id,
                device: row.device,
                name: row.name,
                state: row.state,
                place_id: row.place_id,
                has_credentials: row.has_credentials,
                online: row.online,
                flapping_since: row.flapping_since,
                battery_percent: row.battery_percent,
                rssi_dbm: row.rssi_dbm,
                firmware: row.firmware,
                last_seen_at: row.last_seen_at,
                memory: row.memory,
                seen_at: row.seen_at,
            };
            Ok((known.try_into()?, place, stay))
        })
        .collect()
}

/// Locks and loads buttons by id.
pub async fn lock(conn: &mut PgConnection, site: SiteId, ids: &[Uuid]) -> Result<Vec<KnownButton>, DbError> {
    let rows =
        select!("where site_id is not distinct from $1 and id = any($2) order by id for no key update", site.0, ids);
    read(rows.fetch_all(conn).await?)
}

/// Returns the ids and places of buttons by device id, without locks.
pub async fn whereabouts(
    conn: &mut PgConnection,
    site: SiteId,
    devices: &[String],
) -> Result<Vec<(Uuid, String, Option<Uuid>)>, DbError> {
    let rows = sqlx::query!(
        "select id, device, place_id from buttons where site_id is not distinct from $1 and device = any($2)",
        site.0,
        devices
    );
    Ok(rows.fetch_all(conn).await?.into_iter().map(|row| (row.id, row.device, row.place_id)).collect())
}

/// Returns all buttons of the site.
pub async fn all(conn: &mut PgConnection, site: SiteId) -> Result<Vec<KnownButton>, DbError> {
    read(select!("where site_id = $1 and state > '' order by device", site.0).fetch_all(conn).await?)
}

/// Counts the unassigned buttons.
pub async fn count_new(conn: &mut PgConnection, site: SiteId) -> Result<NewButtons, DbError> {
    let rows = sqlx::query!(
        "select found_via, count(*) as \"count!\" from buttons where site_id = $1 and state = 'new' group by found_via",
        site.0
    );
    let mut new = NewButtons::default();
    for row in rows.fetch_all(conn).await? {
        new.all += row.count;
        if let Some(via) = row.found_via {
            *new.of_address.entry(address_of(&via).to_owned()).or_default() += row.count;
            new.of_client.insert(via, row.count);
        }
    }
    Ok(new)
}

/// Returns the credentials of a button, if it is known.
pub async fn secret(conn: &mut PgConnection, site: SiteId, device: &str) -> Result<Option<ButtonSecret>, DbError> {
    let row = sqlx::query_as!(
        ButtonSecret,
        "select device, secret_hash from buttons where site_id = $1 and device = $2",
        site.0,
        device
    );
    Ok(row.fetch_optional(conn).await?)
}

/// Sets or clears a button's secret.
pub async fn save_secret(conn: &mut PgConnection, site: SiteId, id: Uuid, hash: Option<&[u8]>) -> Result<(), DbError> {
    sqlx::query!("update buttons set secret_hash = $3 where site_id = $1 and id = $2", site.0, id, hash)
        .execute(conn)
        .await?;
    Ok(())
}

/// Inserts or updates a button.
pub async fn save(conn: &mut PgConnection, site: SiteId, known: &KnownButton) -> Result<(), DbError> {
    let button = &known.button;
    let health = &button.health;
    sqlx::query!(
        "insert into buttons (site_id, id, device, name, state, place_id, online, battery_percent, rssi_dbm, firmware, \
         last_seen_at, memory, seen_at, flapping_since, found_via) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) \
         on conflict on constraint buttons_pk do update set name = excluded.name, state = excluded.state, \
         place_id = excluded.place_id, online = excluded.online, battery_percent = excluded.battery_percent, \
         rssi_dbm = excluded.rssi_dbm, firmware = excluded.firmware, last_seen_at = excluded.last_seen_at, \
         memory = excluded.memory, seen_at = excluded.seen_at, flapping_since = excluded.flapping_since",
        site.0,
        button.id.0,
        button.device,
        button.name,
        button.state.as_str(),
        button.place_id.map(|id| id.0),
        health.online,
        health.battery_percent.map(i16::from),
        health.rssi_dbm,
        health.firmware,
        sql_opt(health.last_seen_at) as _,
        known.memory,
        sql_opt(known.seen_at) as _,
        sql_opt(health.flapping_since) as _,
        known.found_via,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Returns the id of the request that a button's lamp shows: its newest, if created since a time.
pub async fn last_request(
    conn: &mut PgConnection,
    site: SiteId,
    device: &str,
    since: Timestamp,
) -> Result<Option<Uuid>, DbError> {
    let row = sqlx::query_scalar!(
        "select r.id from requests r join buttons b on b.site_id = r.site_id and b.id = r.button_id \
         where r.site_id = $1 and b.device = $2 and r.created_at >= $3 order by r.created_at desc limit 1",
        site.0,
        device,
        sql(since) as _
    );
    Ok(row.fetch_optional(conn).await?)
}

fn read(rows: Vec<Row>) -> Result<Vec<KnownButton>, DbError> {
    rows.into_iter().map(|row| row.try_into().map_err(Into::into)).collect()
}

impl TryFrom<Row> for KnownButton {
    type Error = BadRow;

    fn try_from(row: Row) -> Result<Self, BadRow> {
        let button = Button {
            id: row.id.into(),
            device: row.device,
            name: row.name,
            state: named(&ButtonState::ALL, ButtonState::as_str, &row.state, "buttons", row.id)?,
            place_id: row.place_id.map(Into::into),
            has_credentials: row.has_credentials,
            health: Health {
                online: row.online,
                flapping_since: row.flapping_since.map(jiff_sqlx::Timestamp::to_jiff),
                battery_percent: row.battery_percent.and_then(|percent| u8::try_from(percent).ok()),
                rssi_dbm: row.rssi_dbm,
                firmware: row.firmware,
                last_seen_at: row.last_seen_at.map(jiff_sqlx::Timestamp::to_jiff),
            },
        };
        let seen_at = row.seen_at.map(jiff_sqlx::Timestamp::to_jiff);
        Ok(Self { button, memory: row.memory, seen_at, found_via: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_invents_ids_fills_a_share_and_keeps_nobody_else_out() {
        let mut new = NewButtons::default();
        let fill = |new: &mut NewButtons, via: &str| {
            let mut found = 0;
            while found < 2000 && new.has_room(Some(via)) {
                new.add(Some(via));
                found += 1;
            }
            found
        };
        assert_eq!(fill(&mut new, "10.0.0.9 inventor"), MOST_OF_CLIENT);
        assert!(new.has_room(Some("10.0.0.9 honest")), "another client of the same address");
        let of_address: i64 = (0..100).map(|client| fill(&mut new, &format!("10.0.0.9 client-{client}"))).sum();
        assert_eq!(of_address + MOST_OF_CLIENT, MOST_OF_ADDRESS);
        assert!(!new.has_room(Some("10.0.0.9 honest")));
        assert!(new.has_room(Some("10.0.0.5 honest")), "another address");
        assert!(new.has_room(None), "behind a broker");
        for address in 0..100 {
            fill(&mut new, &format!("10.0.1.{address} x"));
        }
        assert_eq!(new.all, MOST_NEW);
        assert!(!new.has_room(None));
    }
}
