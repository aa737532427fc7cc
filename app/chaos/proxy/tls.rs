//! TLS at either end of a link, from files that are given: nothing is decrypted without.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::chaos::proxy::link::{Identity, LinkSpec, UpstreamTls};

/// Names of HTTP in the handshake (RFC 7301).
pub(super) const H2: &[u8] = b"h2";
pub(super) const HTTP1: &[u8] = b"http/1.1";

/// What cannot be done with the files of a link.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("{}: {source}", .path.display())]
    File { path: PathBuf, source: pem::Error },
    #[error("{}: {source}", .path.display())]
    Use { path: PathBuf, source: rustls::Error },
    #[error("{0:?} is no name of a server")]
    Name(String),
}

/// Both ends of a link, ready.
#[derive(Clone, Default)]
pub(super) struct Ends {
    pub(super) acceptor: Option<TlsAcceptor>,
    pub(super) connector: Option<Connector>,
}

/// Talks TLS to the upstream.
#[derive(Clone)]
pub(super) struct Connector {
    config: Arc<ClientConfig>,
    pub(super) name: ServerName<'static>,
}

impl Connector {
    /// Returns a connector that offers what is spoken.
    pub(super) fn offering(&self, spoken: Option<&[u8]>) -> TlsConnector {
        let mut config = (*self.config).clone();
        config.alpn_protocols = spoken.iter().map(|name| name.to_vec()).collect();
        TlsConnector::from(Arc::new(config))
    }
}

/// Reads the files that `spec` names.
pub(super) fn ends(spec: &LinkSpec) -> Result<Ends, TlsError> {
    let acceptor = spec.tls.as_ref().map(acceptor).transpose()?;
    let connector = spec.upstream_tls.as_ref().map(|tls| connector(tls, &spec.upstream)).transpose()?;
    Ok(Ends { acceptor, connector })
}

fn acceptor(identity: &Identity) -> Result<TlsAcceptor, TlsError> {
    let chain = certificates(&identity.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&identity.key)
        .map_err(|source| TlsError::File { path: identity.key.clone(), source })?;
    let builder = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions();
    let config = builder.and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key));
    let mut config = config.map_err(|source| TlsError::Use { path: identity.certificate.clone(), source })?;
    config.alpn_protocols = vec![H2.to_vec(), HTTP1.to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn connector(tls: &UpstreamTls, upstream: &str) -> Result<Connector, TlsError> {
    let unusable = |source| TlsError::Use { path: tls.ca.clone(), source };
    let mut roots = RootCertStore::empty();
    certificates(&tls.ca)?.into_iter().try_for_each(|root| roots.add(root)).map_err(unusable)?;
    let host = upstream.rsplit_once(':').map_or(upstream, |(host, _)| host).trim_matches(['[', ']']);
    let name = tls.server_name.clone().unwrap_or_else(|| host.to_owned());
    let name = ServerName::try_from(name.clone()).map_err(|_| TlsError::Name(name))?;
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Connector { config: Arc::new(config), name })
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    let certificates: Vec<_> = read.map_err(|source| TlsError::File { path: path.to_owned(), source })?;
    if certificates.is_empty() {
        return Err(TlsError::File { path: path.to_owned(), source: pem::Error::NoItemsFound });
    }
    Ok(certificates)
}
