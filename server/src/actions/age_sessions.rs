//! Counts sessions' unused days, and ends those unused for as long as the site's settings say.

use std::collections::{BTreeMap, BTreeSet};

use crewbell_shared::Refusal;
use crewbell_shared::ids::{PersonId, SessionId};
use crewbell_shared::protocol::Audience;
use serde_json::json;

use super::{Action, ActionContext, Effect, Effects, ReadSet, UnitOfWork};
use crate::db::sessions::day;

/// Records which sessions were used, and counts an unused day for the others. A day is counted once, however often the
/// action runs and on how many servers.
///
/// A session with as many unused days as the site's `session_days` ends, as by a sign-out. The day of its last use is
/// not an unused one, so the count is one higher when the session ends.
#[derive(Clone, Debug)]
pub struct AgeSessions {
    /// Sessions used since the last run.
    pub used: BTreeSet<SessionId>,
}

impl Action for AgeSessions {
    fn reads(&self, reads: &mut ReadSet) {
        reads.idle_sessions = true;
    }

    fn decide(&self, unit: &UnitOfWork, ctx: &ActionContext<'_>) -> Result<Effects, Refusal> {
        let (today, most) = (day(ctx.at), unit.site.settings.session_days);
        let (mut used, mut unused) = (Vec::new(), Vec::new());
        let mut ended: BTreeMap<PersonId, (&str, Vec<SessionId>)> = BTreeMap::new();
        for session in &unit.idle_sessions {
            if self.used.contains(&session.id) {
                used.push(session.id);
                continue;
            }
            let days = session.unused_days + u32::from(session.counted_day != today);
            if most > 0 && days > most {
                ended.entry(session.person_id).or_insert_with(|| (&session.name, Vec::new())).1.push(session.id);
            } else if session.counted_day != today {
                unused.push(session.id);
            }
        }
        let steps = Effects::none().and(Effect::UseSessions(used)).and(Effect::AgeSessions(unused));
        Ok(ended.into_iter().fold(steps, |steps, (person_id, (name, ended))| {
            let payload = json!({ "person_id": person_id, "name": name, "ended": ended, "why": "unused" });
            steps.and(Effect::EndSessions(ended)).and(Effect::Tell {
                category: "people",
                kind: "person_session_expired",
                payload,
                audience: Audience::leads(),
            })
        }))
    }
}

#[cfg(test)]
mod tests {
    use crewbell_shared::person::Actor;
    use crewbell_shared::testing::{Yacht, at};
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::clock::Ids;
    use crate::db::sessions::IdleSession;

    fn session(number: u128, unused_days: u32, counted_day: i32) -> IdleSession {
        IdleSession {
            id: Uuid::from_u128(number).into(),
            person_id: Uuid::from_u128(number / 10).into(),
            name: "Sam".into(),
            unused_days,
            counted_day,
        }
    }

    /// Runs the action and returns the sessions that were used, aged and ended.
    fn aged(session_days: u32, sessions: Vec<IdleSession>) -> [Vec<u128>; 3] {
        aged_at(at(0), session_days, sessions)
    }

    fn aged_at(now: Timestamp, session_days: u32, sessions: Vec<IdleSession>) -> [Vec<u128>; 3] {
        use crewbell_shared::rules::StateView;
        let mut unit = UnitOfWork::new(Yacht::default().site().clone());
        unit.site.settings.session_days = session_days;
        unit.idle_sessions = sessions;
        let used = [Uuid::from_u128(11).into()].into();
        let ctx = ActionContext { at: now, actor: &Actor::System, ids: &Ids::seeded(1) };
        let mut all = [Vec::new(), Vec::new(), Vec::new()];
        let decided = AgeSessions { used }.decide(&unit, &ctx).unwrap();
        for step in decided.steps {
            #[expect(clippy::wildcard_enum_match_arm, reason = "nothing else is expected, whatever there is")]
            match step {
                Effect::UseSessions(some) => all[0].extend(some),
                Effect::AgeSessions(some) => all[1].extend(some),
                Effect::EndSessions(some) => all[2].extend(some),
                Effect::Tell { payload, .. } => assert_eq!(payload["why"], "unused"),
                other => panic!("{other:?}"),
            }
        }
        all.map(|ids| ids.into_iter().map(|id: SessionId| id.0.as_u128()).collect())
    }

    #[test]
    fn a_day_is_counted_once_and_whoever_uses_a_session_keeps_it() {
        let today = day(at(0));
        let sessions = || {
            vec![
                session(11, 30, today - 1),
                session(12, 29, today - 1),
                session(13, 30, today - 1),
                session(14, 30, today),
                session(15, 0, today),
                session(16, 40, today),
            ]
        };
        assert_eq!(aged(30, sessions()), [vec![11], vec![12], vec![13, 16]]);
        assert_eq!(aged(0, sessions()), [vec![11], vec![12, 13], vec![]], "0 ends none");
    }

    #[test]
    fn the_day_on_which_a_session_was_used_last_is_no_unused_one() {
        let used_at: Timestamp = "2026-06-01T22:00:00Z".parse().unwrap();
        let used_on = day(used_at);
        let just_after = |days: i64| {
            "2026-06-01T00:10:00Z".parse::<Timestamp>().unwrap() + jiff::SignedDuration::from_hours(24 * days)
        };
        assert_eq!(aged_at(used_at, 1, vec![session(12, 0, used_on)]), [vec![], vec![], vec![]]);
        let over_midnight = aged_at(just_after(1), 1, vec![session(12, 0, used_on)]);
        assert_eq!(over_midnight, [vec![], vec![12], vec![]], "two hours later nothing is over");
        let the_day_after = aged_at(just_after(2), 1, vec![session(12, 1, used_on + 1)]);
        assert_eq!(the_day_after, [vec![], vec![], vec![12]], "a whole day without a use");
    }

    #[test]
    fn a_clock_that_jumps_by_years_counts_one_day() {
        let today = day(at(0));
        let sessions = vec![session(12, 3, today - 1000), session(13, 3, today + 1000)];
        assert_eq!(aged(30, sessions), [vec![], vec![12, 13], vec![]]);
    }
}
