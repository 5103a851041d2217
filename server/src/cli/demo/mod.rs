//! The subcommand `crewbell-server demo`.

mod press_trace;

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::database::{DatabaseAccess, Take};
use super::serve::{configuration, settings, told_to_stop};
use crate::clock::Clock;
use crate::config::ServeArgs;
use crate::demo::panel::Panel;
use crate::demo::{self, DemoSite};
use crate::serve::Server;

/// The arguments of `demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Print no walkthrough, only serve; for programs that drive it
    #[arg(long)]
    pub headless: bool,
    /// Print one line of JSON when ready: http, mqtt, pid, site, people, buttons
    #[arg(long)]
    pub json: bool,
    /// Where the demo keeps its database
    #[arg(long, default_value = ".crewbell/demo")]
    pub data_dir: PathBuf,
    /// Address of the HTTP listener; port 0 takes any free one [default: 127.0.0.1:8080, or a free port]
    #[arg(long)]
    pub http: Option<SocketAddr>,
    /// Address of the MQTT listener for buttons [default: 127.0.0.1:1883, or a free port]
    #[arg(long)]
    pub mqtt: Option<SocketAddr>,
}

/// The JSON line for programs that drive the demo; its format is a stable contract.
#[derive(Serialize)]
struct Ready<'a> {
    http: String,
    mqtt: String,
    pid: u32,
    database: Option<&'a str>,
    #[serde(flatten)]
    site: &'a DemoSite,
}

/// Serves the demo site MY Serenity until SIGTERM or Ctrl-C.
///
/// # Errors
/// Returns an error if the database is unavailable or an address is in use.
pub async fn run(args: DemoArgs) -> anyhow::Result<()> {
    let config = configuration(&ServeArgs {
        data_dir: Some(args.data_dir.clone()),
        http: Some(args.http.unwrap_or_else(|| usual_or_free(8080))),
        mqtt: Some(args.mqtt.unwrap_or_else(|| usual_or_free(1883))),
        log_level: Some(std::env::var("CREWBELL_LOG_LEVEL").unwrap_or_else(|_| "warn".to_owned())),
        ..ServeArgs::default()
    })?;
    let ground = DatabaseAccess::open(&config, Take::Own).await?;
    let panel = Panel::default();
    let settings = settings(&config, &ground, Clock::default())?;
    let server = Server::start_with(settings, panel.router()).await?;
    let site = demo::load(&server.registry, server.registry.clock.now()).await?;
    if let Some(mqtt) = server.mqtt {
        panel.connect(site.clone(), mqtt, &server.registry.ids, server.registry.stop.clone());
    }
    if args.json {
        let mqtt = server.mqtt.map(|address| address.to_string()).unwrap_or_default();
        let ready =
            Ready { http: server.http.to_string(), mqtt, pid: std::process::id(), database: ground.url(), site: &site };
        println!("{}", serde_json::to_string(&ready)?);
    }
    if args.headless {
        told_to_stop().await?;
    } else {
        let stopped = Box::pin(show(&server, &site)).await;
        stopped?;
    }
    server.stop().await;
    ground.close().await
}

/// Prints the walkthrough of one press, then of another for each Enter.
async fn show(server: &Server, site: &DemoSite) -> anyhow::Result<()> {
    press_trace::introduce(server, site);
    Box::pin(press_trace::tell(server, site, 0)).await?;
    let here = std::io::stdin().is_terminal();
    press_trace::how_to_go_on(server, site, here);
    if !here {
        return told_to_stop().await;
    }
    let (press, mut presses) = tokio::sync::mpsc::channel(1);
    // Reading a terminal can't be cancelled, so it runs in a detached thread.
    std::thread::spawn(move || {
        let mut line = String::new();
        while std::io::stdin().read_line(&mut line).is_ok_and(|read| read > 0) {
            if press.blocking_send(()).is_err() {
                return;
            }
        }
    });
    let mut told = 0;
    loop {
        tokio::select! {
            stopped = told_to_stop() => return stopped,
            Some(()) = presses.recv() => {
                told += 1;
                Box::pin(press_trace::tell(server, site, told)).await?;
            }
        }
    }
}

fn usual_or_free(port: u16) -> SocketAddr {
    let usual = SocketAddr::from(([127, 0, 0, 1], port));
    if std::net::TcpListener::bind(usual).is_ok() { usual } else { SocketAddr::from(([127, 0, 0, 1], 0)) }
}
