//! Tables of entities of one type. Each entity is a reactive value of its own: one changed request re-renders one card.

use std::collections::BTreeMap;

use crewbell_shared::Registered;
use leptos::prelude::*;
use uuid::Uuid;

/// An entity as shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Item<T> {
    /// The entity.
    pub entity: T,
    /// Whether it contains a change that the server hasn't confirmed.
    pub pending: bool,
}

/// One entity as a reactive value; it stays alive for its holders after its removal from the table.
pub type Row<T> = ArcRwSignal<Item<T>>;

/// All entities of one type. It is a handle: copying it copies no entity. It lives as long as the app.
///
/// Reading through [`list`](Self::list) subscribes to the *whole* table: do it in a `Memo`, so that only readers of a
/// changed result run again. Reading a [`Row`] subscribes to that entity alone.
#[derive(Debug)]
pub struct Table<T: Registered> {
    rows: RwSignal<BTreeMap<Uuid, Row<T>>>,
}

#[expect(clippy::expl_impl_clone_on_copy, reason = "derived, it would require it of the entity, too")]
impl<T: Registered> Clone for Table<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Registered> Copy for Table<T> {}

impl<T: Registered> Default for Table<T> {
    fn default() -> Self {
        Self { rows: RwSignal::default() }
    }
}

impl<T: Registered> Table<T> {
    /// Returns one entity as a reactive value. It doesn't subscribe to the table: an entity that is added later goes
    /// unnoticed.
    pub fn row(self, id: T::Id) -> Option<Row<T>> {
        self.rows.with_untracked(|rows| rows.get(&id.into()).cloned())
    }

    /// Returns the current entity and subscribes to it, including its removal and return. Subscribes to the whole table
    /// while the entity is missing.
    pub fn get(self, id: T::Id) -> Option<Item<T>> {
        let key: Uuid = id.into();
        match self.rows.with_untracked(|rows| rows.get(&key).cloned()) {
            Some(row) => Some(row.get()),
            None => self.rows.with(|rows| rows.get(&key).map(Get::get)),
        }
    }

    /// Returns the current entity without subscribing, for event handlers.
    pub fn peek(self, id: T::Id) -> Option<Item<T>> {
        self.row(id).map(|row| row.get_untracked())
    }

    /// Visits all entities, by id, and subscribes to the whole table.
    pub fn each(self, mut look: impl FnMut(&Item<T>)) {
        self.rows.with(|rows| rows.values().for_each(|row| row.with_untracked(&mut look)));
    }

    /// Selects from all entities, by id, and subscribes to the whole table.
    pub fn list<R>(self, mut pick: impl FnMut(&Item<T>) -> Option<R>) -> Vec<R> {
        self.rows.with(|rows| rows.values().filter_map(|row| row.with_untracked(|item| pick(item))).collect())
    }

    /// Returns the first selected entity and subscribes to the whole table.
    pub fn find<R>(self, pick: impl FnMut(&Item<T>) -> Option<R>) -> Option<R> {
        let mut pick = pick;
        self.rows.with(|rows| rows.values().find_map(|row| row.with_untracked(|item| pick(item))))
    }

    /// Inserts, updates and removes entities, with one notification of the table.
    pub fn patch(self, put: Vec<Item<T>>, gone: &[Uuid]) {
        if put.is_empty() && gone.is_empty() {
            return;
        }
        let mut changed = Vec::new();
        let mut removed = Vec::new();
        self.rows.update_untracked(|rows| {
            for id in gone {
                removed.extend(rows.remove(id));
            }
            for item in put {
                let key = item.entity.id().into();
                match rows.get(&key) {
                    Some(row) => changed.push((row.clone(), item)),
                    None => drop(rows.insert(key, ArcRwSignal::new(item))),
                }
            }
        });
        for (row, item) in changed {
            if row.with_untracked(|before| *before != item) {
                row.set(item);
            }
        }
        // Subscribers of a single entity are notified of its removal and read again.
        for row in removed {
            row.notify();
        }
        self.rows.notify();
    }

    /// Replaces the contents; rows of entities that stay remain the same reactive values.
    pub fn replace(self, items: Vec<Item<T>>) {
        let stay: std::collections::BTreeSet<Uuid> = items.iter().map(|item| item.entity.id().into()).collect();
        let gone = self.rows.with_untracked(|rows| rows.keys().copied().filter(|id| !stay.contains(id)).collect());
        let gone: Vec<Uuid> = gone;
        self.patch(items, &gone);
    }
}

#[cfg(test)]
mod tests {
    use crewbell_shared::person::Person;
    use crewbell_shared::testing::{sam, siri};
    use leptos::reactive::owner::Owner;

    use super::*;

    fn item(person: Person) -> Item<Person> {
        Item { entity: person, pending: false }
    }

    fn names(table: Table<Person>) -> Vec<String> {
        table.list(|item| Some(item.entity.name.clone()))
    }

    #[test]
    fn what_is_put_is_there_and_what_is_gone_is_not() {
        let _owner = Owner::new_root(None);
        let table = Table::<Person>::default();
        table.patch(vec![item(siri()), item(sam())], &[]);
        assert_eq!(names(table), ["Siri", "Sam"]);
        table.patch(Vec::new(), &[siri().id.0]);
        assert_eq!(names(table), ["Sam"]);
        table.replace(vec![item(siri())]);
        assert_eq!(names(table), ["Siri"]);
    }

    #[test]
    fn who_follows_one_entity_learns_that_it_is_gone_and_that_it_is_back() {
        let _owner = Owner::new_root(None);
        let table = Table::<Person>::default();
        table.patch(vec![item(siri()), item(sam())], &[]);
        let name = Memo::new(move |_| table.get(siri().id).map(|item| item.entity.name));
        assert_eq!(name.get_untracked().as_deref(), Some("Siri"));
        table.patch(Vec::new(), &[siri().id.0]);
        assert_eq!(name.get_untracked(), None);
        table.patch(vec![item(Person { name: "Siri B.".into(), ..siri() })], &[]);
        assert_eq!(name.get_untracked().as_deref(), Some("Siri B."));
        table.replace(vec![item(sam())]);
        assert_eq!(name.get_untracked(), None, "a picture without it takes it away, too");
        // An entity that is removed and inserted at once gets a new row and stays the same entity.
        table.replace(vec![item(siri())]);
        assert!(name.get_untracked().is_some());
        table.patch(vec![item(Person { on_duty: false, name: "Siri C.".into(), ..siri() })], &[siri().id.0]);
        assert_eq!(name.get_untracked().as_deref(), Some("Siri C."));
    }

    #[test]
    fn a_row_that_is_held_shows_what_is_put_later() {
        let _owner = Owner::new_root(None);
        let table = Table::<Person>::default();
        table.patch(vec![item(siri())], &[]);
        let row = table.row(siri().id).unwrap();
        table.replace(vec![Item { entity: Person { on_duty: false, ..siri() }, pending: true }]);
        assert!(row.get_untracked().pending && !row.get_untracked().entity.on_duty);
    }
}
