//! From an address to a connection: TCP, and TLS above it.

use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;

use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::address::Endpoint;
use super::error::{HttpError, Refusal};
use super::roots;

/// Bytes in both directions, whatever lies below.
pub trait Stream: AsyncRead + AsyncWrite + Send {}
impl<T: AsyncRead + AsyncWrite + Send> Stream for T {}

/// A connection as hyper takes it.
pub type Io = TokioIo<Pin<Box<dyn Stream>>>;

/// Connects to the first of `addresses` that accepts, with TLS where `endpoint` wants it. Only these addresses are tried: the name
/// is not looked up again.
pub async fn open(
    endpoint: &Endpoint,
    addresses: &[SocketAddr],
    authority: Option<&Path>,
    protocol: &str,
) -> Result<Io, HttpError> {
    let tcp = first_that_accepts(endpoint, addresses).await?;
    // A call is small and waits for its answer: nothing is gained by collecting bytes. Where it cannot be set, it is only slower.
    let _ = tcp.set_nodelay(true);
    if endpoint.is_tls {
        return Ok(TokioIo::new(Box::pin(secure(endpoint, tcp, authority, protocol).await?)));
    }
    Ok(TokioIo::new(Box::pin(tcp)))
}

async fn first_that_accepts(endpoint: &Endpoint, addresses: &[SocketAddr]) -> Result<TcpStream, HttpError> {
    let mut refusal = Refusal::Other("no address was given".to_owned());
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => refusal = Refusal::of(&error),
        }
    }
    Err(HttpError::Connect { target: endpoint.target(), refusal })
}

async fn secure(
    endpoint: &Endpoint,
    tcp: TcpStream,
    authority: Option<&Path>,
    protocol: &str,
) -> Result<impl Stream + use<>, HttpError> {
    let failed = |reason: String| HttpError::Tls { target: endpoint.target(), reason };
    let config = roots::client_config(authority, &[protocol])?;
    let name = ServerName::try_from(endpoint.host.clone()).map_err(|error| failed(error.to_string()))?;
    TlsConnector::from(config).connect(name, tcp).await.map_err(|error| failed(error.to_string()))
}
