//! The subjects of calls: name, page, the calls about a subject, and calling somebody about it.

use crewbell_shared::call::{About, Call};
use crewbell_shared::ids::CallId;
use crewbell_shared::protocol::EntityType;
use leptos::prelude::*;
use uuid::Uuid;

use super::{Choose, how, parties};
use crate::components::{Button, CallButton, Icon, IconName, PersonName, Said};
use crate::locales::{names, time, words};
use crate::route::{Page, Route};
use crate::state::{AppState, state};

/// The page of a subject; `None` for entity types that calls can't be about. A new subject type needs an arm here and
/// in `known`.
fn page_of(entity_type: EntityType) -> Option<Page> {
    match entity_type {
        EntityType::Request => Some(Page::Requests),
        EntityType::Place => Some(Page::Places),
        EntityType::Site
        | EntityType::Person
        | EntityType::Guest
        | EntityType::Stay
        | EntityType::Button
        | EntityType::Call => None,
    }
}

/// The name and the kind of a subject, as far as this device knows it.
fn known(state: AppState, entity_type: EntityType, id: Uuid) -> Option<(String, String)> {
    match entity_type {
        EntityType::Request => {
            let request = state.requests.get(id.into())?.entity;
            Some((request.place_name.clone(), names::wish(&request)))
        }
        EntityType::Place => {
            let place = state.places.get(id.into())?.entity;
            Some((place.name, names::place_kind(place.kind).to_owned()))
        }
        EntityType::Site
        | EntityType::Person
        | EntityType::Guest
        | EntityType::Stay
        | EntityType::Button
        | EntityType::Call => None,
    }
}

/// The subject of a call in words: "Cabin 5 · Bring drinks". An unknown subject has the name that it had at the time.
pub fn about(state: AppState, about: &About) -> String {
    let known = about.entity_type.known().and_then(|entity_type| known(state, entity_type, about.id));
    known.map_or_else(|| about.name.clone(), |(name, what)| format!("{name} · {what}"))
}

/// The route to a subject; `None` for an entity type that only a newer version has a page for.
pub fn way_to(about: &About) -> Option<Route> {
    Some(Route::about(page_of(about.entity_type.known()?)?, about.id))
}

/// An entity as the subject of a call; `None` while it isn't known here.
fn about_now(state: AppState, entity_type: EntityType, id: Uuid) -> Option<About> {
    let (name, _) = known(state, entity_type, id)?;
    Some(About { entity_type: entity_type.into(), id, name })
}

/// A button to call somebody about an entity: the colleague who holds it, or else a colleague of choice.
#[component]
pub fn CallAbout(
    /// The type of the entity.
    entity_type: EntityType,
    /// The id of the entity.
    id: Uuid,
) -> impl IntoView {
    let state = state();
    let chooses = RwSignal::new(false);
    let about = Memo::new(move |_| about_now(state, entity_type, id));
    let holder = Memo::new(move |_| {
        let request = (entity_type == EntityType::Request).then(|| state.requests.get(id.into()))??.entity;
        request.holder().filter(|holder| Some(holder.id) != state.my_id()).cloned()
    });
    let sheet = move || {
        let about = about.get().filter(|_| chooses.get());
        about.map(|about| view! { <Choose about on_close=move || chooses.set(false)/> })
    };
    view! {
        <div class="acts call-from">
            {move || holder.get().map(|holder| view! {
                <PersonName id=holder.id name=holder.name/>
                <CallButton id=holder.id about=about.get() named=true/>
            })}
            <Button label=words().calls.call_somebody icon=IconName::Phone on_press=move || chooses.set(true)/>
        </div>
        {sheet}
    }
}

/// The calls about an entity, oldest first.
pub fn calls_about(state: AppState, entity_type: EntityType, id: Uuid) -> Vec<Call> {
    let mut calls = state.calls.list(|item| is_about(&item.entity, entity_type, id).then(|| item.entity.clone()));
    calls.sort_by_key(|call| (call.call_time, call.id));
    calls
}

fn is_about(call: &Call, entity_type: EntityType, id: Uuid) -> bool {
    call.about.as_ref().is_some_and(|about| about.id == id && about.entity_type.known() == Some(entity_type))
}

/// The maximum number of calls in the list; the calls page has the full history.
const LISTED: usize = 5;

/// The latest calls about an entity under a heading, newest first; renders nothing if there are none. Entities with a
/// timeline show their calls there.
#[component]
pub fn CallsAbout(
    /// The type of the entity.
    entity_type: EntityType,
    /// The id of the entity.
    id: Uuid,
) -> impl IntoView {
    let state = state();
    let last = Memo::new(move |_| {
        let calls = calls_about(state, entity_type, id);
        calls.iter().rev().take(LISTED).map(|call| call.id).collect::<Vec<_>>()
    });
    view! {
        <Show when=move || last.with(|last| !last.is_empty())>
            <section>
                <h3 class="spot-part">{words().calls.title}</h3>
                <div class="rows"><For each=move || last.get() key=|id| *id let:id><OneCall id/></For></div>
            </section>
        </Show>
    }
}

/// A call from a neutral point of view: who called whom, how it ended, when.
#[component]
fn OneCall(id: CallId) -> impl IntoView {
    let state = state();
    let row = state.calls.row(id);
    move || {
        row.as_ref().map(Get::get).map(|item| {
            let when = time::moment(item.entity.call_time, state.now.get_untracked());
            view! {
                <div class="row" class:pending=item.pending>
                    <div class="row-press">
                        <span class="row-icon"><Icon of=IconName::Phone/></span>
                        <span class="row-text">
                            <b><Said of=parties(&item.entity)/></b>
                            <small>{format!("{} · {when}", how(&item.entity))}</small>
                        </span>
                    </div>
                </div>
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use crewbell_shared::protocol::EntityTypeName;
    use crewbell_shared::testing::{at, cabin, ringing_call};

    use super::*;

    fn of(entity_type: EntityTypeName) -> About {
        About { entity_type, id: cabin().id.0, name: "Cabin 5".into() }
    }

    #[test]
    fn a_call_leads_to_the_page_of_what_it_is_about_where_there_is_one() {
        let page = |entity_type| way_to(&of(entity_type)).map(|route| route.page);
        assert_eq!(page(EntityType::Request.into()), Some(Page::Requests));
        assert_eq!(page(EntityType::Place.into()), Some(Page::Places));
        assert_eq!(page(EntityType::Person.into()), None);
        assert_eq!(page(EntityTypeName::Foreign("work_order".into())), None);
    }

    #[test]
    fn a_call_is_about_one_entity_and_no_other() {
        let call = Call { about: Some(of(EntityType::Place.into())), ..ringing_call(at(0)) };
        let (id, other) = (cabin().id.0, Uuid::from_u128(99));
        assert!(is_about(&call, EntityType::Place, id));
        assert!(!is_about(&call, EntityType::Request, id) && !is_about(&call, EntityType::Place, other));
        assert!(!is_about(&Call { about: None, ..call }, EntityType::Place, id));
    }
}
