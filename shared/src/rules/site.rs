//! The site: how it is run.

use std::ops::RangeInclusive;

use super::{Case, Change, Decision, name};
use crate::Refusal;
use crate::person::Right;
use crate::site::{Settings, Site};

impl Case<'_> {
    /// Somebody changes how the site is run.
    pub fn save_settings(&self, settings: &Settings) -> Decision {
        self.actor.need(Right::EditSite)?;
        within("press_window_s", settings.press_window_s, &Settings::PRESS_WINDOW_S, "seconds")?;
        within("retention_days", settings.retention_days, &Settings::RETENTION_DAYS, "days")?;
        within("ring_time_s", settings.ring_time_s, &Settings::RING_TIME_S, "seconds")?;
        within("session_days", settings.session_days, &Settings::SESSION_DAYS, "days")?;
        if !is_zone_name(&settings.time_zone) {
            return Err(Refusal::invalid("time_zone", "A time zone has a name such as Europe/Zagreb."));
        }
        for (place, service) in settings.services.iter().enumerate() {
            name("services", &service.code)?;
            if settings.services[..place].iter().any(|other| other.key == service.key) {
                return Err(Refusal::invalid("services", "A key has one service."));
            }
        }
        let before = self.sight.site();
        let site = Site { settings: settings.clone(), ..before.clone() };
        Ok(if site == *before { Vec::new() } else { vec![Change::new(site, "settings_changed")] })
    }
}

fn within(field: &str, number: u32, range: &RangeInclusive<u32>, unit: &str) -> Result<(), Refusal> {
    if range.contains(&number) {
        return Ok(());
    }
    let (least, most) = (range.start(), range.end());
    Err(Refusal::invalid(field, format!("{least} to {most} {unit}.")).with("limit", most))
}

/// Whether a text may name a time zone (the tz database's rules for names); whether there is such a zone, the server
/// knows, which has the database.
fn is_zone_name(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+'))
    };
    text.len() <= 64 && text.split('/').all(part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Yacht, alex, at, by};

    fn save(settings: &Settings) -> Decision {
        Case { sight: &Yacht::default(), actor: &by(&alex()), at: at(60) }.save_settings(settings)
    }

    #[test]
    fn settings_that_are_so_already_change_nothing() {
        assert_eq!(save(&Settings::default()), Ok(Vec::new()));
        let changes = save(&Settings {
            press_window_s: 600,
            retention_days: 3650,
            ring_time_s: 300,
            session_days: 3650,
            time_zone: "America/Argentina/Buenos_Aires".into(),
            services: Vec::new(),
        })
        .unwrap();
        assert_eq!(changes.iter().map(|change| change.kind).collect::<Vec<_>>(), ["settings_changed"]);
    }

    #[test]
    fn settings_have_their_limits() {
        let field = |settings: &Settings| save(settings).unwrap_err().details["field"].clone();
        let usual = Settings::default();
        assert_eq!(field(&Settings { press_window_s: 601, ..usual.clone() }), "press_window_s");
        assert_eq!(field(&Settings { retention_days: 3651, ..usual.clone() }), "retention_days");
        for ring_time_s in [9, 301] {
            assert_eq!(field(&Settings { ring_time_s, ..usual.clone() }), "ring_time_s");
        }
        assert_eq!(field(&Settings { session_days: 3651, ..usual.clone() }), "session_days");
        for time_zone in ["", "Europe/", "../etc/passwd", "Europe/Zagreb\0", "ship's time"] {
            assert_eq!(field(&Settings { time_zone: time_zone.into(), ..usual.clone() }), "time_zone");
        }
        let twice = [usual.services.clone(), usual.services.clone()].concat();
        assert_eq!(field(&Settings { services: twice, ..usual.clone() }), "services");
        let mut unnamed = usual;
        unnamed.services[0].code = " ".into();
        assert_eq!(field(&unnamed), "services");
    }
}
