//! The log lines that are shown: pages of older lines on request, and new lines as they happen.

use std::time::Duration;

use crewbell_core::screen::{ActivityLine, ActivityPage, ActivityQuery, Ask, AskError};
use crewbell_core::store::Line;
use leptos::prelude::*;

use super::filters::{Filters, wants};
use super::sentence::{sentence, subject};
use crate::bridge::page;
use crate::state::AppState;

/// How long typing must pause before the search starts.
const TYPED: Duration = Duration::from_millis(250);
/// Scroll offset in CSS pixels below which the newest lines count as visible.
const AT_TOP: i32 = 8;

/// The log lines, newest first, and the state of loading. It is a handle and lives as long as the page.
#[derive(Clone, Copy, Debug)]
pub struct Log {
    state: AppState,
    query: Memo<ActivityQuery>,
    /// The lines that are shown.
    pub lines: RwSignal<Vec<ActivityLine>>,
    /// New lines that are held back, because they would move the shown ones.
    pub fresh: RwSignal<Vec<ActivityLine>>,
    /// The cursor for the next page of older lines.
    pub before: RwSignal<Option<u64>>,
    /// Whether the lines come only from this device.
    pub partial: RwSignal<bool>,
    /// Whether an answer is awaited.
    pub loading: RwSignal<bool>,
    /// The error of the last query.
    pub failed: RwSignal<Option<AskError>>,
    /// Whether a pointer or the focus is in the list, which then must not move.
    pub touched: RwSignal<bool>,
    asked: StoredValue<u32>,
    seen: StoredValue<u64>,
}

impl Log {
    /// Runs the query at once and whenever the filters change, and follows new lines.
    pub fn follow(state: AppState, filters: Filters) -> Self {
        let log = Self {
            state,
            query: Memo::new(move |_| filters.query()),
            lines: RwSignal::default(),
            fresh: RwSignal::default(),
            before: RwSignal::default(),
            partial: RwSignal::default(),
            loading: RwSignal::new(true),
            failed: RwSignal::default(),
            touched: RwSignal::default(),
            asked: StoredValue::new(0),
            seen: StoredValue::new(state.lines.with_untracked(|lines| lines.back().map_or(0, |line| line.seq))),
        };
        Effect::new(move |before: Option<()>| {
            log.query.track();
            if before.is_none() { log.load(false) } else { log.load_soon() }
        });
        Effect::new(move || state.lines.with(|lines| log.hear(lines)));
        let there = Memo::new(move |_| state.status.with(|status| status.link.is_there()));
        Effect::new(move || {
            if there.get() && log.partial.get_untracked() {
                log.load(false);
            }
        });
        log
    }

    /// Requests the first page, or the next page of older lines.
    pub fn load(self, older: bool) {
        let before = if older { self.before.get_untracked() } else { None };
        let query = ActivityQuery { before, ..self.query.get_untracked() };
        let number = self.next();
        self.loading.set(true);
        self.state.ask_or(Ask::Activity { query }, move |answer| {
            // A later query, or a closed page, makes this answer obsolete.
            if self.asked.try_get_value() == Some(number) {
                self.show(older, answer);
            }
        });
    }

    /// Shows the new lines that were held back.
    pub fn show_fresh(self) {
        let fresh = self.fresh.try_update(std::mem::take).unwrap_or_default();
        self.lines.update(|lines| merge(lines, fresh));
        page::to_top("main");
    }

    fn load_soon(self) {
        let number = self.next();
        self.loading.set(true);
        set_timeout(
            move || {
                if self.asked.try_get_value() == Some(number) {
                    self.load(false);
                }
            },
            TYPED,
        );
    }

    fn next(self) -> u32 {
        self.asked.update_value(|asked| *asked += 1);
        self.asked.get_value()
    }

    fn show(self, older: bool, answer: Result<ActivityPage, AskError>) {
        self.loading.set(false);
        match answer {
            Ok(page) => {
                self.failed.set(None);
                self.partial.set(page.partial);
                self.before.set(page.before);
                self.lines.update(|lines| {
                    if !older {
                        lines.clear();
                        self.fresh.set(Vec::new());
                    }
                    merge(lines, page.lines);
                });
            }
            Err(error) => self.failed.set(Some(error)),
        }
    }

    /// Processes the lines that were added since the last call.
    fn hear<'a>(self, all: impl IntoIterator<Item = &'a Line, IntoIter: DoubleEndedIterator>) {
        let mut all = all.into_iter().rev().peekable();
        let seen = self.seen.get_value();
        if all.peek().is_some_and(|last| last.seq < seen) {
            // The server was restored from a backup: its log continues from an earlier number.
            self.seen.set_value(all.peek().map_or(0, |last| last.seq));
            self.load(false);
            return;
        }
        let new: Vec<&Line> = all.take_while(|line| line.seq > seen).collect();
        let Some(last) = new.first() else { return };
        self.seen.set_value(last.seq);
        let query = self.query.get_untracked();
        let wanted = new.iter().filter_map(|line| {
            let subject = subject(self.state, line);
            let is = wants(&query, line, &sentence(line, subject.clone()).to_string());
            is.then(|| ActivityLine { line: (*line).clone(), subject: subject.map(|subject| subject.to_string()) })
        });
        let wanted: Vec<ActivityLine> = wanted.collect();
        let in_view = page::scrolled("main") < AT_TOP && !self.touched.get_untracked();
        let list = if in_view { self.lines } else { self.fresh };
        if !wanted.is_empty() {
            list.update(|lines| merge(lines, wanted));
        }
    }
}

/// Merges lines into a list: newest first, without duplicates.
fn merge(lines: &mut Vec<ActivityLine>, more: Vec<ActivityLine>) {
    lines.extend(more);
    lines.sort_by_key(|line| std::cmp::Reverse(line.line.seq));
    lines.dedup_by_key(|line| line.line.seq);
}

/// A line, with the name of its day if it is the first one shown of that day.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The line.
    pub line: ActivityLine,
    /// The day that begins with this line, in order from the newest.
    pub day: Option<String>,
}

/// Adds the names of days to lines.
pub fn by_day(lines: &[ActivityLine], day_of: impl Fn(&Line) -> String) -> Vec<Entry> {
    let mut today = None;
    let mut entry = |line: &ActivityLine| {
        let day = Some(day_of(&line.line)).filter(|day| today.as_ref() != Some(day));
        if day.is_some() {
            today.clone_from(&day);
        }
        Entry { line: line.clone(), day }
    };
    lines.iter().map(&mut entry).collect()
}

#[cfg(test)]
mod tests {
    use crewbell_shared::protocol::ActorRef;
    use crewbell_shared::testing::at;

    use super::*;

    fn lines(numbers: &[u64]) -> Vec<ActivityLine> {
        let line = |seq| Line {
            seq,
            at: at(0),
            category: "requests".into(),
            kind: "request_created".into(),
            actor: ActorRef { id: None, name: "Cabin 5".into() },
            about: None,
            changed: Vec::new(),
        };
        numbers.iter().map(|seq| ActivityLine { line: line(*seq), subject: None }).collect()
    }

    fn numbers(lines: &[ActivityLine]) -> Vec<u64> {
        lines.iter().map(|line| line.line.seq).collect()
    }

    #[test]
    fn a_line_that_comes_live_and_with_a_page_is_shown_once() {
        let mut shown = lines(&[9, 8]);
        merge(&mut shown, lines(&[7, 8]));
        merge(&mut shown, lines(&[10]));
        assert_eq!(numbers(&shown), [10, 9, 8, 7]);
    }

    #[test]
    fn a_day_is_named_once_at_its_newest_line() {
        let shown = by_day(&lines(&[5, 4, 3]), |line| if line.seq > 3 { "Today".into() } else { "Yesterday".into() });
        let days: Vec<Option<&str>> = shown.iter().map(|entry| entry.day.as_deref()).collect();
        assert_eq!(days, [Some("Today"), None, Some("Yesterday")]);
    }
}
