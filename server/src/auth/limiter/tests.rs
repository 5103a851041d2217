use std::net::Ipv4Addr;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const SAM: Claim<'static> = Claim::Person(SiteId(Uuid::from_u128(1)), PersonId(Uuid::from_u128(1)));
const SIRI: Claim<'static> = Claim::Person(SiteId(Uuid::from_u128(1)), PersonId(Uuid::from_u128(2)));
const NOBODY: Claim<'static> = Claim::Nobody { site: Some(SiteId(Uuid::from_u128(1))), name: "Nobody" };

fn limiter() -> LoginRateLimiter {
    LoginRateLimiter::new(&Ids::seeded(1))
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn device(number: u128) -> Requester {
    Requester::Device(DeviceId(Uuid::from_u128(number)))
}

fn stranger(number: u32) -> Requester {
    Requester::Stranger(IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + number)))
}

/// Tries a wrong secret. Returns the seconds to wait if the limiter refuses the attempt.
fn guess(limiter: &LoginRateLimiter, claim: Claim<'_>, requester: Requester, now: Timestamp) -> Result<Alarm, i64> {
    let charged = limiter.charge(claim, requester, now);
    let attempt = charged.map_err(|refusal| refusal.details["retry_after_s"].as_i64().unwrap())?;
    Ok(limiter.wrong(&attempt, now))
}

/// Returns the number of guesses within so many days by an attacker who uses these requesters in turn and never waits
/// longer than necessary.
fn guesses(requesters: &[Requester], days: i64) -> u32 {
    let (limiter, mut now, mut made) = (limiter(), 0, 0);
    while now < days * 86_400 {
        let waits: Vec<_> = requesters.iter().map(|&one| guess(&limiter, SAM, one, at(now))).collect();
        made += u32::try_from(waits.iter().filter(|wait| wait.is_ok()).count()).unwrap();
        // After a successful attempt another may follow at once; otherwise wait for the shortest wait.
        now += waits.iter().map(|wait| wait.err().unwrap_or(0)).min().unwrap().max(0);
    }
    made
}

#[test]
fn a_four_digit_pin_holds_for_a_year_against_a_known_device_and_against_the_world() {
    let world: Vec<_> = (0..40).map(stranger).collect();
    for (who, requesters, first_day) in
        [("a known device", vec![device(1)], 37), ("one stranger", vec![stranger(1)], 37), ("the world", world, 34)]
    {
        let day = guesses(&requesters, 1);
        assert!(day <= first_day, "{who}: {day} on the first day");
        assert!(day >= 30, "{who}: {day}: this simulation must be able to fail");
        let month = guesses(&requesters, 30);
        assert!(month <= 740, "{who}: {month} of 10,000 in a month");
        let year = guesses(&requesters, 365);
        assert!(year < 10_000, "{who}: {year} in a year");
    }
}

#[test]
fn waiting_until_the_wrong_ones_are_forgotten_yields_less() {
    let (limiter, mut now, mut made) = (limiter(), 0, 0);
    while now < 30 * 86_400 {
        match guess(&limiter, SAM, device(1), at(now)) {
            Ok(_) => made += 1,
            Err(wait) => now += if wait > 2000 { 86_400 } else { wait },
        }
    }
    assert!(made < 30 * 24, "{made}");
}

#[test]
fn the_waits_grow_from_ten_seconds_to_an_hour() {
    let (limiter, mut now, mut waits) = (limiter(), 0, Vec::new());
    for _ in 0..16 {
        while let Err(wait) = guess(&limiter, SAM, device(1), at(now)) {
            waits.push(wait);
            now += wait;
        }
    }
    assert_eq!(waits, [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]);
}

#[test]
fn a_stranger_s_guesses_cost_a_colleague_nothing_on_a_device_of_theirs_or_on_a_new_one_elsewhere() {
    let limiter = limiter();
    let mut now = 0;
    // One unknown address guesses for 24 hours without pause.
    while now < 86_400 {
        now += guess(&limiter, SAM, stranger(66), at(now)).err().unwrap_or(0).max(1);
    }
    for requester in [device(1), stranger(7)] {
        let attempt = limiter.charge(SAM, requester, at(now)).unwrap();
        limiter.right(&attempt);
    }
    // Other names are slowed only at the attacker's own address.
    assert!(limiter.charge(SIRI, stranger(7), at(now)).is_ok());
}

#[test]
fn a_crew_behind_one_address_is_kept_out_of_nothing_on_their_own_devices() {
    let limiter = limiter();
    for number in 0..200_u128 {
        let name = format!("guess {number}");
        let _ = guess(&limiter, Claim::Nobody { site: None, name: &name }, stranger(1), at(0));
    }
    assert!(guess(&limiter, SIRI, stranger(1), at(0)).is_err(), "the address has used up what it had");
    assert!(limiter.charge(SAM, device(1), at(0)).is_ok());
}

#[test]
fn attempts_side_by_side_are_no_way_around() {
    let limiter = limiter();
    for requester in [device(1), stranger(1)] {
        let charged = (0..100).filter(|_| limiter.charge(SAM, requester, at(0)).is_ok()).count();
        assert_eq!(charged, usize::try_from(FREE).unwrap(), "{requester:?}");
    }
}

#[test]
fn a_right_secret_ends_the_wait_and_costs_nothing() {
    let limiter = limiter();
    for round in 0..100 {
        for _ in 0..4 {
            guess(&limiter, SAM, device(1), at(round)).unwrap();
        }
        limiter.right(&limiter.charge(SAM, device(1), at(round)).unwrap());
        limiter.right(&limiter.charge(SIRI, stranger(1), at(round)).unwrap());
        limiter.undecided(&limiter.charge(SIRI, stranger(2), at(round)).unwrap());
    }
}

#[test]
fn a_name_that_is_nobody_s_is_slowed_as_a_person_s_is() {
    let limiter = limiter();
    let answers = |claim| {
        let mut now = 0;
        (0..40)
            .map(|_| guess(&limiter, claim, stranger(5), at(now)).map(drop).inspect_err(|wait| now += wait))
            .collect()
    };
    let (sam, nobody): (Vec<_>, Vec<_>) = (answers(SAM), answers(NOBODY));
    assert_eq!(sam, nobody);
    let spelt = Claim::Nobody { site: Some(SiteId(Uuid::from_u128(1))), name: " nObOdY " };
    assert!(guess(&limiter, spelt, stranger(5), at(0)).is_err(), "the same name, however it is spelt");
}

#[test]
fn memory_is_bounded_whatever_strangers_make_up() {
    let limiter = limiter();
    for number in 0..40_000_u32 {
        let name = format!("{number}");
        let _ = guess(&limiter, Claim::Nobody { site: None, name: &name }, stranger(number), at(0));
        let _ = guess(&limiter, SAM, stranger(number), at(i64::from(number) * 3600));
        let _ = guess(&limiter, SIRI, device(number.into()), at(0));
    }
    let (records, requesters, addresses) = limiter.size();
    assert!(records <= usize::from(SLOTS) + 2, "{records}");
    assert!(requesters <= 2 * records * REQUESTERS, "{requesters}");
    assert!(addresses <= 2 * ADDRESSES, "{addresses}");
}

#[test]
fn those_who_lead_are_told_at_the_fifth_wrong_secret_and_each_time_it_is_four_times_as_many() {
    let limiter = limiter();
    let told = |requesters: &[Requester]| {
        let (mut now, mut told) = (0, Vec::new());
        while now < 40 * 86_400 {
            for &requester in requesters {
                match guess(&limiter, SAM, requester, at(now)) {
                    Ok(alarm) => told.extend(alarm.person),
                    Err(_) => now += 600,
                }
            }
        }
        told
    };
    assert_eq!(told(&[device(1), stranger(1)]), [5, 20, 80, 320, 1280]);
    // After a day without wrong secrets the tally starts again.
    for number in 1..=5 {
        let alarm = guess(&limiter, SAM, device(1), at(300 * 86_400)).unwrap();
        assert_eq!(alarm.person, (number == 5).then_some(5));
    }
}

#[test]
fn one_secret_tried_on_everybody_is_told_too() {
    let limiter = limiter();
    let told: Vec<_> = (0..60)
        .filter_map(|number| {
            let person = PersonId(Uuid::from_u128(100 + u128::from(number)));
            let claim = Claim::Person(SiteId(Uuid::from_u128(1)), person);
            guess(&limiter, claim, stranger(number / 10), at(0)).unwrap().site
        })
        .collect();
    assert_eq!(told, [30]);
}

#[test]
fn a_new_secret_begins_anew() {
    let limiter = limiter();
    while guess(&limiter, SAM, device(1), at(0)).is_ok() {}
    let Claim::Person(site, person) = SAM else { panic!() };
    limiter.forget(site, person);
    assert!(guess(&limiter, SAM, device(1), at(0)).is_ok());
}

#[test]
fn an_ipv6_network_is_one_requester_and_a_mapped_address_is_its_ipv4_one() {
    let of = |text: &str| network(text.parse().unwrap()).to_string();
    assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    assert_eq!(of("::ffff:10.0.0.5"), "10.0.0.5");
    assert_eq!(of("10.0.0.5"), "10.0.0.5");
}

proptest! {
    #[test]
    fn a_clock_that_is_set_back_never_makes_a_wait_longer_than_an_hour(jumps in prop::collection::vec(-100_000_000_i64..100_000_000, 1..60)) {
        let limiter = limiter();
        for jump in jumps {
            for requester in [device(1), stranger(1)] {
                let wait = guess(&limiter, SAM, requester, at(jump)).err().unwrap_or(0);
                prop_assert!(wait <= pace::LONGEST_WAIT.as_secs(), "{wait}");
            }
        }
    }
}
