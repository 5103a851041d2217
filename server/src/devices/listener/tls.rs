//! The listener's certificates: from files, or made at the first start by an authority of the site's own.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject as _},
};
use sha2::{Digest as _, Sha256};

/// How long what is made here is valid: longer than the buttons last.
const YEARS: i16 = 10;

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
}

/// Loads a certificate chain (server's first) and its key, both PEM.
pub fn load(certificates: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let pem = |path: &Path| {
        let path = path.to_owned();
        move |source| TlsError::Pem { path, source }
    };
    let chain = CertificateDer::pem_file_iter(certificates)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(pem(certificates))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(pem(key))?;
    // Given explicitly: a process-wide default would depend on who is first.
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(Arc::new(config))
}

/// Uses the site's own authority in `folder`, and makes it if it isn't there.
///
/// `names` are the host names and addresses by which devices reach the server. When they change, a new server
/// certificate is made under the same authority, so that no device has to be touched. Keys are readable by their owner
/// only. Both are valid from the start of `now`'s year (clocks on board are rarely exact) for ten years.
pub fn load_or_make(folder: &Path, names: &[String], now: Timestamp) -> Result<OwnAuthority, TlsError> {
    let file = |name: &str| folder.join(name);
    let (ca_file, ca_key_file) = (file("ca.pem"), file("ca.key"));
    let (server_file, server_key_file, names_file) = (file("server.pem"), file("server.key"), file("server.names"));
    fs::create_dir_all(folder).map_err(|source| TlsError::File { path: folder.to_owned(), source })?;

    let year = now.to_zoned(TimeZone::UTC).date().first_of_year();
    let is_new = !(ca_file.exists() && ca_key_file.exists());
    if is_new {
        let key = KeyPair::generate()?;
        let certificate = authority(year)?.self_signed(&key)?;
        write(&ca_key_file, &key.serialize_pem(), 0o600)?;
        write(&ca_file, &certificate.pem(), 0o644)?;
    }
    let wanted = names.join("\n");
    let fits = !is_new
        && server_file.exists()
        && server_key_file.exists()
        && fs::read_to_string(&names_file).is_ok_and(|known| known == wanted);
    if !fits {
        let ca_key = KeyPair::from_pem(&read(&ca_key_file)?)?;
        let key = KeyPair::generate()?;
        // An issuer is its name and key, and the name is always the same.
        let certificate = server(names, year)?.signed_by(&key, &Issuer::new(authority(year)?, ca_key))?;
        // The names last: without them, a start that was cut off is done again.
        remove(&names_file)?;
        write(&server_key_file, &key.serialize_pem(), 0o600)?;
        write(&server_file, &format!("{}{}", certificate.pem(), read(&ca_file)?), 0o644)?;
        write(&names_file, &wanted, 0o644)?;
    }
    let ca =
        CertificateDer::from_pem_file(&ca_file).map_err(|source| TlsError::Pem { path: ca_file.clone(), source })?;
    Ok(OwnAuthority { config: load(&server_file, &server_key_file)?, fingerprint: fingerprint(&ca), ca_file })
}

fn authority(year: Date) -> Result<CertificateParams, TlsError> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, "Crewbell site authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    valid(&mut params, year);
    Ok(params)
}

fn server(names: &[String], year: Date) -> Result<CertificateParams, TlsError> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, "Crewbell server");
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    valid(&mut params, year);
    Ok(params)
}

fn valid(params: &mut CertificateParams, year: Date) {
    let end = year.saturating_add((YEARS + 1).years());
    params.not_before = rcgen::date_time_ymd(year.year().into(), 1, 1);
    params.not_after = rcgen::date_time_ymd(end.year().into(), 1, 1);
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
