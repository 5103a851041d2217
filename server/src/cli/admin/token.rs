//! The subcommand `admin token NAME`.

use std::io::Write;

use clap::Args;

use super::{AtSite, say};
use crate::actions::SignIn;
use crate::auth::Token;
use crate::db::sessions::Session;
use crate::site_registry::SiteRegistry;

/// The arguments of `admin token`.
#[derive(Clone, Debug, Args)]
pub(super) struct TokenArgs {
    /// The person's name
    name: String,
    #[command(flatten)]
    at: AtSite,
}

/// Signs a person in on a new device, so that earlier tokens stay valid. Prints the token alone to standard output, for
/// `TOKEN=$(…)`.
pub(super) async fn run(args: TokenArgs, registry: &SiteRegistry) -> anyhow::Result<()> {
    let here = args.at.open(registry).await?;
    let person = here.person(&args.name).await?;
    let token = Token::new(here.site.id, &registry.ids);
    let at = registry.clock.now();
    let session = Session {
        id: here.id(),
        person_id: person.id,
        device_id: here.id(),
        device_name: "admin".to_owned(),
        created_at: at,
        used_at: at,
    };
    here.act(Box::new(SignIn { session, token_hash: token.hash() })).await?;
    say(&token.to_string())?;
    let words = format!(
        "{} is signed in with it until they sign out or get a new PIN, or until it was not used for as long as the site says.",
        person.name
    );
    writeln!(std::io::stderr(), "{words}")?;
    Ok(())
}
