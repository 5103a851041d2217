//! Deterministic simulation: the engines of several devices run against a model of the server, on one clock, through
//! thousands of seeded schedules. The faults are cuts, crashes, failures of the core and of parts of the shell, lost
//! responses, late duplicates, full disks, wrong clocks, revoked sessions, false rejections of the token, other
//! installations at the server's address, proxies that block sockets or some commands, and restored backups. People
//! press, accept, note, call each other, and go off duty. After each schedule everything is healed, and the invariants
//! are checked (`checks`).
//!
//! `CREWBELL_SCHEDULES=1000000 cargo test -p crewbell-core --test simulation` runs longer; `CREWBELL_SEED=…` repeats
//! one schedule, and is printed when a check fails; `CREWBELL_TRACE=1` in addition prints every event.
//!
//! The second half of the tests injects one fault each into the engine, and expects the checks to detect it.
#![expect(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    clippy::needless_pass_by_value,
    clippy::struct_excessive_bools,
    reason = "a model of the world is a prop of the test"
)]

mod checks;
mod device;
mod sabotage;
mod server;
mod site;
mod world;

use std::sync::atomic::{AtomicU64, Ordering};

use rand::{RngExt, rngs::Xoshiro256PlusPlus};
use sabotage::Sabotage;
use world::World;

/// Number of schedules in every test run.
const SCHEDULES: u64 = 10_000;

/// Number of schedules within which an injected fault must be detected.
const NOTICED_WITHIN: u64 = 400;

/// The seeded random number generator of a schedule.
type ScheduleRng = Xoshiro256PlusPlus;

/// Returns a new random id.
fn random_id<T: From<uuid::Uuid>>(rng: &mut ScheduleRng) -> T {
    uuid::Builder::from_random_bytes(rng.random()).into_uuid().into()
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
fn nothing_that_a_person_did_is_lost_or_doubled_and_every_device_comes_to_show_what_the_server_has() {
    if let Some(seed) = number("CREWBELL_SEED") {
        World::run(seed, None).unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
        return;
    }
    let schedules = number("CREWBELL_SCHEDULES").unwrap_or(SCHEDULES);
    let next = AtomicU64::new(0);
    let totals = std::sync::Mutex::new(world::Totals::default());
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= schedules {
                        return;
                    }
                    match World::run(seed, None) {
                        Ok(run) => totals.lock().unwrap().add(&run),
                        Err(broken) => {
                            next.store(schedules, Ordering::Relaxed);
                            panic!("a check failed; CREWBELL_SEED={seed} repeats it: {broken}");
                        }
                    }
                }
            });
        }
    });
    let totals = totals.into_inner().unwrap();
    println!("{schedules} schedules: {totals}");
    totals.assert_that_everything_happened(schedules);
}

/// Runs schedules with an injected fault until a check detects it.
fn is_noticed(sabotage: Sabotage) -> String {
    let noticed = (0..NOTICED_WITHIN).find_map(|seed| World::run(seed, Some(sabotage)).err());
    noticed.unwrap_or_else(|| panic!("{sabotage:?} went unnoticed through {NOTICED_WITHIN} schedules"))
}

#[test]
fn a_save_that_is_dropped_is_noticed() {
    is_noticed(Sabotage::DropSave);
}

#[test]
fn a_command_that_is_sent_again_without_its_id_is_noticed() {
    is_noticed(Sabotage::ResendWithoutId);
}

#[test]
fn a_cursor_that_skips_an_entry_is_noticed() {
    is_noticed(Sabotage::SkipCursor);
}

#[test]
fn a_missed_frame_that_is_taken_for_none_is_noticed() {
    is_noticed(Sabotage::BelieveEveryFrame);
}

#[test]
fn a_refusal_that_is_forgotten_is_noticed() {
    is_noticed(Sabotage::ForgetRefusal);
}

#[test]
fn commands_sent_out_of_order_are_noticed() {
    is_noticed(Sabotage::SendNewestFirst);
}

#[test]
fn a_restored_server_that_is_taken_for_the_old_one_is_noticed() {
    is_noticed(Sabotage::BelieveEveryLog);
}

#[test]
fn a_ring_without_a_timer_of_the_device_s_own_is_noticed() {
    assert!(is_noticed(Sabotage::RingUntilTold).contains("it rings until"));
}

#[test]
fn a_ring_that_goes_on_though_another_device_has_answered_is_noticed() {
    assert!(is_noticed(Sabotage::RingOnWhenAnswered).contains("it doesn't ring here"));
}

#[test]
fn a_voice_that_goes_on_after_the_call_is_noticed() {
    assert!(is_noticed(Sabotage::TalkOn).contains("what is spoken over here is"));
}

#[test]
fn a_device_that_is_wiped_on_a_stranger_s_word_is_noticed() {
    assert!(is_noticed(Sabotage::BelieveTheFirstNo).contains("was wiped"));
}

#[test]
fn a_device_that_is_wiped_over_somebody_else_s_end_is_noticed() {
    assert!(is_noticed(Sabotage::TakeNotActiveForSignedOut).contains("was wiped"));
}

#[test]
fn a_bell_that_rings_on_after_a_failure_of_the_core_is_noticed() {
    assert!(is_noticed(Sabotage::KeepSilentAfterAFailure).contains("the shell"));
}

#[test]
fn a_bell_that_begins_anew_and_is_not_told_what_rings_is_noticed() {
    assert!(is_noticed(Sabotage::SayNothingAgain).contains("the shell"));
}

#[test]
fn an_emergency_that_rings_nowhere_while_everybody_is_off_duty_is_noticed() {
    assert!(is_noticed(Sabotage::LeaveTheOffDutyAlone).contains("an emergency is silent"));
}

#[test]
fn a_guest_who_presses_again_and_is_not_heard_by_the_one_who_has_it_is_noticed() {
    assert!(is_noticed(Sabotage::RingForWhatIsOpen).contains("are to be heard"));
}

#[test]
fn a_device_that_sends_what_was_done_to_another_installation_is_noticed() {
    assert!(is_noticed(Sabotage::BelieveEveryInstallation).contains("to another installation"));
}

#[test]
fn a_device_that_is_wiped_on_another_installation_s_word_is_noticed() {
    assert!(is_noticed(Sabotage::AskEveryInstallation).contains("was wiped"));
}

#[test]
fn a_command_that_no_proxy_lets_through_and_that_holds_up_the_others_is_noticed() {
    assert!(is_noticed(Sabotage::TakeBlockedForAway).contains("without an answer"));
}

#[test]
fn a_device_that_waits_for_a_socket_where_none_gets_through_is_noticed() {
    assert!(is_noticed(Sabotage::WaitForASocket).contains("is not live"));
}

#[test]
fn a_call_that_waits_in_the_outbox_for_a_connection_is_noticed() {
    assert!(is_noticed(Sabotage::KeepLiveVerbs).contains("has waited for a connection"));
}
