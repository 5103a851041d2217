//! Pages of the activity and timelines, from the server's entries or from the device's own lines.

use crewbell_shared::names::key as name_key;
use crewbell_shared::protocol::Entry;

use super::names::{Names, own_name};
use crate::engine::line_of;
use crate::net::Activity;
use crate::screen::{ActivityLine, ActivityPage, ActivityQuery};
use crate::store::{EntityKey, Image, Line};

/// Page size, in lines.
const PAGE: usize = 100;

/// Converts a page received from the server.
pub(super) fn served(page: &Activity, names: &Names) -> ActivityPage {
    let lines = page.items.iter().map(|entry| served_line(entry, names)).collect();
    ActivityPage { lines, before: page.next_before, partial: false }
}

fn served_line(entry: &Entry, names: &Names) -> ActivityLine {
    // The name at the time of the entry; the current name if the entry doesn't contain one.
    let then = entry.entity().ok().flatten().and_then(|entity| own_name(&entity));
    let line = line_of(entry);
    let subject = then.or_else(|| names.get(line.about.as_ref()?).map(str::to_owned));
    ActivityLine { line, subject }
}

/// Returns a page from the device's own lines.
pub(super) fn kept(image: &Image, names: &Names, query: &ActivityQuery) -> ActivityPage {
    let mut lines: Vec<ActivityLine> = matching(image, names, query).take(PAGE + 1).collect();
    let more = lines.len() > PAGE;
    lines.truncate(PAGE);
    let before = lines.last().filter(|_| more).map(|line| line.line.seq);
    ActivityPage { lines, before, partial: true }
}

/// Iterates over the device's own lines that match a query, newest first.
pub(super) fn matching<'a>(
    image: &'a Image,
    names: &'a Names,
    query: &'a ActivityQuery,
) -> impl Iterator<Item = ActivityLine> + 'a {
    let words = query.text.as_ref().map(|text| name_key(text)).filter(|text| !text.is_empty());
    let lines = image.lines.iter().rev().map(|line| {
        let subject = line.about.as_ref().and_then(|key| names.get(key)).map(str::to_owned);
        ActivityLine { line: line.clone(), subject }
    });
    lines.filter(move |line| {
        let ActivityLine { line, subject } = line;
        query.before.is_none_or(|before| line.seq < before)
            && query.from.is_none_or(|from| line.at >= from)
            && query.to.is_none_or(|to| line.at < to)
            && query.category.as_ref().is_none_or(|category| *category == line.category)
            && query.person_id.is_none_or(|person| line.actor.id == Some(person))
            && words.as_ref().is_none_or(|words| {
                let texts = [&line.actor.name, &line.kind, subject.as_ref().unwrap_or(&line.category)];
                texts.iter().any(|text| name_key(text).contains(words))
            })
    })
}

/// Returns the device's own timeline of an entity, oldest line first.
pub(super) fn story(image: &Image, key: EntityKey) -> Vec<Line> {
    image.lines.iter().filter(|line| line.about == Some(key)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crewbell_shared::protocol::{ActorRef, Entity, EntityType};
    use crewbell_shared::testing::{at, open_request, sam, siri};
    use std::sync::Arc;

    use crate::store::{Cursor, Write};

    fn image() -> Image {
        let mut image = Image::default();
        let entities = [Entity::from(sam()), open_request(at(0)).into()].into_iter().map(Arc::new).collect();
        image.apply(&[Write::Replace { entities, cursor: Cursor { seq: 1, event_id: None } }]);
        for seq in 2..=203_u64 {
            let who = if seq == 203 { siri() } else { sam() };
            image.apply(&[Write::AppendLine(Line {
                seq,
                at: at(i64::try_from(seq).unwrap()),
                category: "requests".into(),
                kind: "request_noted".into(),
                actor: ActorRef { id: Some(who.id), name: who.name },
                about: Some(EntityKey::new(EntityType::Request, open_request(at(0)).id.0)),
                changed: Vec::new(),
            })]);
        }
        image
    }

    #[test]
    fn what_the_device_has_comes_in_pages_newest_first() {
        let (image, mut query) = (image(), ActivityQuery::default());
        let names = Names::of(&image);
        let mut seen = Vec::new();
        loop {
            let page = kept(&image, &names, &query);
            assert!(page.partial);
            seen.extend(page.lines.iter().map(|line| line.line.seq));
            query.before = page.before;
            if page.before.is_none() {
                break;
            }
        }
        assert_eq!(seen, (2..=203).rev().collect::<Vec<_>>());
    }

    #[test]
    fn what_is_looked_for_is_found_by_who_where_and_when() {
        let image = image();
        let names = Names::of(&image);
        let count = |query: ActivityQuery| matching(&image, &names, &query).count();
        let text = |text: &str| ActivityQuery { text: Some(text.into()), ..ActivityQuery::default() };
        assert_eq!((count(text("siri")), count(text("cabin 5")), count(text("cabin 6"))), (1, 202, 0));
        let by = ActivityQuery { person_id: Some(siri().id), ..ActivityQuery::default() };
        assert_eq!(count(by), 1);
        let span = ActivityQuery { from: Some(at(10)), to: Some(at(12)), ..ActivityQuery::default() };
        assert_eq!(count(span), 2);
    }
}
