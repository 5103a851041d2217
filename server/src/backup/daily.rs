//! Daily backups with a limited number of files.

use super::{BackupError, BackupTarget, backup};
use jiff::civil::Date;
use std::path::{Path, PathBuf};

/// The pending work in a folder of daily backups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The file to create, if there is none of today.
    pub make: Option<String>,
    /// The files to delete after that; only names of daily backups are among them.
    pub delete: Vec<String>,
}

/// Decides whether a backup is due `today` and which are deleted, so that the newest `keep` (at least one) remain.
///
/// Backups dated later than today, which a wrong clock leaves behind, are counted separately, so that neither group
/// pushes the other out after the clock has jumped.
pub fn plan<'a>(today: Date, names: impl IntoIterator<Item = &'a str>, keep: usize) -> Plan {
    let mut dates: Vec<Date> = names.into_iter().filter_map(date_of).collect();
    let make = (!dates.contains(&today)).then(|| name_of(today));
    dates.retain(|date| *date != today);
    dates.sort_unstable_by(|a, b| b.cmp(a));
    dates.dedup();
    let keep = keep.max(1);
    let (later, earlier): (Vec<Date>, Vec<Date>) = dates.into_iter().partition(|date| *date > today);
    let delete = later.into_iter().skip(keep).chain(earlier.into_iter().skip(keep - 1));
    Plan { make, delete: delete.map(name_of).collect() }
}

/// Creates today's backup in `folder` if there is none yet, then deletes the expired ones.
///
/// Cheap when nothing is due. The caller determines the date, in its time zone, and the times of the calls.
///
/// # Errors
/// Returns the errors of [`backup`], in which case nothing is deleted, or an error if the folder can't be read or
/// changed.
pub async fn daily(
    place: &BackupTarget,
    folder: &Path,
    today: Date,
    keep: usize,
) -> Result<Option<PathBuf>, BackupError> {
    std::fs::create_dir_all(folder).map_err(BackupError::io("cannot create", folder))?;
    let names: Vec<String> = std::fs::read_dir(folder)
        .map_err(BackupError::io("cannot read", folder))?
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    let Plan { make, delete } = plan(today, names.iter().map(String::as_str), keep);
    let made = make.map(|name| folder.join(name));
    if let Some(file) = &made {
        backup(place, file).await?;
    }
    for name in delete {
        let path = folder.join(name);
        std::fs::remove_file(&path).map_err(BackupError::io("cannot remove", &path))?;
    }
    Ok(made)
}

fn name_of(date: Date) -> String {
    format!("crewbell-{date}.dump")
}

fn date_of(name: &str) -> Option<Date> {
    let date: Date = name.strip_prefix("crewbell-")?.strip_suffix(".dump")?.parse().ok()?;
    (name_of(date) == name).then_some(date)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const TODAY: Date = date(2026, 11, 21);

    #[test]
    fn the_first_backup_is_due_at_once() {
        assert_eq!(plan(TODAY, [], 14), Plan { make: Some("crewbell-2026-11-21.dump".into()), delete: vec![] });
    }

    #[test]
    fn one_a_day_is_enough() {
        assert_eq!(plan(TODAY, ["crewbell-2026-11-21.dump"], 14).make, None);
    }

    #[test]
    fn the_newest_stay_and_the_rest_make_room() {
        let names: Vec<String> = (1..=20).map(|day| format!("crewbell-2026-11-{day:02}.dump")).collect();
        let plan = plan(TODAY, names.iter().map(String::as_str), 14);
        assert_eq!(plan.delete.len(), 7, "13 older ones and today's are 14");
        assert_eq!(plan.delete[0], "crewbell-2026-11-07.dump");
        assert_eq!(plan.delete[6], "crewbell-2026-11-01.dump");
    }

    #[test]
    fn what_is_not_a_daily_backup_is_never_deleted() {
        let foreign = [
            "crewbell-2026-11-01.dump.part",
            "crewbell-2026-13-01.dump",
            "before-refit.dump",
            "crewbell-20261101.dump",
            "crewbell-2026-11-01T00.dump",
            "notes.txt",
        ];
        assert_eq!(plan(TODAY, foreign, 1).delete, Vec::<String>::new());
    }

    #[test]
    fn a_clock_that_was_ahead_costs_no_backup_of_today() {
        let ahead = ["crewbell-2030-01-01.dump", "crewbell-2030-01-02.dump", "crewbell-2026-11-21.dump"];
        assert_eq!(plan(TODAY, ahead, 2), Plan { make: None, delete: vec![] });
        assert_eq!(
            plan(TODAY, ahead, 1).delete,
            ["crewbell-2030-01-01.dump"],
            "and they don't grow without end either"
        );
    }

    #[test]
    fn a_clock_that_jumped_costs_no_real_backup_in_either_direction() {
        let mut there: std::collections::BTreeSet<String> = (1..=14).map(|day| name_of(date(2026, 11, day))).collect();
        let real = there.clone();
        // Ten days of a clock that is years ahead, ten of one that was reset to 1970, and then the right one.
        let wrong = (1..=10).map(|day| date(2030, 1, day)).chain((1..=10).map(|day| date(1970, 1, day)));
        for today in wrong {
            let Plan { make, delete } = plan(today, there.iter().map(String::as_str), 14);
            there.extend(make);
            there.retain(|name| !delete.contains(name));
        }
        let lost: Vec<_> = real.difference(&there).collect();
        assert!(lost.len() <= 10, "each for one that was really made later: {lost:?}");
        let plan = plan(date(2026, 11, 15), there.iter().map(String::as_str), 14);
        assert_eq!(plan.make, Some(name_of(date(2026, 11, 15))));
    }

    #[test]
    fn keeping_none_keeps_todays() {
        assert_eq!(plan(TODAY, ["crewbell-2026-11-20.dump"], 0).delete, ["crewbell-2026-11-20.dump"]);
    }
}
