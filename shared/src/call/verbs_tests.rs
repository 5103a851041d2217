use rstest::rstest;
use uuid::Uuid;

use super::*;
use crate::Entity;
use crate::rules::StateView;
use crate::testing::{Yacht, at, by, cabin, dana, id, open_request, ringing_call, sam, siri, tom};

/// Starts a call; returns the types of its log entries, and the call as last changed.
fn start(
    yacht: &mut Yacht,
    caller: &Person,
    callee: &Person,
    number: u128,
) -> Result<(Vec<&'static str>, Call), Refusal> {
    let actor = by(caller);
    let ctx = DecisionContext { view: yacht, actor: &actor, at: at(60) };
    let changes = ctx.start_call(id(number), callee.id, None, Some(id(number + 10)))?;
    let Some(Entity::Call(call)) = changes.last().map(|change| change.entity.clone()) else { panic!("it is a call") };
    Ok((yacht.apply(changes), call))
}

fn outcome(call: &Call) -> (Option<Why>, bool) {
    match &call.state {
        CallState::Ended { outcome, .. } => (outcome.why(), true),
        CallState::Ringing | CallState::Ongoing { .. } => (None, false),
    }
}

#[test]
fn a_call_rings_for_the_sites_ring_time() {
    let mut yacht = Yacht::default();
    let mut site = yacht.site().clone();
    site.settings.ring_time_s = 25;
    yacht = yacht.with(site);
    let (kinds, call) = start(&mut yacht, &sam(), &siri(), 81).unwrap();
    assert_eq!((kinds, call.rings_until), (vec!["call_started"], at(85)));
    assert_eq!((call.caller, call.callee, call.caller_endpoint), (sam().as_ref(), siri().as_ref(), Some(id(91))));
}

#[rstest]
#[case::busy(Yacht::default().with(Person { busy: true, ..siri() }), Why::Busy)]
#[case::offline(Yacht::default().away(siri().id), Why::Offline)]
#[case::called_by_another(Yacht::default().with(Call { caller: tom().as_ref(), ..ringing_call(at(30)) }), Why::InCall)]
#[case::calling_another(
    Yacht::default().with(Call { caller: siri().as_ref(), callee: tom().as_ref(), ..ringing_call(at(30)) }),
    Why::InCall
)]
fn who_can_t_be_called_misses_it_at_once(#[case] mut yacht: Yacht, #[case] why: Why) {
    let (kinds, call) = start(&mut yacht, &dana(), &siri(), 81).unwrap();
    assert_eq!((kinds, outcome(&call)), (vec!["call_missed"], (Some(why), true)));
    assert!(call.is_unseen());
    assert_eq!(call.rings_until, call.call_time);
}

#[test]
fn two_who_call_each_other_have_one_call() {
    let mut yacht = Yacht::default();
    start(&mut yacht, &sam(), &siri(), 81).unwrap();
    let (kinds, call) = start(&mut yacht, &siri(), &sam(), 82).unwrap();
    assert_eq!((kinds, call.id), (vec!["call_answered"], id(81)));
    assert_eq!(call.callee_endpoint(), Some(id(92)));
    assert!(yacht.get::<CallId>(id(82)).is_none());
}

#[test]
fn who_is_in_a_call_makes_no_other() {
    let mut yacht = Yacht::default();
    start(&mut yacht, &sam(), &siri(), 81).unwrap();
    for (caller, callee) in [(sam(), tom()), (sam(), siri()), (siri(), tom())] {
        let refusal = start(&mut yacht, &caller, &callee, 82).unwrap_err();
        assert_eq!((refusal.code, refusal.details["call"]["state"].as_str()), (Code::InACall, Some("ringing")));
    }
}

#[test]
fn the_same_call_again_changes_nothing_and_another_s_id_is_taken() {
    let mut yacht = Yacht::default();
    start(&mut yacht, &sam(), &siri(), 81).unwrap();
    let again = |caller: &Person, callee: &Person| {
        let actor = by(caller);
        DecisionContext { view: &yacht, actor: &actor, at: at(61) }.start_call(id(81), callee.id, None, Some(id(91)))
    };
    assert_eq!(again(&sam(), &siri()), Ok(Vec::new()));
    assert_eq!(again(&sam(), &tom()).unwrap_err().details["field"], "call_id");
    assert_eq!(again(&dana(), &siri()).unwrap_err().details["field"], "call_id");
}

#[test]
fn a_call_that_has_rung_its_time_holds_nobody() {
    let mut yacht = Yacht::default().with(ringing_call(at(-60)));
    let (kinds, call) = start(&mut yacht, &sam(), &siri(), 81).unwrap();
    assert_eq!(kinds, ["call_missed", "call_started"]);
    assert_eq!(outcome(yacht.get(ringing_call(at(0)).id).unwrap()), (Some(Why::NoAnswer), true));
    assert_eq!(live_call_of(&yacht, siri().id), Some(&call));
    // Calling back doesn't answer it.
    let mut yacht = Yacht::default().with(ringing_call(at(-60)));
    assert_eq!(start(&mut yacht, &siri(), &sam(), 81).unwrap().0, ["call_missed", "call_started"]);
}

#[test]
fn nobody_calls_themselves_or_who_left_or_nobody() {
    let mut yacht = Yacht::default().with(Person { active: false, ..tom() });
    assert_eq!(start(&mut yacht, &sam(), &sam(), 81).unwrap_err().details["field"], "callee_id");
    assert_eq!(start(&mut yacht, &sam(), &tom(), 81).unwrap_err().code, Code::NotActive);
    assert_eq!(start(&mut yacht, &Person { active: false, ..tom() }, &sam(), 81).unwrap_err().code, Code::NotActive);
    let nobody = Person { id: id(999), ..tom() };
    assert_eq!(start(&mut yacht, &sam(), &nobody, 81).unwrap_err().details["what"], "person");
}

#[test]
fn a_call_is_about_what_is_there_by_its_name_now() {
    let yacht = Yacht::default();
    let actor = by(&sam());
    let about = |entity_type: EntityTypeName, about_id: Uuid| {
        let about = About { entity_type, id: about_id, name: "a lie".into() };
        let ctx = DecisionContext { view: &yacht, actor: &actor, at: at(60) };
        let changes = ctx.start_call(id(81), siri().id, Some(&about), None)?;
        let Some(Entity::Call(call)) = changes.last().map(|change| &change.entity) else { panic!("it is a call") };
        Ok::<_, Refusal>(call.about.clone().unwrap().name)
    };
    assert_eq!(about(EntityType::Request.into(), open_request(at(0)).id.0).unwrap(), "Cabin 5");
    assert_eq!(about(EntityType::Place.into(), cabin().id.0).unwrap(), "Cabin 5");
    assert_eq!(about(EntityType::Request.into(), id::<CallId>(999).0).unwrap_err().details["what"], "request");
    assert_eq!(about(EntityType::Site.into(), id::<CallId>(1).0).unwrap_err().details["field"], "about");
    assert_eq!(about(EntityTypeName::Foreign("moon".into()), id::<CallId>(1).0).unwrap_err().details["field"], "about");
}
