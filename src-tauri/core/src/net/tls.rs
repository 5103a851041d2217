//! Whom a device trusts.
//!
//! A server is verified against the roots that this program carries (Mozilla's list), so that every device of a crew
//! decides alike, whatever its system trusts. A ship whose server made its own CA puts that certificate into the app's
//! data folder as `server-ca.pem`, beside the roots. Nothing is trusted on first use: whoever answers first in a
//! harbour's Wi-Fi isn't the ship.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// The file of a ship's own CA, in the data folder.
pub const OWN_CA: &str = "server-ca.pem";

/// How TLS is spoken: ring alone, the program's roots, and the ship's own CA where its file is in the folder.
///
/// # Errors
/// The file is there and holds no certificate; a sentence says why.
pub fn trust(data: &Path) -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let file = data.join(OWN_CA);
    if file.exists() {
        let unreadable = |error: &dyn std::fmt::Display| format!("{} can't be read: {error}", file.display());
        let mut found = 0;
        for certificate in CertificateDer::pem_file_iter(&file).map_err(|error| unreadable(&error))? {
            let certificate = certificate.map_err(|error| unreadable(&error))?;
            roots.add(certificate).map_err(|error| unreadable(&error))?;
            found += 1;
        }
        if found == 0 {
            return Err(unreadable(&"there is no certificate in it"));
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_certificate_is_no_ca() {
        let folder = tempfile::tempdir().unwrap();
        assert!(trust(folder.path()).is_ok());
        std::fs::write(folder.path().join(OWN_CA), "hello").unwrap();
        assert!(trust(folder.path()).unwrap_err().contains("no certificate"));
    }
}
