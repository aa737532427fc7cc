//! Links that read inside of TLS, and links that pass it.

use std::path::Path;
use std::sync::Arc;

use riftline_queries::replay::fault::Place;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsConnector;

use super::peer::{Bench, GET, OK, fault, head, rest};
use crate::chaos::proxy::armed::Armed;
use crate::chaos::proxy::link::{Identity, LinkSpec, Protocol, UpstreamTls};
use crate::chaos::proxy::registry::{Registry, RegistryError};
use crate::chaos::proxy::tls;

/// A certificate of `localhost` that has signed itself, and its key.
fn identity(folder: &Path) -> Identity {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let identity = Identity { certificate: folder.join("cert.pem"), key: folder.join("key.pem") };
    std::fs::write(&identity.certificate, made.cert.pem()).unwrap();
    std::fs::write(&identity.key, made.signing_key.serialize_pem()).unwrap();
    identity
}

fn connector(identity: &Identity) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&identity.certificate).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

fn localhost() -> ServerName<'static> {
    ServerName::try_from("localhost").unwrap()
}

#[tokio::test]
async fn requests_inside_of_tls_are_read_with_a_certificate() {
    let folder = TempDir::new().unwrap();
    let identity = identity(folder.path());
    let bench = Bench::new(Protocol::Auto).await;
    let tls = Some(identity.clone());
    bench.registry.update(LinkSpec { tls, ..(*bench.link.spec()).clone() }).await.unwrap();
    bench.arm(fault("context-rename", Place::Request, json!({"to": "x-lost"})));
    let client = bench.connect().await;
    let mut client = connector(&identity).connect(localhost(), client).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\ntraceparent: 1\r\n\r\n").await.unwrap();
    let mut server = bench.accept().await;
    assert!(head(&mut server).await.contains("x-lost: 1\r\n"));
    server.write_all(OK.as_bytes()).await.unwrap();
    let mut got = String::new();
    client.read_to_string(&mut got).await.unwrap();
    assert!(got.ends_with("0123456789"));
}

#[tokio::test]
async fn tls_passes_where_no_certificate_is_given() {
    let folder = TempDir::new().unwrap();
    let identity = identity(folder.path());
    let bench = Bench::new(Protocol::Auto).await;
    let armed = bench.arm(fault("context-drop", Place::Request, Value::Null));
    let spec = LinkSpec { tls: Some(identity.clone()), ..LinkSpec::new("x", "x:1", "x:1") };
    let acceptor = tls::ends(&spec).unwrap().acceptor.unwrap();
    let client = bench.connect().await;
    let (client, server) = tokio::join!(connector(&identity).connect(localhost(), client), async {
        acceptor.accept(bench.accept().await).await
    });
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    client.write_all(b"inside").await.unwrap();
    let mut inside = [0; 6];
    server.read_exact(&mut inside).await.unwrap();
    assert_eq!((&inside, armed.tally().matched), (b"inside", 0));
    let another = Armed::new("another".into(), None, fault("context-drop", Place::Request, Value::Null), 1).unwrap();
    let error = bench.registry.arm("link", another).unwrap_err();
    assert!(error.to_string().contains("a certificate and key where clients talk TLS"), "{error}");
}

#[tokio::test]
async fn an_upstream_in_tls_is_asked_in_tls_and_must_be_known() {
    let folder = TempDir::new().unwrap();
    let identity = identity(folder.path());
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = upstream.local_addr().unwrap().port();
    let spec = LinkSpec { tls: Some(identity.clone()), ..LinkSpec::new("x", "x:1", "x:1") };
    let acceptor = tls::ends(&spec).unwrap().acceptor.unwrap();
    let registry = Registry::default();
    for (name, is_known) in [("localhost", true), ("other.example", false)] {
        let ca = UpstreamTls { ca: identity.certificate.clone(), server_name: Some(name.to_owned()) };
        let spec = LinkSpec::new(name, "127.0.0.1:0", &format!("127.0.0.1:{port}"));
        let link = registry.create(LinkSpec { upstream_tls: Some(ca), ..spec }).await.unwrap();
        let mut client = tokio::net::TcpStream::connect(link.address().unwrap()).await.unwrap();
        client.write_all(GET.as_bytes()).await.unwrap();
        let server = acceptor.accept(upstream.accept().await.unwrap().0).await;
        assert_eq!(server.is_ok(), is_known);
        if let Ok(mut server) = server {
            server.write_all(OK.as_bytes()).await.unwrap();
            assert!(rest(&mut client).await.unwrap().ends_with("0123456789"));
        } else {
            assert!(head(&mut client).await.starts_with("HTTP/1.1 502"));
        }
    }
}

#[tokio::test]
async fn files_that_are_no_certificates_are_named() {
    let folder = TempDir::new().unwrap();
    let bad = folder.path().join("bad.pem");
    std::fs::write(&bad, "nothing").unwrap();
    for path in [bad, folder.path().join("missing.pem")] {
        let tls = Some(Identity { certificate: path.clone(), key: path.clone() });
        let result = Registry::default().create(LinkSpec { tls, ..LinkSpec::new("a", "127.0.0.1:0", "a:1") }).await;
        let Err(RegistryError::Spec { reason, .. }) = result else { panic!("it was taken") };
        assert!(reason.starts_with(&path.display().to_string()), "{reason}");
    }
}
