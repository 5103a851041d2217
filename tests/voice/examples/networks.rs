//! Prints the effect of bad networks on a call's packets, the times to connect and to recover, and the processor time.
//!
//! `cargo run --release -p crewbell-voice-tests --example networks`; the figures are of packets, before any jitter
//! buffer.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "the props are tests too")]

#[path = "../session/support/mod.rs"]
mod session_support;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use crewbell_voice::session::impairment::{Conditions, ImpairedNetwork};
use crewbell_voice::session::negotiation::MediaPath;
use crewbell_voice::session::{Event, MediaSession, Options};
use session_support::devices::{Device, call};
use session_support::{End, both, connected, eventually, loopback, packet};

const LIMIT: Duration = Duration::from_secs(30);

/// Number of calls to connect.
const CALLS: usize = 40;

/// Packets sent under each set of conditions: ten seconds of speech.
const PACKETS: u32 = 500;

fn main() -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(async {
        connecting().await;
        weathers().await;
        mending().await;
        cost().await;
    });
    Ok(())
}

/// Measures the steps until two sessions hear each other, and until two devices do that connect by themselves.
async fn connecting() {
    const STEPS: [&str; 5] = ["open", "offered", "answered", "connected", "first packets both ways"];
    let mut times = STEPS.map(|_| Vec::new());
    for _ in 0..CALLS {
        let start = Instant::now();
        let (caller, called) = tokio::join!(End::open(loopback()), End::open(loopback()));
        let (mut caller, mut called) = (caller.unwrap(), called.unwrap());
        let mut steps = vec![start.elapsed()];
        let offer = caller.session.offer().await.unwrap();
        steps.push(start.elapsed());
        let answer = called.session.accept_offer(&offer).await.unwrap();
        caller.session.accept_answer(&answer).await.unwrap();
        steps.push(start.elapsed());
        let talks = [caller.speak(), called.speak()];
        both(Event::Connected, &mut caller, &mut called).await;
        steps.push(start.elapsed());
        eventually("audio", LIMIT, || caller.heard.count() > 0 && called.heard.count() > 0).await;
        steps.push(start.elapsed());
        talks.iter().for_each(tokio::task::JoinHandle::abort);
        times.iter_mut().zip(steps).for_each(|(times, step)| times.push(step));
    }
    println!("{CALLS} calls, from two sessions being opened, median and worst:");
    for (step, times) in STEPS.iter().zip(times) {
        print_times(step, times);
    }
    let mut found = Vec::new();
    for _ in 0..CALLS {
        let start = Instant::now();
        let (caller, called) = call(loopback(), loopback()).await;
        eventually("audio", LIMIT, || caller.heard.count() > 0 && called.heard.count() > 0).await;
        found.push(start.elapsed());
    }
    print_times("with their signals, first packets", found);
    println!();
}

fn print_times(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let ms = |at: usize| times[at].as_secs_f64() * 1000.0;
    println!("{what:<34}{:>8.0} ms{:>8.0} ms", ms(times.len() / 2), ms(times.len() - 1));
}

async fn weathers() {
    println!(
        "{:<34}{:>8}{:>8}{:>8}{:>10}{:>12}{:>12}",
        "weather", "sent", "came", "twice", "disorder", "longest gap", "reported"
    );
    let ms = Duration::from_millis;
    let fair = Conditions::default();
    for (name, conditions) in [
        ("fair", fair),
        ("5 % loss", Conditions { loss: 0.05, ..fair }),
        ("10 % loss", Conditions { loss: 0.10, ..fair }),
        ("20 % loss", Conditions { loss: 0.20, ..fair }),
        ("40 ms, jitter 60 ms", Conditions { delay: ms(40), jitter: ms(60), ..fair }),
        ("10 % come twice", Conditions { duplicate: 0.10, ..fair }),
        ("5 % loss, jitter 60 ms, 5 % twice", Conditions { loss: 0.05, jitter: ms(60), duplicate: 0.05, ..fair }),
        ("two seconds of nothing", fair),
    ] {
        let outage = (name == "two seconds of nothing").then_some(PACKETS / 2);
        weather(name, conditions, outage).await;
    }
    println!();
}

/// Sends packets one way, 20 ms apart, with an outage after a number of them.
async fn weather(name: &str, conditions: Conditions, outage: Option<u32>) {
    let weather = ImpairedNetwork::new(7);
    let (ours, theirs) = connected(Options { weather: Some(weather.clone()), ..loopback() }, loopback()).await;
    weather.set(conditions);
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    for number in 0..PACKETS {
        tick.tick().await;
        if outage == Some(number) {
            weather.set(Conditions { cut: true, ..conditions });
        } else if outage.is_some_and(|began| number == began + 100) {
            weather.set(conditions);
        }
        ours.session.send(packet(number));
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let heard = theirs.heard.all();
    let different: HashSet<u16> = heard.iter().map(|(_, packet)| packet.sequence).collect();
    let disorder = heard.windows(2).filter(|pair| pair[1].1.sequence < pair[0].1.sequence).count();
    let gap = heard.windows(2).map(|pair| pair[1].0 - pair[0].0).max().unwrap_or_default();
    let reported = ours.session.stats().await.lost_fraction.unwrap_or_default();
    println!(
        "{name:<34}{PACKETS:>8}{:>8}{:>8}{disorder:>10}{:>9} ms{:>10.0} %",
        different.len(),
        heard.len() - different.len(),
        gap.as_millis(),
        reported * 100.0
    );
}

async fn mending() {
    let by_udp = |device: &Device| device.peer.way() == MediaPath::Udp;
    for caller_moves in [true, false] {
        let weather = ImpairedNetwork::new(7);
        let under = || Options { weather: Some(weather.clone()), ..loopback() };
        let (ours, theirs) = if caller_moves { (under(), loopback()) } else { (loopback(), under()) };
        let (caller, called) = call(ours, theirs).await;
        eventually("UDP", LIMIT, || by_udp(&caller) && by_udp(&called)).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        weather.leave_network();
        let left = Instant::now();
        eventually("the break", LIMIT, || !by_udp(&caller) || !by_udp(&called)).await;
        let since = left + Duration::from_millis(5);
        let hears = |device: &Device| device.heard.first_after(since).is_some();
        eventually("audio", LIMIT, || hears(&caller) && hears(&called)).await;
        let audio = left.elapsed();
        eventually("UDP", LIMIT, || by_udp(&caller) && by_udp(&called)).await;
        println!(
            "{} leaves its network, noticed by silence: audio both ways after {:.0} ms (over the socket), by UDP after \
             {:.0} ms",
            if caller_moves { "caller" } else { "called" },
            audio.as_secs_f64() * 1000.0,
            left.elapsed().as_secs_f64() * 1000.0
        );
    }
    println!();
}

/// Measures two sessions in this process that both speak and hear; half of the figure is one device's.
async fn cost() {
    const SECONDS: u32 = 20;
    let (caller, called) = connected(loopback(), loopback()).await;
    let talks = [caller.speak(), called.speak()];
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = processor_time();
    tokio::time::sleep(Duration::from_secs(SECONDS.into())).await;
    let used = processor_time().zip(before).map(|(after, before)| after.saturating_sub(before));
    for talk in talks {
        talk.abort();
    }
    match used {
        Some(used) => println!(
            "one device's network side of a call: {:.2} % of a core",
            used.as_secs_f64() / f64::from(SECONDS) / 2.0 * 100.0
        ),
        None => println!("this system doesn't tell what a process costs"),
    }
}

/// Returns the processor time of this process so far (proc(5): fields 14 and 15, in hundredths of a second).
fn processor_time() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let ticks = stat.rsplit_once(')')?.1.split_whitespace().skip(11).take(2);
    Some(Duration::from_millis(ticks.map_while(|field| field.parse::<u64>().ok()).sum::<u64>() * 10))
}
