//! Command line arguments; desktop only.

use std::path::PathBuf;
use std::str::FromStr;

use tauri::Url;

/// The command line arguments.
#[derive(Debug, Default, clap::Parser)]
#[command(name = "crewbell", version, about = "The crew's side of a call button")]
pub(crate) struct Arguments {
    /// Keep everything in this folder, and run beside apps that have another
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Sign somebody in when nobody is; for demonstrations and tests, because other programs can read it
    #[arg(long, value_name = "SERVER,SITE,NAME,PIN")]
    pub(crate) sign_in: Option<SignIn>,
    /// Leave the right of the screen to the demo's buttons
    #[arg(long)]
    pub(crate) beside_panel: bool,
    /// Open nothing but a window on the demo's buttons, at the right of the screen; only of this machine
    #[arg(long, value_name = "URL", value_parser = here, conflicts_with_all = ["data_dir", "sign_in", "beside_panel"])]
    pub(crate) panel: Option<Url>,
}

/// The person to sign in.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SignIn {
    pub(crate) server: String,
    pub(crate) site: String,
    pub(crate) name: String,
    pub(crate) pin: String,
}

/// Excludes the PIN from logs.
impl std::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at {}", self.name, self.server)
    }
}

impl FromStr for SignIn {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The PIN comes last, so that it may contain a comma.
        let mut words = text.splitn(4, ',').map(|word| word.trim().to_owned()).filter(|word| !word.is_empty());
        let all = (words.next(), words.next(), words.next(), words.next());
        let (Some(server), Some(site), Some(name), Some(pin)) = all else {
            return Err("SERVER,SITE,NAME,PIN, such as http://127.0.0.1:8080,serenity,Siri,1003");
        };
        Ok(Self { server, site, name, pin })
    }
}

/// Parses a URL of this machine, so that the panel shows only the demo's page.
fn here(text: &str) -> Result<Url, String> {
    let url: Url = text.parse().map_err(|error| format!("{error}"))?;
    let local = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    if url.scheme() == "http" && local && url.username().is_empty() && url.password().is_none() {
        Ok(url)
    } else {
        Err("only http:// on this machine, such as http://127.0.0.1:8080/demo".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::{Arguments, SignIn};

    fn parse(args: &[&str]) -> Option<Arguments> {
        Arguments::try_parse_from([&["crewbell"], args].concat()).ok()
    }

    #[test]
    fn somebody_is_named_with_server_site_and_pin() {
        let args = parse(&["--sign-in", "http://127.0.0.1:8080,serenity,Siri,1003", "--data-dir", "siri"]).unwrap();
        let (server, site) = ("http://127.0.0.1:8080".to_owned(), "serenity".to_owned());
        let siri = SignIn { server, site, name: "Siri".to_owned(), pin: "1003".to_owned() };
        assert_eq!(args.sign_in, Some(siri));
        assert!(!format!("{args:?}").contains("1003"));
        for half in ["http://127.0.0.1:8080,serenity,Siri", "a,b,,d", ""] {
            assert!(parse(&["--sign-in", half]).is_none(), "{half}");
        }
    }

    #[test]
    fn the_panel_is_one_of_this_machine() {
        for here in ["http://127.0.0.1:8080/demo", "http://localhost:8080/demo", "http://[::1]:8080/demo"] {
            assert_eq!(parse(&["--panel", here]).and_then(|args| args.panel).unwrap().as_str(), here);
        }
        for elsewhere in [
            "http://192.168.1.5:8080/demo",
            "https://127.0.0.1/demo",
            "http://127.0.0.1@evil.example/demo",
            "http://user@127.0.0.1/demo",
            "http://localhost.evil.example/demo",
            "file:///etc/passwd",
            "tauri://localhost",
            "javascript:alert(1)",
            "127.0.0.1:8080",
        ] {
            assert!(parse(&["--panel", elsewhere]).is_none(), "{elsewhere}");
        }
    }

    #[test]
    fn a_panel_is_nothing_but_a_panel() {
        let panel = ["--panel", "http://127.0.0.1:8080/demo"];
        for more in [&["--data-dir", "siri"][..], &["--sign-in", "a,b,c,d"], &["--beside-panel"]] {
            assert!(parse(&[&panel, more].concat()).is_none(), "{more:?}");
        }
    }
}
