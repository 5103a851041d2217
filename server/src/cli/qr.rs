//! The subcommand `crewbell-server qr`: prints a QR code by which the app finds the server.

use std::io::IsTerminal;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use crewbell_shared::protocol::JoinLink;
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use serde::Deserialize;

use super::lan;
use super::serve::configuration;
use crate::config::{Config, ServeArgs};

/// Timeout of the request for the server's sites.
const PATIENCE: Duration = Duration::from_secs(5);

/// The arguments of `qr`.
#[derive(Debug, Args)]
pub struct QrArgs {
    /// The server's address for the app, scheme and port too [default: this machine's on its network]
    #[arg(long)]
    address: Option<String>,
    /// The site's slug [default: the only one, as the running server says]
    #[arg(long)]
    site: Option<String>,
    #[command(flatten)]
    serve: ServeArgs,
}

/// Prints the code and its link.
///
/// # Errors
/// Returns an error if the address or the site is invalid, or the site is ambiguous.
pub async fn run(args: QrArgs) -> anyhow::Result<()> {
    let config = configuration(&args.serve)?;
    let site = match args.site {
        Some(site) => site,
        None => only_site(&config).await?,
    };
    let mut addresses = match args.address {
        Some(address) => vec![address],
        None => lan::urls(config.http.listen, config.http.tls),
    };
    let address = addresses.remove(0);
    let link = JoinLink::new(&address, &site)?;
    println!("{}", code(&link, std::io::stdout().is_terminal())?);
    println!("{link}");
    println!("By hand, in the app: {} and {}", link.server(), link.site());
    if !addresses.is_empty() {
        println!("This machine has other addresses too (--address): {}", addresses.join(", "));
    }
    if config.http.listen.ip().is_loopback() && address.contains(&config.http.listen.to_string()) {
        println!("The server listens on this machine only: http.listen = \"0.0.0.0:8080\" lets others in.");
    }
    Ok(())
}

/// Renders the code in half blocks. On a terminal it is black on white regardless of the terminal's colours, as cameras
/// need it.
fn code(link: &JoinLink, terminal: bool) -> anyhow::Result<String> {
    let code = QrCode::new(link.to_string()).context("The link is too long for a code.")?;
    let code = code.render::<Dense1x2>().dark_color(Dense1x2::Dark).light_color(Dense1x2::Light).build();
    if !terminal {
        return Ok(code);
    }
    Ok(code.lines().map(|line| format!("\x1b[30;107m{line}\x1b[0m")).collect::<Vec<_>>().join("\n"))
}

/// Returns the only site of the server that runs on this machine.
async fn only_site(config: &Config) -> anyhow::Result<String> {
    #[derive(Deserialize)]
    struct Server {
        sites: Vec<Site>,
    }
    #[derive(Deserialize)]
    struct Site {
        slug: String,
    }
    let listens = config.http.listen;
    let ip = if listens.ip().is_unspecified() { IpAddr::from(Ipv4Addr::LOCALHOST) } else { listens.ip() };
    let here = SocketAddr::new(ip, listens.port());
    if config.http.tls {
        bail!("Which site? --site names it.");
    }
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
    let asking =
        async { client.get(format!("http://{here}/api/server")).send().await?.error_for_status()?.json().await };
    let server: Result<Server, reqwest::Error> = asking.await;
    let sites =
        server.with_context(|| format!("No server at {here} says which sites there are; --site names one"))?.sites;
    match sites.as_slice() {
        [only] => Ok(only.slug.clone()),
        [] => bail!("There is no site yet: `crewbell-server admin site add` makes one."),
        several => {
            let slugs: Vec<_> = several.iter().map(|site| site.slug.as_str()).collect();
            bail!("There are several sites; --site names one of: {}.", slugs.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_printed_whole_two_rows_to_a_line() {
        let link = JoinLink::new("http://192.168.7.5:8080", "serenity").unwrap();
        let printed = code(&link, false).unwrap();
        let matrix = QrCode::new(link.to_string()).unwrap();
        let (width, colors) = (matrix.width(), matrix.to_colors());
        // The quiet zone is four modules wide (ISO/IEC 18004, 9.1).
        let lines: Vec<Vec<char>> = printed.lines().map(|line| line.chars().collect()).collect();
        assert!(lines.iter().all(|line| line.len() == width + 8));
        for (place, color) in colors.iter().enumerate() {
            let (x, y) = (place % width + 4, place / width + 4);
            let block = lines[y / 2][x];
            let dark = if y % 2 == 0 { "█▀" } else { "█▄" }.contains(block);
            assert_eq!(dark, *color == qrcode::Color::Dark, "{x}, {y}");
        }
        let coloured = code(&link, true).unwrap();
        assert!(coloured.lines().all(|line| line.starts_with("\x1b[30;107m") && line.ends_with("\x1b[0m")));
    }
}
