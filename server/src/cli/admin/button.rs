//! The subcommands of `admin button`.

use crewbell_shared::button::ButtonVerb;
use std::collections::HashMap;

use clap::Subcommand;
use crewbell_shared::button::Button;
use crewbell_shared::ids::{ButtonId, PlaceId};
use crewbell_shared::protocol::Verb;
use jiff::tz::TimeZone;

use super::{AsList, AtSite, say};
use crate::actions::SetButtonSecret;
use crate::auth::{hash_code, join_code};
use crate::cli::Table;
use crate::site_registry::SiteRegistry;

#[derive(Clone, Debug, Subcommand)]
pub(super) enum ButtonCommand {
    /// List the buttons, those without a place first
    List {
        #[command(flatten)]
        at: AtSite,
        #[command(flatten)]
        list: AsList,
    },
    /// Create a button before its first press
    Create {
        /// Its id, as in the topic or on the radio
        device: String,
        /// The place where it is
        place: String,
        /// Its name, to tell several buttons of a place apart: "bathroom"
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        at: AtSite,
    },
    /// Assign a button to a place: a new one begins to ring, a retired one is reactivated
    Assign {
        /// Its id
        device: String,
        /// The place where it is
        place: String,
        /// Its name, to tell several buttons of a place apart; unchanged when not given
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        at: AtSite,
    },
    /// Take a button out of use: its presses are recorded and don't ring
    Retire {
        /// Its id
        device: String,
        #[command(flatten)]
        at: AtSite,
    },
    /// Make a password of a button's own; then no other login can press it
    Credentials {
        /// Its id
        device: String,
        /// Remove its own password: it signs in with the site's join code again
        #[arg(long)]
        off: bool,
        #[command(flatten)]
        at: AtSite,
    },
}

pub(super) async fn run(command: ButtonCommand, registry: &SiteRegistry) -> anyhow::Result<()> {
    match command {
        ButtonCommand::List { at, list } => {
            let here = at.open(registry).await?;
            let mut buttons = here.buttons().await?;
            // Buttons that wait for an assignment come first.
            buttons.sort_by_key(|button| button.place_id.is_some());
            let places = here.places().await?;
            let places: HashMap<_, _> = places.iter().map(|place| (place.id, place.name.as_str())).collect();
            list.print(&buttons, &table(&buttons, &places, &TimeZone::system()))
        }
        ButtonCommand::Create { device, place, name, at } => {
            let here = at.open(registry).await?;
            let place = here.place(&place).await?;
            let button_id: ButtonId = here.id();
            let verb = Verb::Button(ButtonVerb::Create { button_id, device: device.clone(), place_id: place.id, name });
            here.command(verb).await?;
            say(&format!("Button {device} is known, and rings for {}.", place.name))
        }
        ButtonCommand::Assign { device, place, name, at } => {
            let here = at.open(registry).await?;
            let button = here.button(&device).await?;
            let place = here.place(&place).await?;
            let name = name.or(button.name);
            here.command(Verb::Button(ButtonVerb::Assign { button_id: button.id, place_id: place.id, name })).await?;
            say(&format!("Button {device} rings for {}.", place.name))
        }
        ButtonCommand::Retire { device, at } => {
            let here = at.open(registry).await?;
            let button = here.button(&device).await?;
            here.command(Verb::Button(ButtonVerb::Retire { button_id: button.id })).await?;
            say(&format!("Button {device} doesn't ring any more; its presses are recorded."))
        }
        ButtonCommand::Credentials { device, off, at } => {
            let here = at.open(registry).await?;
            let Button { id: button_id, device, .. } = here.button(&device).await?;
            if off {
                here.act(Box::new(SetButtonSecret { button_id, hash: None })).await?;
                return say(&format!("Button {device} signs in with the site's join code."));
            }
            let code = join_code(&registry.ids);
            here.act(Box::new(SetButtonSecret { button_id, hash: Some(hash_code(code.as_bytes())) })).await?;
            let user = format!("{}/{device}", here.site.slug);
            say(&format!("MQTT user      {user}\nMQTT password  {code}\nThis is shown once."))
        }
    }
}

fn table(buttons: &[Button], places: &HashMap<PlaceId, &str>, zone: &TimeZone) -> Table {
    let titles = ["device", "place", "name", "state", "sign-in", "online", "battery", "signal", "last heard"];
    let mut table = Table::new(&titles);
    for button in buttons {
        let place = button.place_id.and_then(|id| places.get(&id)).copied().unwrap_or_default();
        let health = &button.health;
        let online = health.online.map(|online| if online { "yes" } else { "no" }).unwrap_or_default();
        let seen = health.last_seen_at.map(|at| at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string());
        table.row([
            button.device.clone(),
            place.into(),
            button.name.clone().unwrap_or_default(),
            button.state.as_str().into(),
            if button.has_credentials { "own" } else { "join code" }.into(),
            online.into(),
            health.battery_percent.map(|percent| format!("{percent} %")).unwrap_or_default(),
            health.rssi_dbm.map(|dbm| format!("{dbm} dBm")).unwrap_or_default(),
            seen.unwrap_or_default(),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use crewbell_shared::button::{ButtonState, Health};
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_button_s_line_tells_where_it_is_and_how_it_fares() {
        let place = PlaceId(Uuid::from_u128(5));
        let health = Health {
            online: Some(true),
            flapping_since: None,
            battery_percent: Some(87),
            rssi_dbm: Some(-61),
            firmware: None,
            last_seen_at: Some(Timestamp::UNIX_EPOCH),
        };
        let button = Button {
            id: ButtonId(Uuid::nil()),
            device: "c5".into(),
            name: None,
            state: ButtonState::Assigned,
            place_id: Some(place),
            has_credentials: true,
            health,
        };
        let shown = table(&[button], &HashMap::from([(place, "Cabin 5")]), &TimeZone::UTC).to_string();
        let line = shown.lines().nth(1).unwrap();
        assert_eq!(line, "c5      Cabin 5  -     assigned  own      yes     87 %     -61 dBm  1970-01-01 00:00");
    }
}
