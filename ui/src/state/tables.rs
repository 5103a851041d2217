//! The tables of all entities, one for each line of the registry (`crewbell_shared::entities`).

use crewbell_core::screen::Shown;
use crewbell_core::store::EntityKey;
use crewbell_shared::button::Button;
use crewbell_shared::call::Call;
use crewbell_shared::guest::{Guest, Stay};
use crewbell_shared::person::Person;
use crewbell_shared::place::Place;
use crewbell_shared::request::Request;
use crewbell_shared::site::Site;
use crewbell_shared::{Registered, for_each_entity};
use uuid::Uuid;

use super::{Item, Table};

macro_rules! tables {
    ($($plural:ident: $entity:ident($id:ident)),+) => {
        /// A table for each type of entity, named by the plural in the registry: `requests`, `people`.
        #[derive(Debug, Default)]
        pub struct Tables {
            $(pub $plural: Table<$entity>,)+
        }

        impl Tables {
            /// Replaces the contents of all tables.
            pub fn replace(&self, all: &[Shown]) {
                $(self.$plural.replace(items(all));)+
            }

            /// Inserts, updates and removes entities. The tables are notified in the order of the registry: entities
            /// that cards refer to before the requests themselves.
            pub fn patch(&self, put: &[Shown], gone: &[EntityKey]) {
                $(self.$plural.patch(items(put), &ids::<$entity>(gone));)+
            }
        }
    };
}

for_each_entity!(tables);

/// The entities of one type.
fn items<T: Registered>(shown: &[Shown]) -> Vec<Item<T>> {
    let item = |shown: &Shown| Some(Item { entity: T::of(&shown.entity)?.clone(), pending: shown.pending });
    shown.iter().filter_map(item).collect()
}

/// The ids of one type.
fn ids<T: Registered>(keys: &[EntityKey]) -> Vec<Uuid> {
    keys.iter().filter(|key| key.entity_type == T::TYPE).map(|key| key.id).collect()
}

#[cfg(test)]
mod tests {
    use crewbell_shared::Entity;
    use crewbell_shared::testing::{at, open_request, siri};
    use leptos::reactive::owner::Owner;

    use super::*;

    fn shown(entity: impl Into<Entity>) -> Shown {
        Shown { entity: entity.into().into(), pending: true }
    }

    #[test]
    fn each_entity_is_in_the_table_of_its_type() {
        let _owner = Owner::new_root(None);
        let (tables, request) = (Tables::default(), open_request(at(0)));
        tables.replace(&[shown(siri()), shown(request.clone())]);
        assert_eq!(tables.people.peek(siri().id), Some(Item { entity: siri(), pending: true }));
        tables.patch(&[shown(Person { on_duty: false, ..siri() })], &[request.id.into()]);
        assert!(tables.requests.peek(request.id).is_none());
        assert!(tables.people.peek(siri().id).is_some_and(|item| !item.entity.on_duty));
    }
}
