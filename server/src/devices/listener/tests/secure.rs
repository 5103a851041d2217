//! Tests of TLS, with the site's own CA.

use std::{os::unix::fs::PermissionsExt as _, path::Path};

use rstest::rstest;

use super::{
    super::{Limits, Taken, tls},
    foreign::mosquitto,
    handler::{Fixture, soon},
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
    let mut fixture = Fixture::with(Limits::default(), Some(own.config)).await;
    let ca = own.ca_file.to_str().expect("utf-8").to_owned();
    let more = ["-q", "1", "-t", "t", "-m", "secret", "--cafile", &ca];
    let mut publisher = mosquitto("mosquitto_pub", &fixture, version, &more).spawn().expect("mosquitto-clients");
    let handed = fixture.handed().await;
    assert_eq!(&handed.message.payload[..], b"secret");
    handed.is(Taken::Done);
    assert!(soon(publisher.wait()).await.expect("a child").success());
}

#[tokio::test]
async fn another_authority_is_not_trusted_and_plain_clients_are_closed() {
    let (folder, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let own = made(folder.path(), &["127.0.0.1"]);
    let ca = made(other.path(), &["127.0.0.1"]).ca_file;
    let mut fixture = Fixture::with(Limits::default(), Some(own.config)).await;
    let more = ["-q", "1", "-t", "t", "-m", "x", "--cafile", ca.to_str().expect("utf-8")];
    let output = soon(mosquitto("mosquitto_pub", &fixture, "mqttv311", &more).output()).await.expect("it ran");
    assert!(!output.status.success());
    let plain = ["-q", "1", "-t", "t", "-m", "x"];
    let output = soon(mosquitto("mosquitto_pub", &fixture, "mqttv311", &plain).output()).await.expect("it ran");
    assert!(!output.status.success());
    assert!(fixture.is_quiet());
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
    let mut fixture = Fixture::with(Limits::default(), Some(after.config)).await;
    let ca = after.ca_file.to_str().expect("utf-8").to_owned();
    let more = ["-q", "1", "-t", "t", "-m", "x", "--cafile", &ca];
    let mut publisher = mosquitto("mosquitto_pub", &fixture, "mqttv311", &more).spawn().expect("mosquitto-clients");
    fixture.handed().await.is(Taken::Done);
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
}

fn made_at(folder: &Path, own: &[&str], now: &str) -> tls::OwnAuthority {
    tls::load_or_make(folder, &names(own), now.parse().expect("a time")).expect("made")
}

#[test]
fn a_name_that_no_certificate_can_hold_is_left_out() {
    let folder = tempfile::tempdir().expect("a folder");
    made(folder.path(), &["nö name", "127.0.0.1", "fd00::7"]);
    let kept = std::fs::read_to_string(folder.path().join("server.names")).expect("there");
    assert_eq!(kept, "127.0.0.1\nfd00::7");
}

#[tokio::test]
async fn a_new_address_is_named_by_the_certificate_while_the_server_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let own = made(folder.path(), &["boat.local"]);
    let mut fixture = Fixture::with(Limits::default(), Some(own.config)).await;
    let now = "2026-11-21T10:00:00Z".parse().expect("a time");
    let renewed = own.shown.renew(folder.path(), &names(&["boat.local", "127.0.0.1"]), now).expect("made");
    assert_eq!(renewed, tls::Made::Certificate);
    let ca = own.ca_file.to_str().expect("utf-8").to_owned();
    let more = ["-q", "1", "-t", "t", "-m", "x", "--cafile", &ca];
    let mut publisher = mosquitto("mosquitto_pub", &fixture, "mqttv311", &more).spawn().expect("mosquitto-clients");
    fixture.handed().await.is(Taken::Done);
    assert!(soon(publisher.wait()).await.expect("a child").success());
}

#[test]
fn whatever_the_clock_said_at_the_first_start_the_certificate_holds() {
    for first in ["1970-01-01T00:00:10Z", "2026-11-21T10:00:00Z", "2031-05-01T00:00:00Z", "2049-12-31T00:00:00Z"] {
        let folder = tempfile::tempdir().expect("a folder");
        let before = made_at(folder.path(), &["localhost"], first);
        assert_eq!(before.made, tls::Made::All);
        for now in ["2026-11-30T00:00:00Z", "2036-01-01T00:00:00Z", "1970-01-01T00:00:10Z"] {
            let after = made_at(folder.path(), &["localhost"], now);
            assert_eq!((after.made, &after.fingerprint), (tls::Made::Nothing, &before.fingerprint), "{first}, {now}");
        }
    }
}

#[test]
fn an_authority_out_of_its_time_is_made_anew_and_said_but_not_on_the_word_of_a_clock_that_is_not_set() {
    let folder = tempfile::tempdir().expect("a folder");
    let before = made_at(folder.path(), &["localhost"], "2026-11-21T10:00:00Z");
    let unset = made_at(folder.path(), &["localhost"], "1970-01-01T00:00:10Z");
    assert_eq!((unset.made, &unset.fingerprint), (tls::Made::Nothing, &before.fingerprint));
    let anew = made_at(folder.path(), &["localhost"], "2051-03-01T00:00:00Z");
    assert_eq!(anew.made, tls::Made::AllAnew);
    assert_ne!(anew.fingerprint, before.fingerprint);
    let again = made_at(folder.path(), &["localhost"], "2060-03-01T00:00:00Z");
    assert_eq!((again.made, &again.fingerprint), (tls::Made::Nothing, &anew.fingerprint));
}

/// Writes an authority of another making, and its certificate, which are valid from one year to another.
pub(crate) fn write_foreign(folder: &Path, from: i32, to: i32) {
    let key = rcgen::KeyPair::generate().expect("a key");
    let mut params = rcgen::CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
    params.not_before = rcgen::date_time_ymd(from, 1, 1);
    params.not_after = rcgen::date_time_ymd(to, 1, 1);
    let ca = params.self_signed(&key).expect("signed").pem();
    for (file, text) in
        [("ca.pem", &ca), ("server.pem", &ca), ("ca.key", &key.serialize_pem()), ("server.key", &key.serialize_pem())]
    {
        std::fs::write(folder.join(file), text).expect("written");
    }
    std::fs::write(folder.join("server.names"), "localhost").expect("written");
}

#[test]
fn an_expired_or_future_pair_of_another_making_is_made_anew() {
    for (from, to) in [(1970, 1981), (2031, 2042)] {
        let folder = tempfile::tempdir().expect("a folder");
        write_foreign(folder.path(), from, to);
        assert_eq!(made(folder.path(), &["localhost"]).made, tls::Made::AllAnew, "{from}");
        assert_eq!(made(folder.path(), &["localhost"]).made, tls::Made::Nothing, "{from}");
    }
}

#[test]
fn a_damaged_certificate_of_the_server_is_made_anew_under_the_same_authority() {
    let folder = tempfile::tempdir().expect("a folder");
    let before = made(folder.path(), &["localhost"]);
    std::fs::write(folder.path().join("server.pem"), "half a fi").expect("written");
    let after = made(folder.path(), &["localhost"]);
    assert_eq!((after.made, &after.fingerprint), (tls::Made::Certificate, &before.fingerprint));
}
