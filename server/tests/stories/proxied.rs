//! The live streams behind an nginx in its default configuration.

use std::net::SocketAddr;
use std::process::Stdio;

use crewbell_shared::testing::skipped;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::cast::Crew;
use crate::events::Events;
use crate::foreign::until;
use crate::ship::{Ship, soon};

/// A real nginx in front of a server, configured only with its address and the usual headers for sockets.
struct Proxy {
    address: SocketAddr,
    _folder: tempfile::TempDir,
    _child: Child,
}

impl Proxy {
    async fn before(server: SocketAddr) -> Self {
        let folder = tempfile::Builder::new().prefix("crewbell-nginx-").tempdir().unwrap();
        let path = folder.path().display();
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        // The configuration moves the files only: a user other than root can't write to nginx's default folders.
        let folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let folders = folders.map(|what| format!("{what}_temp_path {path}/{what};")).join("\n");
        let config = format!(
            "daemon off; master_process off; pid {path}/pid; error_log {path}/error.log; events {{}}\n\
             http {{ access_log off; {folders}\
             map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}\n\
             server {{ listen {address};\n\
             location / {{ proxy_pass http://{server}; }}\n\
             location /api/live {{ proxy_pass http://{server}; proxy_http_version 1.1;\n\
             proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade; }} }} }}\n"
        );
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, config).unwrap();
        let mut command = Command::new("nginx");
        command.arg("-p").arg(folder.path()).arg("-e").arg(folder.path().join("error.log")).arg("-c").arg(file);
        command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let child = command.spawn().unwrap();
        until("nginx is up", || async { TcpStream::connect(address).await.is_ok() }).await;
        Self { address, _folder: folder, _child: child }
    }

    /// Returns a person's client with the proxy's address.
    fn leads(&self, mut person: Crew) -> Crew {
        person.address = self.address;
        person
    }
}

async fn have_nginx() -> bool {
    let asked = Command::new("nginx").arg("-v").stderr(Stdio::null()).status().await;
    asked.is_ok_and(|status| status.success())
}

#[tokio::test]
async fn an_event_stream_and_a_socket_tell_at_once_through_an_nginx_as_it_comes() {
    if !have_nginx().await {
        return skipped("there is no nginx here");
    }
    let ship = Ship::sail().await;
    let proxy = Proxy::before(ship.server.http).await;
    let sam = proxy.leads(ship.sam().await);
    let mut events = Events::open(&sam, None).await;
    soon(events.first_line()).await;
    let mut screen = sam.screen(None).await;

    ship.gus_in(1).await.press("single").await;
    assert_eq!(events.see("request_created").await["place_name"], "Cabin 1");
    assert_eq!(screen.see("request_created").await["payload"]["place_name"], "Cabin 1");
    // A request over HTTP through the proxy appears on both streams.
    let asked = sam.asks_for(2, "ice").await;
    assert_eq!(screen.see("request_created").await["payload"]["id"], asked.as_str());
    assert_eq!(events.see("request_created").await["id"], asked.as_str());
}
