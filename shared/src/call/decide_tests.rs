use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::testing::{at, by, id, ringing_call, sam, siri, tom};

/// The endpoint on which Siri answers.
const HERS: u128 = 91;

fn decided(call: Call, command: Command, actor: &Person, second: i64) -> Call {
    decide(call, command, &by(actor), at(second)).unwrap().0
}

fn ongoing() -> Call {
    decided(ringing_call(at(0)), Command::Answer { endpoint: Some(id(HERS)) }, &siri(), 10)
}

fn missed() -> Call {
    decide(ringing_call(at(0)), Command::Expire, &Actor::System, at(60)).unwrap().0
}

fn end() -> Command {
    Command::End { dropped: false }
}

/// Every state against every command, by Siri (the callee), Sam (the caller), Tom (a stranger), and the server.
#[test]
fn every_state_against_every_command() {
    let commands: [(&str, Command); 8] = [
        ("answer", Command::Answer { endpoint: Some(id(HERS)) }),
        ("answer on another", Command::Answer { endpoint: Some(id(92)) }),
        ("reject", Command::Reject),
        ("end", end()),
        ("end, gone", Command::End { dropped: true }),
        ("see", Command::See),
        ("expire", Command::Expire),
        ("drop", Command::Drop),
    ];
    let ringing = ringing_call(at(0));
    let rung_out = Call { rings_until: at(60), ..ringing.clone() };
    let states: [(&str, Call, i64); 8] = [
        ("ringing", ringing.clone(), 30),
        ("rung out", rung_out, 60),
        ("ongoing", ongoing(), 90),
        ("completed", decided(ongoing(), end(), &sam(), 70), 90),
        ("missed", missed(), 90),
        ("rejected", decided(ringing.clone(), Command::Reject, &siri(), 20), 90),
        ("cancelled", decided(ringing, end(), &sam(), 20), 90),
        ("dropped", decided(ongoing(), Command::End { dropped: true }, &sam(), 70), 90),
    ];
    let actors = [by(&siri()), by(&sam()), by(&tom()), Actor::System];
    let mut table = Vec::new();
    for (state, call, second) in &states {
        for (name, command) in &commands {
            let outcome = |actor| match decide(call.clone(), *command, actor, at(*second)) {
                Ok((_, Some(change))) => change.entry_type().trim_start_matches("call_").to_owned(),
                Ok((after, None)) => {
                    assert_eq!(&after, call);
                    "=".to_owned()
                }
                Err(refusal) => format!("!{}", refusal.code),
            };
            let outcomes: Vec<String> = actors.iter().map(outcome).collect();
            table.push(format!("{state}: {name}: {}", outcomes.join(", ")));
        }
    }
    assert_eq!(table, TABLE);
}

#[rustfmt::skip]
const TABLE: [&str; 64] = [
    "ringing: answer: answered, !not_your_call, !not_your_call, !not_allowed",
    "ringing: answer on another: answered, !not_your_call, !not_your_call, !not_allowed",
    "ringing: reject: rejected, !not_your_call, !not_your_call, !not_allowed",
    "ringing: end: rejected, cancelled, !not_your_call, !not_allowed",
    "ringing: end, gone: rejected, cancelled, !not_your_call, !not_allowed",
    "ringing: see: =, !not_your_call, !not_your_call, !not_allowed",
    "ringing: expire: !not_allowed, !not_allowed, !not_allowed, =",
    "ringing: drop: !not_allowed, !not_allowed, !not_allowed, dropped",
    "rung out: answer: !call_over, !not_your_call, !not_your_call, !not_allowed",
    "rung out: answer on another: !call_over, !not_your_call, !not_your_call, !not_allowed",
    "rung out: reject: missed, !not_your_call, !not_your_call, !not_allowed",
    "rung out: end: missed, missed, !not_your_call, !not_allowed",
    "rung out: end, gone: missed, missed, !not_your_call, !not_allowed",
    "rung out: see: =, !not_your_call, !not_your_call, !not_allowed",
    "rung out: expire: !not_allowed, !not_allowed, !not_allowed, missed",
    "rung out: drop: !not_allowed, !not_allowed, !not_allowed, missed",
    "ongoing: answer: =, !not_your_call, !not_your_call, !not_allowed",
    "ongoing: answer on another: !answered_elsewhere, !not_your_call, !not_your_call, !not_allowed",
    "ongoing: reject: !answered_elsewhere, !not_your_call, !not_your_call, !not_allowed",
    "ongoing: end: ended, ended, !not_your_call, !not_allowed",
    "ongoing: end, gone: dropped, dropped, !not_your_call, !not_allowed",
    "ongoing: see: =, !not_your_call, !not_your_call, !not_allowed",
    "ongoing: expire: !not_allowed, !not_allowed, !not_allowed, =",
    "ongoing: drop: !not_allowed, !not_allowed, !not_allowed, dropped",
    "completed: answer: !call_over, !not_your_call, !not_your_call, !not_allowed",
    "completed: answer on another: !call_over, !not_your_call, !not_your_call, !not_allowed",
    "completed: reject: !call_over, !not_your_call, !not_your_call, !not_allowed",
    "completed: end: =, =, !not_your_call, !not_allowed",
    "completed: end, gone: =, =, !not_your_call, !not_allowed",
    "completed: see: =, !not_your_call, !not_your_call, !not_allowed",
    "completed: expire: !not_allowed, !not_allowed, !not_allowed, =",
    "completed: drop: !not_allowed, !not_allowed, !not_allowed, =",
    "missed: answer: !call_over, !not_your_call, !not_your_call, !not_allowed",
    "missed: answer on another: !call_over, !not_your_call, !not_your_call, !not_allowed",
    "missed: reject: !call_over, !not_your_call, !not_your_call, !not_allowed",
    "missed: end: =, =, !not_your_call, !not_allowed",
    "missed: end, gone: =, =, !not_your_call, !not_allowed",
    "missed: see: seen, !not_your_call, !not_your_call, !not_allowed",
    "missed: expire: !not_allowed, !not_allowed, !not_allowed, =",
    "missed: drop: !not_allowed, !not_allowed, !not_allowed, =",
    "rejected: answer: !call_over, !not_your_call, !not_your_call, !not_allowed",
    "rejected: answer on another: !call_over, !not_your_call, !not_your_call, !not_allowed",
    "rejected: reject: =, !not_your_call, !not_your_call, !not_allowed",
    "rejected: end: =, =, !not_your_call, !not_allowed",
    "rejected: end, gone: =, =, !not_your_call, !not_allowed",
    "rejected: see: =, !not_your_call, !not_your_call, !not_allowed",
    "rejected: expire: !not_allowed, !not_allowed, !not_allowed, =",
    "rejected: drop: !not_allowed, !not_allowed, !not_allowed, =",
    "cancelled: answer: !call_over, !not_your_call, !not_your_call, !not_allowed",
    "cancelled: answer on another: !call_over, !not_your_call, !not_your_call, !not_allowed",
    "cancelled: reject: !call_over, !not_your_call, !not_your_call, !not_allowed",
    "cancelled: end: =, =, !not_your_call, !not_allowed",
    "cancelled: end, gone: =, =, !not_your_call, !not_allowed",
    "cancelled: see: seen, !not_your_call, !not_your_call, !not_allowed",
    "cancelled: expire: !not_allowed, !not_allowed, !not_allowed, =",
    "cancelled: drop: !not_allowed, !not_allowed, !not_allowed, =",
    "dropped: answer: !call_over, !not_your_call, !not_your_call, !not_allowed",
    "dropped: answer on another: !call_over, !not_your_call, !not_your_call, !not_allowed",
    "dropped: reject: !call_over, !not_your_call, !not_your_call, !not_allowed",
    "dropped: end: =, =, !not_your_call, !not_allowed",
    "dropped: end, gone: =, =, !not_your_call, !not_allowed",
    "dropped: see: =, !not_your_call, !not_your_call, !not_allowed",
    "dropped: expire: !not_allowed, !not_allowed, !not_allowed, =",
    "dropped: drop: !not_allowed, !not_allowed, !not_allowed, =",
];

#[test]
fn a_call_lasts_from_the_answer_to_the_end() {
    let CallState::Ended { answered_at, ended_at, ended_by, outcome, duration_s } =
        decided(ongoing(), end(), &sam(), 75).state
    else {
        panic!("it is over")
    };
    assert_eq!((answered_at, ended_at, duration_s), (Some(at(10)), at(75), 65));
    assert_eq!((ended_by, outcome), (Some(sam().as_ref()), Outcome::Completed));
}

#[test]
fn a_call_that_nobody_answered_ended_when_it_stopped_ringing() {
    let late = decide(ringing_call(at(0)), Command::Expire, &Actor::System, at(9_000)).unwrap().0;
    assert_eq!(late, missed());
    let CallState::Ended { ended_at, ended_by, outcome, duration_s, .. } = late.state else { panic!("it is over") };
    assert_eq!((ended_at, ended_by, duration_s), (at(60), None, 0));
    assert_eq!(outcome, Outcome::Missed { why: Why::NoAnswer });
}

#[test]
fn who_is_refused_an_answer_is_told_how_the_call_is() {
    let cancelled = decided(ringing_call(at(0)), end(), &sam(), 20);
    let refusal = decide(cancelled, Command::Answer { endpoint: None }, &by(&siri()), at(21)).unwrap_err();
    assert_eq!(refusal.details["call"]["outcome"], "cancelled");
    let refusal = decide(ongoing(), Command::Answer { endpoint: None }, &by(&tom()), at(21)).unwrap_err();
    assert!(refusal.details.is_null(), "a stranger is told nothing");
}

#[test]
fn a_clock_that_was_set_back_makes_no_negative_durations() {
    let call = decided(ringing_call(at(100)), Command::Answer { endpoint: None }, &siri(), 40);
    let CallState::Ended { answered_at, ended_at, duration_s, .. } = decided(call, end(), &siri(), 20).state else {
        panic!("it is over")
    };
    assert_eq!((answered_at, ended_at, duration_s), (Some(at(100)), at(100), 0));
}

#[rstest]
#[case::missed(missed(), true)]
#[case::given_up(decided(ringing_call(at(0)), end(), &sam(), 20), true)]
#[case::the_caller_was_gone(decide(ringing_call(at(0)), Command::Drop, &Actor::System, at(20)).unwrap().0, true)]
#[case::rejected(decided(ringing_call(at(0)), Command::Reject, &siri(), 20), false)]
#[case::spoken(decided(ongoing(), end(), &sam(), 20), false)]
#[case::broken_off(decide(ongoing(), Command::Drop, &Actor::System, at(20)).unwrap().0, false)]
#[case::ringing(ringing_call(at(0)), false)]
fn what_was_never_answered_nor_rejected_is_missed(#[case] call: Call, #[case] is_missed: bool) {
    assert_eq!((call.is_missed(), call.is_unseen()), (is_missed, is_missed));
    let seen = decided(call, Command::See, &siri(), 95);
    assert_eq!((seen.is_missed(), seen.is_unseen(), seen.seen_at.is_some()), (is_missed, false, is_missed));
}

#[test]
fn who_left_answers_nothing() {
    let gone = Person { active: false, ..siri() };
    let refusal = decide(ringing_call(at(0)), Command::Answer { endpoint: None }, &by(&gone), at(5)).unwrap_err();
    assert_eq!(refusal.code, Code::NotActive);
}

fn any_command() -> impl Strategy<Value = Command> {
    let endpoint = prop_oneof![Just(None), Just(Some(id(HERS))), Just(Some(id(92)))];
    prop_oneof![
        endpoint.prop_map(|endpoint| Command::Answer { endpoint }),
        Just(Command::Reject),
        any::<bool>().prop_map(|dropped| Command::End { dropped }),
        Just(Command::See),
        Just(Command::Expire),
        Just(Command::Drop),
    ]
}

fn any_actor() -> impl Strategy<Value = Actor> {
    prop_oneof![Just(by(&siri())), Just(by(&sam())), Just(by(&tom())), Just(Actor::System)]
}

proptest! {
    /// Invariants of any sequence of commands by any actors: an ended call keeps its end, an answered call stays with
    /// its endpoint, a stranger changes nothing, and the call survives a round trip through JSON.
    #[test]
    fn no_history_breaks_the_rules(history in prop::collection::vec((any_command(), any_actor(), 0..200_i64), 0..40)) {
        let mut call = ringing_call(at(0));
        for (command, actor, second) in history {
            let before = call.clone();
            match decide(call.clone(), command, &actor, at(second)) {
                Ok((after, change)) => {
                    prop_assert_eq!(after == before, change.is_none());
                    prop_assert!(!matches!(&actor, Actor::Person(person) if person.id == tom().id));
                    if before.state.is_over() {
                        prop_assert_eq!(&after.state, &before.state);
                    }
                    if before.callee_endpoint().is_some() && after.is_live() {
                        prop_assert_eq!(after.callee_endpoint(), before.callee_endpoint());
                    }
                    call = after;
                }
                Err(refusal) => prop_assert!(!refusal.message.is_empty()),
            }
            let written = serde_json::to_string(&call).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Call>(&written).unwrap(), &call);
        }
    }
}
