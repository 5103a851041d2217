//! Installation with the system's package manager.

use std::{
    io::{IsTerminal, stdin},
    path::Path,
    process::Command,
};

use anyhow::{Context, Result, bail};

use super::needs::Need;
use crate::run::{find, output, run, succeeds, words};

/// The supported package managers.
#[derive(Clone, Copy)]
pub(crate) enum Installer {
    /// Debian, Ubuntu and their derivatives.
    Apt,
    /// Fedora and its derivatives.
    Dnf,
    /// Homebrew.
    Brew,
    /// None of these.
    Unknown,
}

impl Installer {
    pub(crate) fn of_this_machine() -> Self {
        if find("apt-get").is_some() {
            Self::Apt
        } else if find("dnf").is_some() {
            Self::Dnf
        } else if find("brew").is_some() {
            Self::Brew
        } else {
            Self::Unknown
        }
    }

    /// The packages for missing needs, under this system's names.
    pub(crate) fn packages(self, missing: &[&Need]) -> Vec<&'static str> {
        let names = |need: &&Need| match self {
            Self::Apt | Self::Unknown => need.apt,
            Self::Dnf => need.dnf,
            Self::Brew => need.brew,
        };
        missing.iter().flat_map(names).copied().collect()
    }

    /// Installs `packages`, after printing them.
    ///
    /// Only apt is run from here: it is what continuous integration and most servers have, and it can run without
    /// prompts. For the others the exact command is printed.
    ///
    /// # Errors
    /// Returns an error if it can't or may not install; the message holds the command to type.
    pub(crate) fn install(self, packages: &[&str]) -> Result<()> {
        let packages_line = packages.join(" ");
        match self {
            Self::Apt => install_with_apt(packages),
            Self::Dnf => bail!("please run this, then try again:\n\n    sudo dnf install -y {packages_line}\n"),
            Self::Brew => {
                bail!("please run this, then try again:\n\n    brew install {packages_line}\n")
            }
            Self::Unknown => bail!(
                "please install the above with your system's package manager, then try again \
                 (on Debian the packages are called: {packages_line})"
            ),
        }
    }
}

fn install_with_apt(packages: &[&str]) -> Result<()> {
    let Some(rights) = Rights::to_install() else {
        let packages = packages.iter().filter_map(|name| newest(name)).collect::<Vec<_>>();
        bail!(
            "installing needs root's rights; please run this, then try again:\n\n    \
             sudo apt-get install -y --no-install-recommends {}\n",
            packages.join(" ")
        );
    };
    let new_services: Vec<_> = SERVICES.iter().filter(|service| packages.contains(&service.package)).collect();

    let mut updated = false;
    if !packages.iter().all(|package| newest(package).is_some_and(|package| has_candidate(&package))) {
        apt(rights, &["update"])?;
        updated = true;
    }
    let packages = packages.iter().map(|name| newest(name).with_context(|| format!("apt knows no package {name}")));
    let packages = packages.collect::<Result<Vec<_>>>()?;
    let mut install = vec!["install", "-y", "--no-install-recommends"];
    install.extend(packages.iter().map(String::as_str));
    if let Err(error) = apt(rights, &install) {
        if updated {
            return Err(error);
        }
        // An outdated package list names files that don't exist any more.
        apt(rights, &["update"])?;
        apt(rights, &install)?;
    }
    for service in new_services {
        service.turn_off(rights);
    }
    Ok(())
}

/// The package itself; for a name that ends with `*` the one with the highest number in its place.
fn newest(name: &str) -> Option<String> {
    let Some(prefix) = name.strip_suffix('*') else {
        return Some(name.to_owned());
    };
    let found =
        output(Command::new("apt-cache").args(["search", "--names-only", &format!("^{prefix}[0-9]+$")])).ok()?;
    highest(prefix, &found).map(|number| format!("{prefix}{number}"))
}

/// The highest number after `prefix` in the output of `apt-cache search`: lines of name and description.
fn highest(prefix: &str, found: &str) -> Option<u32> {
    found.lines().filter_map(|line| line.split(' ').next()?.strip_prefix(prefix)?.parse().ok()).max()
}

fn has_candidate(package: &str) -> bool {
    output(Command::new("apt-cache").args(["policy", package]))
        .is_ok_and(|said| said.contains("Candidate:") && !said.contains("Candidate: (none)"))
}

fn apt(rights: Rights, args: &[&str]) -> Result<()> {
    let mut command = rights.command("env");
    command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]).args(args);
    eprintln!("Running: {}", words(&command));
    run(&mut command).context("apt-get could not install what is missing; its own words are above")
}

/// A service that a Debian package starts at every boot.
struct Service {
    package: &'static str,
    /// The port that it takes from others.
    port: u16,
}

/// Mosquitto's port is needed by the server's own listener. The tests start programs of their own.
const SERVICES: [Service; 2] = [Service { package: "mosquitto", port: 1883 }, Service { package: "nginx", port: 80 }];

impl Service {
    /// Disables the service if it was installed just now (an earlier one is in use) and systemd started it. Disabling
    /// it afterwards leaves nothing behind, unlike a `policy-rc.d` or a mask, and is undone with one command.
    fn turn_off(&self, rights: Rights) {
        let Self { package, port } = self;
        if !Path::new("/run/systemd/system").is_dir() {
            return;
        }
        if succeeds(rights.command("systemctl").args(["disable", "--now", &format!("{package}.service")])) {
            eprintln!(
                "The {package} that its package started on port {port} was turned off again, the tests start their own \
                 (to have it back: sudo systemctl enable --now {package})."
            );
        } else {
            eprintln!(
                "Note: Debian's package runs {package} on port {port}. If that port is found taken: \
                 sudo systemctl disable --now {package}"
            );
        }
    }
}

/// The privileges for installing packages.
#[derive(Clone, Copy)]
enum Rights {
    Root,
    /// `sudo`, without a password or with a user who can be asked for it.
    Sudo {
        may_ask: bool,
    },
}

impl Rights {
    fn to_install() -> Option<Self> {
        if output(Command::new("id").arg("-u")).is_ok_and(|uid| uid.trim() == "0") {
            return Some(Self::Root);
        }
        find("sudo")?;
        if succeeds(Command::new("sudo").args(["-n", "true"])) {
            return Some(Self::Sudo { may_ask: false });
        }
        stdin().is_terminal().then_some(Self::Sudo { may_ask: true })
    }

    fn command(self, program: &str) -> Command {
        match self {
            Self::Root => Command::new(program),
            Self::Sudo { may_ask } => {
                let mut command = Command::new("sudo");
                if !may_ask {
                    command.arg("-n");
                }
                command.arg(program);
                command
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::highest;

    #[test]
    fn the_newest_of_numbered_packages_is_taken() {
        let found = "lld-9 - linker\nlld-22-dbg - symbols\nlld-19 - linker\nlld-22 - linker\nlldb-23 - debugger\n";
        assert_eq!(highest("lld-", found), Some(22));
        assert_eq!(highest("clang-", found), None);
    }
}
