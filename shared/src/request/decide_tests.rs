use jiff::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::ids::NoteId;
use crate::testing::{at, dana, open_request, sam, siri};

fn note() -> Command {
    Command::Note { id: NoteId(Uuid::from_u128(9)), text: "Two towels".into() }
}

fn accepted_by(person: &Person) -> Request {
    decide(open_request(at(0)), Command::Accept, person, at(10)).unwrap().0
}

fn completed() -> Request {
    decide(accepted_by(&siri()), Command::Complete, &siri(), at(60)).unwrap().0
}

fn cancelled() -> Request {
    decide(open_request(at(0)), Command::Cancel { reason: None }, &dana(), at(60)).unwrap().0
}

#[test]
fn a_clock_that_was_set_back_makes_no_negative_durations() {
    let accepted = decide(open_request(at(100)), Command::Accept, &siri(), at(40)).unwrap().0;
    let completed = decide(accepted, Command::Complete, &siri(), at(20)).unwrap().0;
    let RequestState::Completed { acceptance, completed_at, .. } = completed.state else { panic!("it is completed") };
    assert_eq!((acceptance.accepted_at, completed_at), (at(100), at(100)));
    let cancelled = decide(accepted_by(&siri()), Command::Cancel { reason: None }, &siri(), at(3)).unwrap().0;
    let RequestState::Cancelled { cancelled_at, .. } = cancelled.state else { panic!("it is cancelled") };
    assert_eq!(cancelled_at, at(10));
}

/// Every state against every command, by the holder, a colleague, and the dispatcher.
#[test]
fn every_state_against_every_command() {
    let commands: [(&str, Command); 6] = [
        ("accept", Command::Accept),
        ("release", Command::Release),
        ("hand over", Command::HandOver { to: sam() }),
        ("complete", Command::Complete),
        ("cancel", Command::Cancel { reason: Some("by mistake".into()) }),
        ("note", note()),
    ];
    let states = [
        ("open", open_request(at(0))),
        ("siri has it", accepted_by(&siri())),
        ("completed", completed()),
        ("cancelled", cancelled()),
    ];
    let mut table = Vec::new();
    for (state, request) in &states {
        for (name, command) in &commands {
            let outcomes: Vec<String> = [siri(), sam(), dana()]
                .iter()
                .map(|actor| match decide(request.clone(), command.clone(), actor, at(90)) {
                    Ok((after, Some(_))) => match after.holder() {
                        Some(holder) => format!("{} {}", after.state.as_str(), holder.name),
                        None => after.state.as_str().to_owned(),
                    },
                    Ok((_, None)) => "unchanged".to_owned(),
                    Err(refusal) => format!("!{}", refusal.code),
                })
                .collect();
            table.push(format!("{state}: {name}: {}", outcomes.join(", ")));
        }
    }
    assert_eq!(
        table,
        [
            "open: accept: accepted Siri, accepted Sam, accepted Dana",
            "open: release: !not_accepted, !not_accepted, !not_accepted",
            "open: hand over: !not_accepted, !not_accepted, !not_accepted",
            "open: complete: !not_accepted, !not_accepted, !not_accepted",
            "open: cancel: cancelled, cancelled, cancelled",
            "open: note: open, open, open",
            "siri has it: accept: unchanged, !already_accepted, !already_accepted",
            "siri has it: release: open, !not_yours, open",
            "siri has it: hand over: accepted Sam, !not_yours, accepted Sam",
            "siri has it: complete: completed, !not_yours, completed",
            "siri has it: cancel: cancelled, !not_yours, cancelled",
            "siri has it: note: accepted Siri, accepted Siri, accepted Siri",
            "completed: accept: !already_closed, !already_closed, !already_closed",
            "completed: release: !already_closed, !already_closed, !already_closed",
            "completed: hand over: !already_closed, !already_closed, !already_closed",
            "completed: complete: !already_closed, !already_closed, !already_closed",
            "completed: cancel: !already_closed, !already_closed, !already_closed",
            "completed: note: completed, completed, completed",
            "cancelled: accept: !already_closed, !already_closed, !already_closed",
            "cancelled: release: !already_closed, !already_closed, !already_closed",
            "cancelled: hand over: !already_closed, !already_closed, !already_closed",
            "cancelled: complete: !already_closed, !already_closed, !already_closed",
            "cancelled: cancel: !already_closed, !already_closed, !already_closed",
            "cancelled: note: cancelled, cancelled, cancelled",
        ]
    );
}

#[test]
fn second_accept_is_refused_with_the_winner() {
    let refusal = decide(accepted_by(&siri()), Command::Accept, &sam(), at(11)).unwrap_err();
    assert_eq!(refusal.code, Code::AlreadyAccepted);
    assert_eq!(refusal.details["by"]["name"], "Siri");
    assert_eq!(refusal.details["request"]["state"], "accepted");
}

#[test]
fn a_hand_over_keeps_the_time_of_the_acceptance() {
    let (after, _) = decide(accepted_by(&siri()), Command::HandOver { to: sam() }, &siri(), at(90)).unwrap();
    let RequestState::Accepted(acceptance) = after.state else { panic!("not accepted") };
    assert_eq!((acceptance.accepted_by.name.as_str(), acceptance.accepted_at), ("Sam", at(10)));
}

#[test]
fn nobody_gets_a_request_who_has_left() {
    let gone = Person { active: false, ..sam() };
    let refusal = decide(accepted_by(&siri()), Command::HandOver { to: gone }, &siri(), at(90)).unwrap_err();
    assert_eq!(refusal.code, Code::NotActive);
}

#[test]
fn an_empty_note_and_an_endless_one_are_refused() {
    for text in ["  ".to_owned(), "x".repeat(MAX_TEXT + 1)] {
        let command = Command::Note { id: NoteId(Uuid::from_u128(9)), text };
        let refusal = decide(open_request(at(0)), command, &siri(), at(1)).unwrap_err();
        assert_eq!(refusal.code, Code::Invalid);
    }
}

fn write(request: Request, number: u128, text: &str, actor: &Person) -> Result<(Request, Option<Change>), Refusal> {
    decide(request, Command::Note { id: NoteId(Uuid::from_u128(number)), text: text.into() }, actor, at(1))
}

#[test]
fn a_request_holds_so_many_notes_and_so_much_text() {
    for (text, most) in [("tea", MAX_NOTES), (&*"x".repeat(MAX_TEXT), 16), (&*"ü".repeat(MAX_TEXT), 8)] {
        let mut request = completed();
        for number in 0.. {
            match write(request.clone(), number, text, &siri()) {
                Ok((after, change)) => {
                    assert_eq!(change, Some(Change::Noted));
                    request = after;
                }
                Err(refusal) => {
                    assert_eq!(refusal.code, Code::NotesFull);
                    assert_eq!(
                        (&refusal.details["limit"], &refusal.details["limit_bytes"]),
                        (&100.into(), &32768.into())
                    );
                    break;
                }
            }
        }
        assert_eq!(request.notes.len(), most);
        assert!(serde_json::to_vec(&request).unwrap().len() < 64 * 1024, "whole, at each change");
    }
    // A text that is too long is refused as invalid, also if the notes are full.
    let full = (0..16)
        .fold(open_request(at(0)), |request, number| write(request, number, &"x".repeat(2000), &siri()).unwrap().0);
    assert_eq!(write(full.clone(), 20, &"x".repeat(2001), &siri()).unwrap_err().code, Code::Invalid);
    // A short one still fits, and other commands work.
    assert!(write(full.clone(), 20, "done", &siri()).is_ok());
    assert!(decide(full, Command::Accept, &siri(), at(2)).is_ok());
}

#[test]
fn a_note_that_comes_again_is_there_once_and_its_id_is_no_other_s() {
    let (request, _) = write(open_request(at(0)), 9, "Two towels\r\n", &siri()).unwrap();
    let (same, change) = write(request.clone(), 9, "  Two towels", &siri()).unwrap();
    assert_eq!((same.notes.len(), change), (1, None));
    for (text, actor) in [("Three towels", siri()), ("Two towels", sam())] {
        let refusal = write(request.clone(), 9, text, &actor).unwrap_err();
        assert_eq!((refusal.code, refusal.details["field"].as_str()), (Code::Invalid, Some("note_id")));
    }
    // This also holds when the notes are full.
    let full = (10..).try_fold(request, |request, number| {
        write(request, number, "tea", &siri()).map(|(request, _)| request).map_err(|_| ())
    });
    assert!(full.is_err());
}

fn any_command() -> impl Strategy<Value = Command> {
    prop_oneof![
        Just(Command::Accept),
        Just(Command::Release),
        Just(Command::HandOver { to: sam() }),
        Just(Command::HandOver { to: siri() }),
        Just(Command::Complete),
        Just(Command::Cancel { reason: None }),
        Just(note()),
    ]
}

fn any_actor() -> impl Strategy<Value = Person> {
    prop_oneof![Just(siri()), Just(sam()), Just(dana())]
}

proptest! {
    /// Invariants of any sequence of commands by any actors: a request is taken from its holder only with the right to,
    /// a closed request keeps its end, a refusal changes nothing, and the request survives a round trip through JSON.
    #[test]
    fn no_history_breaks_the_rules(history in prop::collection::vec((any_command(), any_actor()), 0..40)) {
        let mut request = open_request(at(0));
        for (step, (command, actor)) in history.into_iter().enumerate() {
            let before = request.clone();
            let now: Timestamp = at(i64::try_from(step).unwrap());
            match decide(request.clone(), command.clone(), &actor, now) {
                Ok((after, change)) => {
                    prop_assert_eq!(after == before, change.is_none());
                    if before.state.is_closed() {
                        prop_assert_eq!(&after.state, &before.state);
                    }
                    if let (Some(holder), Some(next)) = (before.holder(), after.holder()) {
                        let moved = holder.id != next.id;
                        let by_right = holder.id == actor.id || crate::person::allows(actor.role, Right::TakeOverRequests);
                        let handed_over = matches!(command, Command::HandOver { .. });
                        prop_assert!(!moved || (by_right && handed_over));
                    }
                    request = after;
                }
                Err(refusal) => prop_assert!(!refusal.message.is_empty()),
            }
            let written = serde_json::to_string(&request).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Request>(&written).unwrap(), &request);
        }
    }
}
