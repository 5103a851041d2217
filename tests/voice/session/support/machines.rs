//! Separate machines and the networks between them, as network namespaces: an address really disappears, without a
//! notification to the other side.
//!
//! ```text
//!            ┌─ one 10.77.1.0/24 ─┐
//!  tablet ───┤                    ├── router ── 10.77.3.0/24 ── phone
//!            └─ two 10.77.2.0/24 ─┘
//! ```
//!
//! Only root may create network namespaces; for other users the tests are skipped.

use std::fs::File;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;
use std::time::Duration;

/// A network namespace; deleted on drop.
pub struct Machine {
    name: String,
}

impl Machine {
    /// Creates a namespace with a loopback interface only; `None` without the permission.
    pub fn new(what: &str) -> Option<Self> {
        let name = format!("crewbell-{what}-{}", std::process::id());
        if !ip(&["netns", "add", &name]) {
            crewbell_shared::testing::skipped("network namespaces can't be made by this user");
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

/// The router's address on the phone's network; all machines reach it from any network.
pub const ROUTER: [u8; 4] = [10, 77, 3, 1];

/// The three machines of the diagram.
pub struct Networks {
    pub tablet: Machine,
    pub phone: Machine,
    pub router: Machine,
}

impl Networks {
    /// Creates the machines and their networks; `None` without the permission.
    pub fn new() -> Option<Self> {
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
        let networks = Self { tablet, phone, router };
        networks.join("one", 1);
        Some(networks)
    }

    pub fn join(&self, link: &str, net: u8) {
        let tablet = &self.tablet.name;
        assert!(ip(&["-n", tablet, "link", "set", link, "up"]));
        assert!(ip(&["-n", tablet, "route", "replace", "default", "via", &format!("10.77.{net}.1")]));
    }

    /// Takes a network from the tablet: its address disappears with the link.
    pub fn leave(&self, link: &str) {
        let tablet = &self.tablet.name;
        assert!(ip(&["-n", tablet, "address", "flush", "dev", link]));
        assert!(ip(&["-n", tablet, "link", "set", link, "down"]));
    }
}

fn ip(words: &[&str]) -> bool {
    Command::new("ip").args(words).output().is_ok_and(|output| output.status.success())
}

/// Runs `open` on a machine and keeps its result alive on a thread in that namespace until `stop`.
pub fn on<T, F>(machine: &Machine, open: F, stop: &Arc<AtomicBool>) -> (Receiver<T>, JoinHandle<()>)
where
    T: Send + 'static,
    F: AsyncFnOnce() -> T + Send + 'static,
{
    let (opened, device) = std::sync::mpsc::channel();
    let (machine, stop) = (format!("/run/netns/{}", machine.name), Arc::clone(stop));
    let thread = std::thread::spawn(move || {
        nix::sched::setns(File::open(machine).unwrap(), nix::sched::CloneFlags::CLONE_NEWNET).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            opened.send(open().await).unwrap();
            while !stop.load(Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
    });
    (device, thread)
}
