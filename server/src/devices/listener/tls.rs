//! The listener's TLS certificates: loaded from files, or issued at the first start by the site's own certificate
//! authority (CA).

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

/// First year of the validity period of issued certificates, up to [`TO`]. The period is fixed, and longer than the
/// buttons last, so that it doesn't depend on the server's clock: clocks on board start in 1970, or are years ahead
/// until they are set.
const FROM: i16 = 2020;
const TO: i16 = 2050;
/// Minimum validity in years of a certificate issued in the last years of that period, or after it.
const AT_LEAST: i16 = 10;

/// An error that prevents TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// The I/O error.
        source: io::Error,
    },
    /// A file isn't valid PEM.
    #[error("{path}: {source}")]
    Pem {
        /// The file.
        path: PathBuf,
        /// The parse error.
        source: pem::Error,
    },
    /// A certificate can't be issued: a name isn't a valid host name, or the stored key is damaged.
    #[error("the certificate can't be made: {0}")]
    Make(#[from] rcgen::Error),
    /// Certificate and key don't match, or aren't supported.
    #[error("the certificate can't be used: {0}")]
    Use(#[from] rustls::Error),
}

/// The site's own CA, with the server certificate that it issued.
#[derive(Debug)]
pub struct OwnAuthority {
    /// The TLS configuration for [`ListenerConfig::tls`](super::ListenerConfig::tls).
    pub config: Arc<ServerConfig>,
    /// The CA certificate, which the devices have to trust.
    pub ca_file: PathBuf,
    /// SHA-256 fingerprint of the CA certificate (DER), in upper-case hex pairs with colons, for comparison by eye.
    pub fingerprint: String,
    /// The certificates issued at this start.
    pub made: Made,
    /// The certificate presented to new connections.
    pub shown: Arc<Shown>,
}

/// The certificate presented to clients, which can be replaced while the server runs.
#[derive(Debug)]
pub struct Shown(RwLock<Arc<CertifiedKey>>);

impl Shown {
    /// Replaces the certificate by the one in `folder`, which is reissued if necessary ([`load_or_make`]); returns what
    /// was issued.
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

/// The certificates that were issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// None: the existing ones are valid.
    Nothing,
    /// The server certificate, by the existing CA, which devices trust already.
    Certificate,
    /// The CA and the server certificate, at the first start.
    All,
    /// The CA and the server certificate, because the CA is outside its validity period: devices have to be given the
    /// new CA certificate.
    AllAnew,
}

/// Loads a certificate chain (server certificate first) and its key, both PEM.
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
    // The provider is explicit, since a process-wide default depends on which code installs one first.
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(shown) as Arc<dyn ResolvesServerCert>);
    Ok(Arc::new(config))
}

/// Loads the site's own CA from `folder`, or creates it there.
///
/// `names` are the host names and addresses by which devices reach the server. When they change, or when the server
/// certificate is damaged or outside its validity period, a new one is issued by the same CA, so that no device needs a
/// change. A CA outside its validity period is replaced, unless the clock is obviously wrong. Keys are readable by
/// their owner only. Names that a certificate can't contain are left out.
pub fn load_or_make(folder: &Path, names: &[String], now: Timestamp) -> Result<OwnAuthority, TlsError> {
    let file = |name: &str| folder.join(name);
    let (ca_file, ca_key_file) = (file("ca.pem"), file("ca.key"));
    let (server_file, server_key_file, names_file) = (file("server.pem"), file("server.key"), file("server.names"));
    fs::create_dir_all(folder).map_err(|source| TlsError::File { path: folder.to_owned(), source })?;

    let is_there = ca_file.exists() && ca_key_file.exists();
    // A clock that shows a year before `FROM` isn't set.
    let clock_is_set = year_of(now) >= FROM;
    let is_over = is_there && clock_is_set && !is_in_time(&certificate(&ca_file)?, now)?;
    let period = (FROM, TO.max(year_of(now).saturating_add(AT_LEAST)));
    if !is_there || is_over {
        let key = KeyPair::generate()?;
        let certificate = authority(period)?.self_signed(&key)?;
        // Without the names, an interrupted start reissues the server certificate: none may outlive its CA.
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
        // An issuer consists of name and key, and the name is constant.
        let certificate = server(&names, period)?.signed_by(&key, &Issuer::new(authority(period)?, ca_key))?;
        // The names are written last: without them, an interrupted start is repeated.
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

/// Whether a certificate is within its validity period. Nothing else is checked, since its origin is known.
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

/// Whether a certificate can contain a name.
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

/// Writes a file atomically: to a temporary file, which is then renamed.
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
