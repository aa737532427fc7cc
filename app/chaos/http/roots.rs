//! Which certificates are trusted: those of one file, or those of the system.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::error::HttpError;

/// Where systems keep the certificates that they trust, by distribution.
const SYSTEM_FILES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/opt/homebrew/etc/ca-certificates/cert.pem",
];

/// Returns how to speak TLS as a client that trusts `authority` (a PEM file), or the system's certificates where none is named.
pub fn client_config(authority: Option<&Path>, protocols: &[&str]) -> Result<Arc<ClientConfig>, HttpError> {
    let roots = read(&authority.map_or_else(system_file, |path| Ok(path.to_path_buf()))?)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| HttpError::Unable(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    Ok(Arc::new(config))
}

fn system_file() -> Result<PathBuf, HttpError> {
    let named = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    let usual = SYSTEM_FILES.iter().map(PathBuf::from);
    named.into_iter().chain(usual).find(|path| path.is_file()).ok_or_else(|| {
        HttpError::Unable("no file of trusted certificates is on this system: name one with SSL_CERT_FILE".to_owned())
    })
}

/// Reads the certificates of `path`; single ones that rustls cannot use are left out, as browsers do.
fn read(path: &Path) -> Result<RootCertStore, HttpError> {
    let wrong = |reason: &str| HttpError::Unable(format!("{}: {reason}", path.display()));
    let certificates = CertificateDer::pem_file_iter(path).map_err(|error| wrong(&error.to_string()))?;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates.filter_map(Result::ok));
    if roots.is_empty() {
        return Err(wrong("holds no certificate in PEM"));
    }
    Ok(roots)
}
