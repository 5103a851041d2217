//! Times in queries: a timestamp, or a whole day in the site's time zone.

use crewbell_shared::Refusal;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, OneOfBuilder, Schema, SchemaFormat, Type};

use super::ApiError;
use crate::db::{Db, sites};
use crate::site_registry::OpenSite;

/// Earliest time of a query: no entry is older, and earlier times are raised to it. The database has no year before
/// 4714 BC.
const EARLIEST: Timestamp = Timestamp::constant(-62_135_596_800, 0);

/// A timestamp (RFC 3339), or a plain date, which is a whole day in the site's time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(super) enum When {
    At(Timestamp),
    On(Date),
}

/// Returns the OpenAPI schema of [`When`].
pub(super) fn schema() -> Schema {
    let format =
        |format| ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(format)));
    OneOfBuilder::new().item(format(KnownFormat::DateTime)).item(format(KnownFormat::Date)).into()
}

impl TryFrom<String> for When {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_date = text.len() == "2026-11-21".len();
        let read = if is_date { text.parse().ok().map(Self::On) } else { text.parse().ok().map(Self::At) };
        read.ok_or_else(|| "a time is written 2026-11-21T10:30:00Z, a day 2026-11-21".to_owned())
    }
}

impl From<When> for String {
    fn from(when: When) -> Self {
        match when {
            When::At(at) => at.to_string(),
            When::On(day) => day.to_string(),
        }
    }
}

impl When {
    /// Returns the start of the time.
    fn begin(self, zone: &TimeZone) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::On(day) => moment(day, zone),
        }
        .max(EARLIEST)
    }

    /// Returns the exclusive end of the time: a timestamp itself, or the start of the next day.
    fn end(self, zone: &TimeZone) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::On(day) => day.tomorrow().map_or(Timestamp::MAX, |next| moment(next, zone)),
        }
        .max(EARLIEST)
    }
}

/// Returns the first moment of a day, which is later than midnight if the clocks go forward then.
fn moment(day: Date, zone: &TimeZone) -> Timestamp {
    let fallback = if day.year() > 0 { Timestamp::MAX } else { Timestamp::MIN };
    day.to_zoned(zone.clone()).map_or(fallback, |zoned| zoned.timestamp())
}

/// Returns the start of one time and the end of another, in the site's current time zone.
///
/// # Errors
/// Returns an error if the database is unavailable or the server doesn't know the site's time zone.
pub(super) async fn span(
    db: &Db,
    site: &OpenSite,
    from: Option<When>,
    to: Option<When>,
) -> Result<(Option<Timestamp>, Option<Timestamp>), ApiError> {
    let zone = zone_for(db, site, [from, to]).await?;
    Ok((from.map(|when| when.begin(&zone)), to.map(|when| when.end(&zone))))
}

/// Returns the start of each of two times.
///
/// # Errors
/// Returns the errors of [`span`].
pub(super) async fn begins(
    db: &Db,
    site: &OpenSite,
    times: [Option<When>; 2],
) -> Result<[Option<Timestamp>; 2], ApiError> {
    let zone = zone_for(db, site, times).await?;
    Ok(times.map(|when| when.map(|when| when.begin(&zone))))
}

/// Returns the site's time zone if one of the times needs it, otherwise UTC.
async fn zone_for(db: &Db, site: &OpenSite, times: [Option<When>; 2]) -> Result<TimeZone, ApiError> {
    if !times.iter().any(|when| matches!(when, Some(When::On(_)))) {
        return Ok(TimeZone::UTC);
    }
    let mut tx = db.read_sites().await?;
    let known = sites::find(&mut tx, site.id).await?.ok_or_else(|| ApiError::not_found("site"))?;
    Ok(zone(&known.site.settings.time_zone)?)
}

/// Looks up a time zone by its name.
///
/// # Errors
/// Returns `invalid` for `time_zone` if the server's time zone database has none of that name.
pub(crate) fn zone(name: &str) -> Result<TimeZone, Refusal> {
    if name == "UTC" {
        return Ok(TimeZone::UTC);
    }
    let unknown = |_| Refusal::invalid("time_zone", format!("This server knows no time zone {name:?}."));
    TimeZone::get(name).map_err(unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> When {
        When::try_from(text.to_owned()).unwrap()
    }

    fn span(text: &str, zone_name: &str) -> [String; 2] {
        let (when, zone) = (read(text), zone(zone_name).unwrap());
        [when.begin(&zone).to_string(), when.end(&zone).to_string()]
    }

    #[test]
    fn a_day_is_the_site_s_day_also_when_the_clocks_change() {
        assert_eq!(span("2026-11-30", "UTC"), ["2026-11-30T00:00:00Z", "2026-12-01T00:00:00Z"]);
        assert_eq!(span("2026-11-30", "Europe/Zagreb"), ["2026-11-29T23:00:00Z", "2026-11-30T23:00:00Z"]);
        assert_eq!(span("2026-10-25", "Europe/Zagreb"), ["2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"], "25 hours");
        // There is no midnight: the clocks go forward at 24:00 of the day before.
        assert_eq!(span("2018-11-04", "America/Sao_Paulo")[0], "2018-11-04T03:00:00Z");
        let moment = "2026-11-30T10:00:00+01:00";
        assert_eq!(span(moment, "Asia/Tokyo"), ["2026-11-30T09:00:00Z", "2026-11-30T09:00:00Z"]);
    }

    #[test]
    fn a_time_that_the_database_can_not_know_is_asked_for_from_the_first_year_on() {
        for early in ["-009999-01-02T01:59:59Z", "-004800-01-01T00:00:00Z"] {
            assert_eq!(span(early, "UTC")[0], EARLIEST.to_string(), "{early}");
        }
        assert_eq!(span("0001-01-01", "Asia/Tokyo")[0], EARLIEST.to_string());
        assert!(span("9999-12-31", "America/Lima")[1].starts_with("9999-12-30"), "the last moment that there is");
    }

    #[test]
    fn what_is_no_time_is_refused_and_says_what_would_be() {
        for wrong in ["", "today", "2026-13-01", "2026-11-31", "30.11.2026", "2026-11-30T10:00", "2026-11-30\0"] {
            assert!(When::try_from(wrong.to_owned()).unwrap_err().contains("2026-11-21"), "{wrong}");
        }
    }

    #[test]
    fn a_zone_that_is_none_is_refused() {
        assert_eq!(zone("Europe/Atlantis").unwrap_err().details["field"], "time_zone");
    }
}
