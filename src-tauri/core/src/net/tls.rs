//! TLS trust configuration of the client.
//!
//! A server is verified against the roots built into this program (Mozilla's list), so that every device of a crew
//! decides alike, whatever its system trusts. A site whose server uses its own CA puts that certificate into the app's
//! data folder as `server-ca.pem`, in addition to the roots. There is no trust on first use, because anyone in a
//! harbour's Wi-Fi could answer first.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// File name of a site's own CA certificate, in the data folder.
pub const OWN_CA: &str = "server-ca.pem";

/// Builds the TLS configuration: ring as the only provider, the built-in roots, and the site's own CA if its file
/// exists.
///
/// # Errors
/// Returns an error if the file exists and holds no certificate; the message is a sentence that says why.
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
