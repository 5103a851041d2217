//! The listener's certificates: from files, or made at the first start by an authority of the site's own.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use jiff::{Timestamp, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::{
    CertificateError, RootCertStore, ServerConfig,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier as _},
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem, pem::PemObject as _},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use sha2::{Digest as _, Sha256};

/// From when to when what is made here is valid: a fixed time, longer than the buttons last, so that it doesn't matter what
/// the server's clock says on the day. Clocks on board begin in 1970, or are years ahead until somebody sets them.
const FROM: i16 = 2020;
const TO: i16 = 2050;
/// Years that a certificate made in that time's last years, or after it, is valid.
const AT_LEAST: i16 = 10;

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file isn't the PEM that it should be.
    #[error("{path}: {source}")]
    Pem {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: pem::Error,
    },
    /// A certificate can't be made: a name is no host name, or the kept key is damaged.
    #[error("the certificate can't be made: {0}")]
    Make(#[from] rcgen::Error),
    /// Certificate and key don't fit each other, or aren't supported.
    #[error("the certificate can't be used: {0}")]
    Use(#[from] rustls::Error),
}

/// Certificates of the site's own.
#[derive(Debug)]
pub struct OwnAuthority {
    /// For [`ListenerSettings::tls`](super::ListenerSettings::tls).
    pub config: Arc<ServerConfig>,
    /// What the devices are to trust.
    pub ca_file: PathBuf,
    /// SHA-256 of that certificate (DER), in upper-case hex pairs with colons: to be shown, and compared by eye.
    pub fingerprint: String,
    /// What was made at this start, and why.
    pub made: Made,
    /// The certificate that connections to come are shown.
    pub shown: Arc<Shown>,
}

/// The certificate that is shown at present, which may change while the server runs.
#[derive(Debug)]
pub struct Shown(RwLock<Arc<CertifiedKey>>);

impl Shown {
    /// Shows what is in a folder, made anew there if names or time want it ([`load_or_make`]); says what was made.
    pub fn renew(&self, folder: &Path, names: &[String], now: Timestamp) -> Result<Made, TlsError> {
        let own = load_or_make(folder, names, now)?;
        let new = own.shown.current();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(own.made)
    }

    fn current(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

/// What was made at a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// Nothing: all is as it was.
    Nothing,
    /// The server's certificate, under the authority that devices trust already.
    Certificate,
    /// Authority and certificate, at the first start.
    All,
    /// Authority and certificate, because those that were there are out of their time: devices have to be given the new one.
    AllAnew,
}

/// Loads a certificate chain (server's first) and its key, both PEM.
pub fn load(certificates: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    config(&Arc::new(read_pair(certificates, key)?))
}

fn read_pair(certificates: &Path, key: &Path) -> Result<Shown, TlsError> {
    let pem = |path: &Path| {
        let path = path.to_owned();
        move |source| TlsError::Pem { path, source }
    };
    let chain = CertificateDer::pem_file_iter(certificates)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(pem(certificates))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(pem(key))?;
    let pair = CertifiedKey::from_der(chain, key, &ring::default_provider())?;
    Ok(Shown(RwLock::new(Arc::new(pair))))
}

fn config(shown: &Arc<Shown>) -> Result<Arc<ServerConfig>, TlsError> {
    // Given explicitly: a process-wide default would depend on who is first.
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(shown) as Arc<dyn ResolvesServerCert>);
    Ok(Arc::new(config))
}

/// Uses the site's own authority in `folder`, and makes it if it isn't there.
///
/// `names` are the host names and addresses by which devices reach the server. When they change, a new server
/// certificate is made under the same authority, so that no device has to be touched; so it is when it is damaged, or out
/// of its time. An authority that is out of its time is made anew, unless it is the clock that can't be right. Keys are
/// readable by their owner only. A name that no certificate can hold is left out.
pub fn load_or_make(folder: &Path, names: &[String], now: Timestamp) -> Result<OwnAuthority, TlsError> {
    let file = |name: &str| folder.join(name);
    let (ca_file, ca_key_file) = (file("ca.pem"), file("ca.key"));
    let (server_file, server_key_file, names_file) = (file("server.pem"), file("server.key"), file("server.names"));
    fs::create_dir_all(folder).map_err(|source| TlsError::File { path: folder.to_owned(), source })?;

    let is_there = ca_file.exists() && ca_key_file.exists();
    // Before any of this was written there was no such time: the clock isn't set.
    let clock_is_set = year_of(now) >= FROM;
    let is_over = is_there && clock_is_set && !is_in_time(&certificate(&ca_file)?, now)?;
    let period = (FROM, TO.max(year_of(now).saturating_add(AT_LEAST)));
    if !is_there || is_over {
        let key = KeyPair::generate()?;
        let certificate = authority(period)?.self_signed(&key)?;
        // No server's certificate of the old authority may outlive it.
        remove(&names_file)?;
        write(&ca_key_file, &key.serialize_pem(), 0o600)?;
        write(&ca_file, &certificate.pem(), 0o644)?;
    }
    let names: Vec<String> = names.iter().filter(|name| can_be_held(name)).cloned().collect();
    let wanted = names.join("\n");
    let fits = is_there
        && !is_over
        && server_file.exists()
        && server_key_file.exists()
        && fs::read_to_string(&names_file).is_ok_and(|known| known == wanted)
        && certificate(&server_file).is_ok_and(|server| {
            let in_time = is_in_time(&server, now).unwrap_or(false);
            in_time || !clock_is_set
        })
        && read_pair(&server_file, &server_key_file).is_ok();
    if !fits {
        let ca_key = KeyPair::from_pem(&read(&ca_key_file)?)?;
        let key = KeyPair::generate()?;
        // An issuer is its name and key, and the name is always the same.
        let certificate = server(&names, period)?.signed_by(&key, &Issuer::new(authority(period)?, ca_key))?;
        // The names last: without them, a start that was cut off is done again.
        remove(&names_file)?;
        write(&server_key_file, &key.serialize_pem(), 0o600)?;
        write(&server_file, &format!("{}{}", certificate.pem(), read(&ca_file)?), 0o644)?;
        write(&names_file, &wanted, 0o644)?;
    }
    let made = match (is_there, is_over, fits) {
        (false, _, _) => Made::All,
        (true, true, _) => Made::AllAnew,
        (true, false, false) => Made::Certificate,
        (true, false, true) => Made::Nothing,
    };
    let ca = certificate(&ca_file)?;
    let shown = Arc::new(read_pair(&server_file, &server_key_file)?);
    Ok(OwnAuthority { config: config(&shown)?, fingerprint: fingerprint(&ca), ca_file, made, shown })
}

/// Reads the first certificate of a file.
fn certificate(file: &Path) -> Result<CertificateDer<'static>, TlsError> {
    CertificateDer::from_pem_file(file).map_err(|source| TlsError::Pem { path: file.to_owned(), source })
}

/// Whether a certificate is valid at a time. Nothing else is asked of it: whose it is, we know.
fn is_in_time(certificate: &CertificateDer<'static>, now: Timestamp) -> Result<bool, TlsError> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone())?;
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
    let verifier = verifier.build().map_err(|error| rustls::Error::General(error.to_string()))?;
    let at = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(now.as_second()).unwrap_or_default()));
    let anybody = ServerName::IpAddress(std::net::Ipv4Addr::LOCALHOST.into());
    let checked = verifier.verify_server_cert(certificate, &[], &anybody, &[], at);
    Ok(!matches!(
        checked,
        Err(rustls::Error::InvalidCertificate(
            CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. }
        ))
    ))
}

/// Whether a certificate can hold a name.
fn can_be_held(name: &str) -> bool {
    name.parse::<std::net::IpAddr>().is_ok() || ServerName::try_from(name).is_ok()
}

fn year_of(now: Timestamp) -> i16 {
    now.to_zoned(TimeZone::UTC).year()
}

fn authority(period: (i16, i16)) -> Result<CertificateParams, TlsError> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, "Crewbell site authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    valid(&mut params, period);
    Ok(params)
}

fn server(names: &[String], period: (i16, i16)) -> Result<CertificateParams, TlsError> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, "Crewbell server");
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    valid(&mut params, period);
    Ok(params)
}

fn valid(params: &mut CertificateParams, (from, to): (i16, i16)) {
    params.not_before = rcgen::date_time_ymd(from.into(), 1, 1);
    params.not_after = rcgen::date_time_ymd(to.into(), 1, 1);
}

fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let pairs: Vec<String> = Sha256::digest(certificate).iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}

fn read(path: &Path) -> Result<String, TlsError> {
    fs::read_to_string(path).map_err(|source| TlsError::File { path: path.to_owned(), source })
}

fn remove(path: &Path) -> Result<(), TlsError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(TlsError::File { path: path.to_owned(), source })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Writes beside and renames, so that a file is there whole or not at all.
fn write(path: &Path, text: &str, mode: u32) -> Result<(), TlsError> {
    let beside = path.with_extension("new");
    remove(&beside)?;
    let mut options = fs::OpenOptions::new();
    options
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&beside)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&beside, path))
        .map_err(|source| TlsError::File { path: path.to_owned(), source })
}
