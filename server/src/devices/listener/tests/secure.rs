//! TLS, with certificates of our own making.

use std::{os::unix::fs::PermissionsExt as _, path::Path};

use rstest::rstest;

use super::{
    super::{Limits, Taken, tls},
    foreign::mosquitto,
    house::{House, soon},
};

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn made(folder: &Path, own: &[&str]) -> tls::OwnAuthority {
    let now = "2026-11-21T10:00:00Z".parse().expect("a time");
    tls::load_or_make(folder, &names(own), now).expect("made")
}

#[rstest]
#[tokio::test]
async fn mosquitto_pub_trusts_our_authority(#[values("mqttv311", "mqttv5")] version: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let own = made(folder.path(), &["localhost", "127.0.0.1"]);
    let mut house = House::with(Limits::default(), Some(own.config)).await;
    let ca = own.ca_file.to_str().expect("utf-8").to_owned();
    let more = ["-q", "1", "-t", "t", "-m", "secret", "--cafile", &ca];
    let mut publisher = mosquitto("mosquitto_pub", &house, version, &more).spawn().expect("mosquitto-clients");
    let handed = house.handed().await;
    assert_eq!(&handed.message.payload[..], b"secret");
    handed.is(Taken::Done);
    assert!(soon(publisher.wait()).await.expect("a child").success());
}

#[tokio::test]
async fn another_authority_is_not_trusted_and_plain_clients_are_closed() {
    let (folder, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let own = made(folder.path(), &["127.0.0.1"]);
    let ca = made(other.path(), &["127.0.0.1"]).ca_file;
    let mut house = House::with(Limits::default(), Some(own.config)).await;
    let more = ["-q", "1", "-t", "t", "-m", "x", "--cafile", ca.to_str().expect("utf-8")];
    let output = soon(mosquitto("mosquitto_pub", &house, "mqttv311", &more).output()).await.expect("it ran");
    assert!(!output.status.success());
    let plain = ["-q", "1", "-t", "t", "-m", "x"];
    let output = soon(mosquitto("mosquitto_pub", &house, "mqttv311", &plain).output()).await.expect("it ran");
    assert!(!output.status.success());
    assert!(house.is_quiet());
}

#[test]
fn certificates_are_made_once_and_their_keys_are_private() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = made(folder.path(), &["boat.local"]);
    let server = || std::fs::read(folder.path().join("server.pem")).expect("there");
    let before = server();
    let again = made(folder.path(), &["boat.local"]);
    assert_eq!((first.fingerprint.as_str(), &before), (again.fingerprint.as_str(), &server()));
    assert_eq!(first.fingerprint.len(), 32 * 3 - 1);
    for key in ["ca.key", "server.key"] {
        let mode = std::fs::metadata(folder.path().join(key)).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{key}");
    }
}

#[tokio::test]
async fn a_new_name_needs_no_new_authority() {
    let folder = tempfile::tempdir().expect("a folder");
    let before = made(folder.path(), &["boat.local"]);
    let after = made(folder.path(), &["boat.local", "127.0.0.1"]);
    assert_eq!(before.fingerprint, after.fingerprint);
    let mut house = House::with(Limits::default(), Some(after.config)).await;
    let ca = after.ca_file.to_str().expect("utf-8").to_owned();
    let more = ["-q", "1", "-t", "t", "-m", "x", "--cafile", &ca];
    let mut publisher = mosquitto("mosquitto_pub", &house, "mqttv311", &more).spawn().expect("mosquitto-clients");
    house.handed().await.is(Taken::Done);
    assert!(soon(publisher.wait()).await.expect("a child").success());
}

#[test]
fn wrong_files_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = tls::load(&folder.path().join("no.pem"), &folder.path().join("no.key")).expect_err("missing");
    assert!(missing.to_string().contains("no.pem"), "{missing}");
    made(folder.path(), &["a"]);
    made(&folder.path().join("b"), &["a"]);
    let mixed = tls::load(&folder.path().join("server.pem"), &folder.path().join("b/server.key"));
    assert!(matches!(mixed, Err(tls::TlsError::Use(_))), "{mixed:?}");
    let bad = tls::load_or_make(folder.path(), &names(&["nö name"]), jiff::Timestamp::UNIX_EPOCH);
    assert!(matches!(bad, Err(tls::TlsError::Make(_))), "{bad:?}");
}
