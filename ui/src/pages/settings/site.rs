//! The site settings. They affect everybody, so only people with the right can change them; others can read them.

use crewbell_shared::site::SiteVerb;
use std::ops::RangeInclusive;

use crewbell_shared::button::ButtonKey;
use crewbell_shared::person::{Right, Role, allows};
use crewbell_shared::protocol::Verb;
use crewbell_shared::request::Priority;
use crewbell_shared::site::SiteSettings;
use leptos::prelude::*;

use super::Part;
use super::draft::{KEYS, KNOWN, Numbers, OWN, Typed, number, with};
use crate::components::{Button, ButtonStyle, Field, IconName, Select};
use crate::locales::{Text, fill, names, refusals, words};
use crate::state::state;

/// The typed values, as reactive values; a handle.
#[derive(Clone, Copy)]
struct Form {
    window: RwSignal<String>,
    ring: RwSignal<String>,
    days: RwSignal<String>,
    unused: RwSignal<String>,
    closed: RwSignal<String>,
    zone: RwSignal<String>,
    keys: [KeyForm; 4],
}

#[derive(Clone, Copy)]
struct KeyForm {
    key: ButtonKey,
    chosen: RwSignal<String>,
    own: RwSignal<String>,
    priority: RwSignal<String>,
}

impl Form {
    fn new() -> Self {
        let text = || RwSignal::new(String::new());
        let keys = KEYS.map(|key| KeyForm { key, chosen: text(), own: text(), priority: text() });
        Self { window: text(), ring: text(), days: text(), unused: text(), closed: text(), zone: text(), keys }
    }

    fn load(self, settings: &SiteSettings) {
        self.window.set(settings.press_window_s.to_string());
        self.ring.set(settings.ring_time_s.to_string());
        self.days.set(settings.retention_days.to_string());
        self.unused.set(settings.session_days.to_string());
        self.closed.set(settings.closed_days.to_string());
        self.zone.set(settings.time_zone.clone());
        for form in self.keys {
            let typed = Typed::of(settings, form.key);
            form.chosen.set(typed.chosen);
            form.own.set(typed.own);
            form.priority.set(typed.priority.as_str().to_owned());
        }
    }

    fn typed(self) -> Vec<(ButtonKey, Typed)> {
        self.keys.map(|form| (form.key, form.typed())).to_vec()
    }

    /// The resulting settings, if all values are valid.
    fn meant(self, before: &SiteSettings) -> Option<SiteSettings> {
        let numbers = Numbers {
            press_window_s: self.window.with(|typed| number(typed, &SiteSettings::PRESS_WINDOW_S))?,
            ring_time_s: self.ring.with(|typed| number(typed, &SiteSettings::RING_TIME_S))?,
            retention_days: self.days.with(|typed| number(typed, &SiteSettings::RETENTION_DAYS))?,
            session_days: self.unused.with(|typed| number(typed, &SiteSettings::SESSION_DAYS))?,
            closed_days: self.closed.with(|typed| number(typed, &SiteSettings::CLOSED_DAYS))?,
        };
        let typed = self.typed();
        let is_whole = typed.iter().all(|(_, typed)| !typed.lacks_name());
        is_whole.then(|| with(before, numbers, &self.zone.get(), &typed))
    }
}

impl KeyForm {
    fn typed(self) -> Typed {
        let priority = self.priority.with(|name| Priority::ALL.into_iter().find(|priority| priority.as_str() == name));
        Typed { chosen: self.chosen.get(), own: self.own.get(), priority: priority.unwrap_or(Priority::Normal) }
    }
}

/// The section with the site settings.
#[component]
pub fn Site() -> impl IntoView {
    let state = state();
    let w = &words().settings;
    let settings = Memo::new(move |_| state.sites.find(|site| Some(site.entity.settings.clone())).unwrap_or_default());
    let pending = Memo::new(move |_| state.sites.find(|site| Some(site.pending)).unwrap_or_default());
    let form = Form::new();
    // The settings that the form started from: neither other people's changes nor the typed values may get lost.
    let began = RwSignal::new(settings.get_untracked());
    form.load(&began.get_untracked());
    let is_touched = Memo::new(move |_| began.with(|began| form.meant(began).as_ref() != Some(began)));
    let is_older = Memo::new(move |_| began.get() != settings.get());
    let saved = RwSignal::new(false);
    let wrong = RwSignal::new(None::<String>);
    let reset = move || {
        let now = settings.get_untracked();
        form.load(&now);
        began.set(now);
    };
    Effect::new(move || {
        if is_older.get() && !is_touched.get_untracked() {
            reset();
        }
    });
    let save = move || {
        let Some(meant) = untrack(|| settings.with(|now| form.meant(now))) else { return };
        let settings = meant.clone();
        state.act_or(Verb::Site(SiteVerb::SaveSettings { settings }), move |answer| match answer {
            Ok(()) => {
                began.try_set(meant);
                saved.try_set(true);
                wrong.try_set(None);
            }
            Err(error) => drop(wrong.try_set(Some(refusals::ask_error(&error)))),
        });
    };
    let can_save = move || is_touched.get() && settings.with(|now| form.meant(now)).is_some();
    let may = Memo::new(move |_| state.may(Right::EditSite));
    let who = Role::ALL.into_iter().filter(|role| allows(*role, Right::EditSite)).map(names::role);
    let only = fill(w.site_only, &[("roles", &who.collect::<Vec<_>>().join(", "))]);
    view! {
        <Part title=w.site icon=IconName::Settings>
            <p class="hint">{move || fill(w.site_text, &[("site", &state.site_name())])}</p>
            <Show when=move || pending.get()><small class="pending-word">{words().common.pending}</small></Show>
            <Show when=move || !may.get()><p class="hint site-only">{only.clone()}</p></Show>
            <fieldset class="site-form" aria-label=w.site disabled=move || !may.get()>
                <Number label=w.press_window value=form.window hint=w.press_window_hint range=SiteSettings::PRESS_WINDOW_S/>
                <Number label=w.ring_time value=form.ring hint=w.ring_time_hint range=SiteSettings::RING_TIME_S/>
                <Number label=w.retention value=form.days hint=w.retention_hint range=SiteSettings::RETENTION_DAYS/>
                <Number label=w.session_days value=form.unused hint=w.session_days_hint range=SiteSettings::SESSION_DAYS/>
                <Number label=w.closed_days value=form.closed hint=w.closed_days_hint range=SiteSettings::CLOSED_DAYS/>
                <Field label=w.time_zone value=form.zone hint=w.time_zone_hint/>
                <h3>{w.services}</h3>
                <p class="hint">{w.services_hint}</p>
                <div class="site-keys">{form.keys.map(|form| view! { <OneKey form/> })}</div>
            </fieldset>
            <Show when=move || is_older.get() && is_touched.get()><p class="hint" role="status">{w.changed_elsewhere}</p></Show>
            <Show when=move || may.get()>
                <div class="acts">
                    <Button label=w.save_site look=ButtonStyle::Go on_press=save disabled=Signal::derive(move || !can_save())/>
                    <Button label=w.reset on_press=reset disabled=Signal::derive(move || !is_touched.get())/>
                </div>
            </Show>
            <p class="wrong" role="alert">{wrong}</p>
            <p class="hint" role="status">{move || (saved.get() && !is_touched.get()).then_some(w.saved)}</p>
        </Part>
    }
}

/// A field for a whole number within a range, which its hint shows.
#[component]
fn Number(
    /// The label, with the unit.
    label: Text,
    /// The typed value.
    value: RwSignal<String>,
    /// The hint; `{least}` and `{most}` are filled in.
    hint: Text,
    /// The valid range.
    range: RangeInclusive<u32>,
) -> impl IntoView {
    let (least, most) = (range.start().to_string(), range.end().to_string());
    let ends = move |text| fill(text, &[("least", &least), ("most", &most)]);
    let hint = ends(hint);
    let wrong = Signal::derive(move || {
        let is_wrong = value.with(|typed| number(typed, &range).is_none());
        is_wrong.then(|| ends(words().settings.number_wrong))
    });
    view! { <Field label value keys="numeric" hint wrong/> }
}

/// The service of one key.
#[component]
fn OneKey(form: KeyForm) -> impl IntoView {
    let w = &words().settings;
    let key = names::key(form.key);
    let none = (String::new(), w.service_none.to_owned());
    let known = KNOWN.map(|code| (code.to_owned(), names::service(code)));
    let own = (OWN.to_owned(), w.service_own.to_owned());
    let services: Vec<_> = std::iter::once(none).chain(known).chain([own]).collect();
    let priority = |priority: Priority| (priority.as_str().to_owned(), names::priority(priority).to_owned());
    let priorities: Vec<_> = Priority::ALL.into_iter().map(priority).collect();
    let is = move |code: &'static str| form.chosen.with(|chosen| chosen == code);
    let lacks = Signal::derive(move || form.typed().lacks_name().then(|| w.service_needed.to_owned()));
    view! {
        <div class="site-key">
            <Select label=fill(w.service_of, &[("key", &key)]) value=form.chosen options=services/>
            <Show when=move || !is("")>
                <Select label=fill(w.priority_of, &[("key", &key)]) value=form.priority options=priorities.clone()/>
            </Show>
            <Show when=move || is(OWN)><Field label=w.service_code value=form.own wrong=lacks/></Show>
            <Show when=move || is(SiteSettings::DO_NOT_DISTURB)><p class="hint">{w.dnd_hint}</p></Show>
        </div>
    }
}
