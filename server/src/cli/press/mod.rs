//! `crewbell-server press`: a simulated button for trying an installation, as a real MQTT 5 client.
//!
//! It sends the messages of our own firmware and shows when the server answers: the PUBACK comes after the press is in
//! the database, and the lamp's messages follow the request's state.

mod address;
mod line;
mod outcomes;
mod trouble;

pub use address::Address;

use clap::{Args, ValueEnum};
use crewbell_shared::button::{ButtonKey, PressKind};

use crate::clock::Ids;

/// The arguments of `press`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "The press is real: it rings at the crew, and is in the records.

Examples:
  crewbell-server press cabin-5 --user serenity --password JOIN-CODE
  crewbell-server press cabin-5 --user serenity/cabin-5 --password ITS-OWN --double
  crewbell-server press cabin-5 --hold --wait 60      see who accepts within a minute
  crewbell-server press cabin-5 --times 5 --every 200")]
pub struct PressArgs {
    /// The button's id, as in the topic
    #[arg(value_parser = one_level)]
    pub button: String,
    /// How it is pressed
    #[command(flatten)]
    pub way: Target,
    /// Which of its keys is pressed
    #[arg(long, value_enum, default_value_t = KeyName::Main)]
    pub key: KeyName,
    /// Where the server's MQTT listener, or the broker, is
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:1883")]
    pub server: Address,
    /// The MQTT user: the site's slug with the join code as password, or SLUG/BUTTON with the button's own
    #[arg(long)]
    pub user: Option<String>,
    /// Its password
    #[arg(long, requires = "user", env = "CREWBELL_PRESS_PASSWORD", hide_env_values = true)]
    pub password: Option<String>,
    /// The first levels of the topics
    #[arg(long, default_value = "obedio", value_parser = prefix)]
    pub prefix: String,
    /// How many times
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub times: u32,
    /// Milliseconds from one press to the next
    #[arg(long, value_name = "MS", default_value_t = 1000)]
    pub every: u64,
    /// Seconds to go on watching the lamp after the server received the last press
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub wait: u64,
    /// The battery's charge in percent to report; without it the recorded one stays
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(..=100))]
    pub battery: Option<u8>,
    /// The radio's signal strength in dBm to report; without it the recorded one stays
    #[arg(long, value_name = "DBM", allow_negative_numbers = true, value_parser = clap::value_parser!(i16).range(-200..=0))]
    pub rssi: Option<i16>,
}

/// How a button is pressed; once and briefly by default.
#[derive(Clone, Copy, Debug, Default, Args)]
#[group(multiple = false)]
#[expect(clippy::struct_excessive_bools, reason = "flags that exclude each other, which clap sees to")]
pub struct Target {
    /// Press twice: urgent
    #[arg(long)]
    pub double: bool,
    /// Press and hold: the guest speaks
    #[arg(long)]
    pub hold: bool,
    /// Shake it: an emergency
    #[arg(long)]
    pub shake: bool,
    /// Call an emergency
    #[arg(long)]
    pub emergency: bool,
}

impl Target {
    fn kind(self) -> PressKind {
        match self {
            Self { double: true, .. } => PressKind::Double,
            Self { hold: true, .. } => PressKind::Long,
            Self { shake: true, .. } => PressKind::Shake,
            Self { emergency: true, .. } => PressKind::Emergency,
            Self { .. } => PressKind::Single,
        }
    }
}

/// The command-line name of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KeyName {
    /// The large key
    Main,
    /// Auxiliary key 1
    Aux1,
    /// Auxiliary key 2
    Aux2,
    /// Auxiliary key 3
    Aux3,
    /// Auxiliary key 4
    Aux4,
}

impl From<KeyName> for ButtonKey {
    fn from(name: KeyName) -> Self {
        match name {
            KeyName::Main => Self::Main,
            KeyName::Aux1 => Self::Aux1,
            KeyName::Aux2 => Self::Aux2,
            KeyName::Aux3 => Self::Aux3,
            KeyName::Aux4 => Self::Aux4,
        }
    }
}

/// Presses the button and prints the server's answers.
///
/// # Errors
/// Returns an error, as a sentence, if the server can't be reached, refuses or doesn't acknowledge.
pub async fn run(args: PressArgs, ids: &Ids) -> anyhow::Result<()> {
    line::Line::connect(args, ids).await?.press().await
}

/// Parses a button's id, which is one level of a topic.
fn one_level(text: &str) -> Result<String, String> {
    let fits =
        !text.is_empty() && text.len() <= 64 && !text.contains(['/', '+', '#']) && !text.chars().any(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err("1 to 64 bytes without /, + and #, as in the topic".to_owned()) }
}

fn prefix(text: &str) -> Result<String, String> {
    let fits = !text.is_empty() && !text.contains(['+', '#']) && !text.chars().any(char::is_control);
    if fits { Ok(text.trim_end_matches('/').to_owned()) } else { Err("a topic without + and #".to_owned()) }
}
