//! The form for a request without a button: place, service, and optional text.

use crewbell_shared::ids::{PlaceId, RequestId};
use crewbell_shared::person::Right;
use crewbell_shared::place::{Place, PlaceKind};
use crewbell_shared::protocol::Verb;
use crewbell_shared::request::Kind;
use crewbell_shared::request::RequestVerb;
use crewbell_shared::site::SiteSettings;
use leptos::prelude::*;

use crate::bridge::ids::new_id;
use crate::components::{Button, ButtonStyle, Empty, Field, Icon, IconName, Search};
use crate::locales::{names, words};
use crate::pages::Info;
use crate::pages::requests::service_icon;
use crate::route::{Page, Route, show};
use crate::state::{AppState, state};

/// The page's [`Info`].
pub const INFO: Info =
    Info { title: |words| words.new_request.title, icon: IconName::Plus, right: Some(Right::CreateRequests) };

/// A kind of request, with its service.
#[derive(Clone, Debug, PartialEq)]
struct Wish {
    kind: Kind,
    service: Option<String>,
}

/// The form: place, service, and optional text.
#[component]
pub fn NewRequest() -> impl IntoView {
    let state = state();
    let w = &words().new_request;
    let place = RwSignal::new(None::<Place>);
    let wish = RwSignal::new(None::<Wish>);
    let text = RwSignal::new(String::new());
    let incomplete = Memo::new(move |_| place.with(Option::is_none) || wish.with(Option::is_none));
    let ask = move || {
        let (Some(place), Some(wish)) = (place.get_untracked(), wish.get_untracked()) else { return };
        let request_id: RequestId = new_id();
        let text = Some(text.get_untracked().trim().to_owned()).filter(|text| !text.is_empty());
        let (kind, service) = (wish.kind, wish.service);
        state.act(Verb::Request(RequestVerb::Create {
            request_id,
            place_id: place.id,
            kind,
            service,
            priority: None,
            text,
        }));
        show(Route::to(Page::Requests));
    };
    view! {
        <div class="new-request">
            <section>
                <h2>{w.where_}</h2>
                {move || match place.get() {
                    Some(chosen) => view! {
                        <div class="chosen-place card">
                            <Icon of=IconName::Place/>
                            <b>{chosen.name}</b>
                            <Button label=w.change on_press=move || place.set(None)/>
                        </div>
                    }.into_any(),
                    None => view! { <Places place/> }.into_any(),
                }}
            </section>
            <section>
                <h2>{w.what}</h2>
                <div class="tiles">
                    {move || wishes(state).into_iter().map(|one| view! { <Tile one wish/> }).collect_view()}
                </div>
            </section>
            <section>
                <Field label=w.note hint=w.note_hint value=text long=true/>
                <div class="acts ask">
                    <Button label=w.ask look=ButtonStyle::Go icon=IconName::Bell disabled=incomplete on_press=ask/>
                </div>
                <Show when=move || incomplete.get()><p class="hint">{w.choose_first}</p></Show>
            </section>
        </div>
    }
}

/// A button for something that can be requested, large enough for a thumb.
#[component]
fn Tile(one: Wish, wish: RwSignal<Option<Wish>>) -> impl IntoView {
    let label = match &one.service {
        Some(code) => names::service(code),
        None => names::kind(one.kind).to_owned(),
    };
    let of = match (&one.service, one.kind) {
        (Some(code), _) => service_icon(code),
        (None, Kind::Emergency) => IconName::Alarm,
        (None, Kind::Call | Kind::Urgent | Kind::Voice | Kind::Service) => IconName::Bell,
    };
    let (chosen, alarm) = (StoredValue::new(one.clone()), one.kind == Kind::Emergency);
    let is_chosen = move || wish.with(|wish| wish.as_ref() == Some(&chosen.get_value()));
    view! {
        <button type="button" class="tile" class:alarm=alarm aria-pressed=move || is_chosen().to_string()
            on:click=move |_| wish.set(Some(one.clone()))>
            <Icon of/>
            <span>{label}</span>
        </button>
    }
}

/// The places by deck, to choose one.
#[component]
fn Places(place: RwSignal<Option<Place>>) -> impl IntoView {
    let state = state();
    let text = RwSignal::new(String::new());
    let groups = Memo::new(move |_| groups(state, &text.get()));
    let group = move |(name, places): Group| {
        let buttons = places.into_iter().map(|(one, guest)| {
            let name = one.name.clone();
            view! {
                <button type="button" class="place" on:click=move |_| place.set(Some(one.clone()))>
                    <b>{name}</b>
                    <small>{guest}</small>
                </button>
            }
        });
        view! {
            <h3>{name}</h3>
            <div class="place-grid">{buttons.collect_view()}</div>
        }
    };
    view! {
        <Search value=text name=words().new_request.search/>
        <Show when=move || !groups.with(Vec::is_empty)
            fallback=|| view! { <Empty icon=IconName::Place title=words().new_request.no_places/> }>
            {move || groups.get().into_iter().map(group).collect_view()}
        </Show>
    }
}

/// The name of a deck, with the places on it and the guests who stay there.
type Group = (String, Vec<(Place, Option<String>)>);

/// The decks, with the places that requests can be for.
fn groups(state: AppState, text: &str) -> Vec<Group> {
    let guest = |place: PlaceId| state.guest_in(place).and_then(|guest| state.guest_name(guest));
    let all = state.places_of(None, |place| place.kind != PlaceKind::Deck);
    let all = all.into_iter().map(|place| (state.deck_of(place.id).map(|deck| deck.id), guest(place.id), place));
    let wanted = |name: &str, guest: &Option<String>| {
        let said = format!("{name} {}", guest.as_deref().unwrap_or_default()).to_lowercase();
        text.to_lowercase().split_whitespace().all(|word| said.contains(word))
    };
    let all: Vec<_> = all.filter(|(_, guest, place)| wanted(&place.name, guest)).collect();
    let of = |deck: Option<PlaceId>| {
        let there = all.iter().filter(|(on, _, _)| *on == deck);
        there.map(|(_, guest, place)| (place.clone(), guest.clone())).collect::<Vec<_>>()
    };
    let decks = state.decks().into_iter().map(|deck| (deck.name, of(Some(deck.id))));
    let elsewhere = (words().new_request.elsewhere.to_owned(), of(None));
    decks.chain([elsewhere]).filter(|(_, places)| !places.is_empty()).collect()
}

/// What can be requested at the site: calls first, then the services of its keys, an emergency last.
fn wishes(state: AppState) -> Vec<Wish> {
    let services = state.sites.find(|site| Some(site.entity.settings.services.clone())).unwrap_or_default();
    let services = services.into_iter().filter(|service| service.code != SiteSettings::DO_NOT_DISTURB);
    let services = services.map(|service| Wish { kind: Kind::Service, service: Some(service.code) });
    let plain = |kind| Wish { kind, service: None };
    let first = [Kind::Call, Kind::Urgent].map(plain);
    first.into_iter().chain(services).chain([plain(Kind::Emergency)]).collect()
}
