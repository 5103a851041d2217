//! A device goes from one network to another in mid-call: with network namespaces, so that its addresses really go.
//!
//! ```text
//!            ┌─ one 10.77.1.0/24 ─┐
//!  tablet ───┤                    ├── router ── 10.77.3.0/24 ── phone
//!            └─ two 10.77.2.0/24 ─┘
//! ```
//!
//! Only root may make network namespaces; for others the test is left out.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "the props are tests too")]

mod session_support;

use std::fs::File;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crewbell_voice::session::Options;
use crewbell_voice::session::negotiation::{Role, Way};
use session_support::devices::{Device, device};
use session_support::eventually;
use tokio::sync::mpsc::unbounded_channel;

const LIMIT: Duration = Duration::from_secs(20);

/// A machine of its own; gone when dropped.
struct Machine {
    name: String,
}

impl Machine {
    /// With a loopback interface alone. None where it may not be made.
    fn new(what: &str) -> Option<Self> {
        let name = format!("crewbell-{what}-{}", std::process::id());
        if !ip(&["netns", "add", &name]) {
            eprintln!("network namespaces can't be made by this user: left out");
            return None;
        }
        let machine = Self { name };
        assert!(ip(&["-n", &machine.name, "link", "set", "lo", "up"]));
        Some(machine)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        ip(&["netns", "delete", &self.name]);
    }
}

/// The three machines of the picture.
struct Networks {
    tablet: Machine,
    phone: Machine,
    _router: Machine,
}

impl Networks {
    /// None where they may not be made.
    fn new() -> Option<Self> {
        let (tablet, phone) = (Machine::new("tablet")?, Machine::new("phone")?);
        let router = Machine::new("router")?;
        let [tablet_name, phone_name, router_name] = [&tablet.name, &phone.name, &router.name];
        for (machine, link, net) in [(tablet_name, "one", 1), (tablet_name, "two", 2), (phone_name, "lan", 3)] {
            let far = format!("to-{link}");
            assert!(ip(&[
                "-n",
                machine,
                "link",
                "add",
                link,
                "type",
                "veth",
                "peer",
                "name",
                &far,
                "netns",
                router_name
            ]));
            assert!(ip(&["-n", machine, "address", "add", &format!("10.77.{net}.2/24"), "dev", link]));
            assert!(ip(&["-n", router_name, "address", "add", &format!("10.77.{net}.1/24"), "dev", &far]));
            assert!(ip(&["-n", router_name, "link", "set", &far, "up"]));
        }
        assert!(ip(&["netns", "exec", router_name, "sysctl", "-q", "-w", "net.ipv4.ip_forward=1"]));
        assert!(ip(&["-n", phone_name, "link", "set", "lan", "up"]));
        assert!(ip(&["-n", phone_name, "route", "add", "default", "via", "10.77.3.1"]));
        let networks = Self { tablet, phone, _router: router };
        networks.join("one", 1);
        Some(networks)
    }

    fn join(&self, link: &str, net: u8) {
        let tablet = &self.tablet.name;
        assert!(ip(&["-n", tablet, "link", "set", link, "up"]));
        assert!(ip(&["-n", tablet, "route", "replace", "default", "via", &format!("10.77.{net}.1")]));
    }

    /// As a tablet does: the address goes with the network.
    fn leave(&self, link: &str) {
        let tablet = &self.tablet.name;
        assert!(ip(&["-n", tablet, "address", "flush", "dev", link]));
        assert!(ip(&["-n", tablet, "link", "set", link, "down"]));
    }
}

fn ip(words: &[&str]) -> bool {
    Command::new("ip").args(words).output().is_ok_and(|output| output.status.success())
}

/// A device on a machine: a thread that lives there, until `stop`.
fn on<F>(machine: &Machine, open: F, stop: &Arc<AtomicBool>) -> (std::sync::mpsc::Receiver<Arc<Device>>, JoinHandle<()>)
where
    F: AsyncFnOnce() -> Device + Send + 'static,
{
    let (opened, device) = std::sync::mpsc::channel();
    let (machine, stop) = (format!("/run/netns/{}", machine.name), Arc::clone(stop));
    let thread = std::thread::spawn(move || {
        nix::sched::setns(File::open(machine).unwrap(), nix::sched::CloneFlags::CLONE_NEWNET).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            opened.send(Arc::new(open().await)).unwrap();
            while !stop.load(Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
    });
    (device, thread)
}

#[tokio::test]
async fn a_device_that_goes_to_another_network_is_heard_by_udp_within_three_seconds() {
    for caller_moves in [true, false] {
        let Some(networks) = Networks::new() else { return };
        let stop = Arc::new(AtomicBool::new(false));
        let (to_phone, at_phone) = unbounded_channel();
        let (to_tablet, at_tablet) = unbounded_channel();
        let roles = if caller_moves { [Role::Caller, Role::Called] } else { [Role::Called, Role::Caller] };
        let start = Instant::now();
        let moving = async move || device(roles[0], Options::default(), to_phone, at_tablet).await;
        let staying = async move || device(roles[1], Options::default(), to_tablet, at_phone).await;
        let (tablet, one) = on(&networks.tablet, moving, &stop);
        let (phone, other) = on(&networks.phone, staying, &stop);
        let (tablet, phone) = (tablet.recv().unwrap(), phone.recv().unwrap());
        let by_udp = |device: &Device| device.peer.way() == Way::Udp;
        eventually("UDP", LIMIT, || by_udp(&tablet) && by_udp(&phone)).await;
        let hears = |device: &Device, since| device.heard.first_after(since).is_some();
        eventually("audio", LIMIT, || hears(&tablet, start) && hears(&phone, start)).await;
        let connected = start.elapsed();

        networks.leave("one");
        networks.join("two", 2);
        let left = Instant::now();
        // The break may be over before anybody has looked. What is heard once nothing can be on its way any more has come
        // by the other network.
        let nothing_on_its_way = left + Duration::from_millis(200);
        let is_back = || hears(&tablet, nothing_on_its_way) && hears(&phone, nothing_on_its_way);
        eventually("the break", LIMIT, || !by_udp(&tablet) || !by_udp(&phone) || is_back()).await;
        let noticed = left.elapsed();
        eventually("UDP", LIMIT, || by_udp(&tablet) && by_udp(&phone)).await;
        let since = Instant::now();
        eventually("audio by UDP", LIMIT, || hears(&tablet, since) && hears(&phone, since)).await;
        let back = left.elapsed();
        println!(
            "caller moves: {caller_moves}; first audio {connected:?}, break noticed {noticed:?}, both ways by UDP {back:?}"
        );
        stop.store(true, Ordering::Relaxed);
        drop((tablet, phone));
        one.join().unwrap();
        other.join().unwrap();
        assert!(back < Duration::from_secs(3), "{back:?}");
    }
}

#[tokio::test]
async fn two_apps_on_a_machine_without_any_network_call_each_other() {
    let Some(machine) = Machine::new("island") else { return };
    let stop = Arc::new(AtomicBool::new(false));
    let (to_called, at_called) = unbounded_channel();
    let (to_caller, at_caller) = unbounded_channel();
    let calling = async move || device(Role::Caller, Options::default(), to_called, at_caller).await;
    let answering = async move || device(Role::Called, Options::default(), to_caller, at_called).await;
    let (caller, one) = on(&machine, calling, &stop);
    let (called, other) = on(&machine, answering, &stop);
    let (caller, called) = (caller.recv().unwrap(), called.recv().unwrap());
    eventually("audio", LIMIT, || caller.heard.count() > 0 && called.heard.count() > 0).await;
    assert_eq!((caller.peer.way(), called.peer.way()), (Way::Udp, Way::Udp));
    stop.store(true, Ordering::Relaxed);
    drop((caller, called));
    one.join().unwrap();
    other.join().unwrap();
}
